// The rules of Transport over real sockets of the loopback, IPv4 and IPv6.
#include "net/asio/asio_transport.hpp"
#include "tests/support/transport_suite.hpp"

namespace kith::net {
namespace {

template <bool ip6>
struct LoopbackPair {
  AsioLoop loop;
  AsioTransport first{loop};
  AsioTransport second{loop};
  host::Transport& a() { return first; }
  host::Transport& b() { return second; }
  bool run_until(const std::function<bool()>& reached, Duration within) {
    return loop.run_until(reached, within);
  }
  static bool available() {
    AsioLoop probe_loop;
    AsioTransport probe(probe_loop);
    return probe.listen(listen_on()).has_value();
  }
  static Multiaddr listen_on() {
    return *Multiaddr::parse(ip6 ? "/ip6/::1/tcp/0" : "/ip4/127.0.0.1/tcp/0");
  }
  static Multiaddr nobody_listens() {
    return *Multiaddr::parse(ip6 ? "/ip6/::1/tcp/1" : "/ip4/127.0.0.1/tcp/1");
  }
};

}  // namespace
}  // namespace kith::net

namespace kith::test {
using Ip4Pair = net::LoopbackPair<false>;
using Ip6Pair = net::LoopbackPair<true>;
INSTANTIATE_TYPED_TEST_SUITE_P(Ip4, TransportSuite, Ip4Pair);
INSTANTIATE_TYPED_TEST_SUITE_P(Ip6, TransportSuite, Ip6Pair);
}  // namespace kith::test
