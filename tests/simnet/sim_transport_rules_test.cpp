// The rules of Transport in virtual time, on plain links and on links that cut and crawl.
#include "simnet/cluster.hpp"
#include "tests/support/transport_suite.hpp"

namespace kith::simnet {
namespace {

LinkOptions rough_link() {
  LinkOptions link;
  link.latency = 5ms;
  link.jitter = 3ms;
  link.up_bytes_per_second = 40'000'000;
  link.down_bytes_per_second = 50'000'000;
  link.segment_max = 9'000;
  link.cut_ppm = 300'000;
  link.receive_window = 200'000;
  return link;
}

template <bool rough>
struct SimPair {
  Cluster cluster{ClusterOptions{
      .nodes = 2, .seed = 7, .link = rough ? rough_link() : LinkOptions{}, .net = {}, .costs = {}}};
  host::Transport& a() { return cluster.transport(0); }
  host::Transport& b() { return cluster.transport(1); }
  bool run_until(const std::function<bool()>& reached, Duration within) {
    return cluster.run_until(reached, within);
  }
  static Multiaddr listen_on() { return *Multiaddr::parse("/ip4/0.0.0.0/tcp/0"); }
  Multiaddr nobody_listens() { return cluster.net().address(1, 9); }
};

}  // namespace
}  // namespace kith::simnet

namespace kith::test {
using PlainPair = simnet::SimPair<false>;
using RoughPair = simnet::SimPair<true>;
INSTANTIATE_TYPED_TEST_SUITE_P(PlainLink, TransportSuite, PlainPair);
INSTANTIATE_TYPED_TEST_SUITE_P(RoughLink, TransportSuite, RoughPair);
}  // namespace kith::test
