// Lookups on a network of 1,000 virtual peers, against an oracle that sees all of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "tests/dht/bus.hpp"

namespace kith::dht {
namespace {

using libp2p::KadMessage;
using libp2p::KadPeer;
using libp2p::KadType;
using test::Bus;
using test::BusOptions;
using Index = Bus::Index;

constexpr Index kNodes = 1000;
constexpr int kLookups = 200;

std::vector<PeerId> true_closest(Bus& bus, const Key& target, Index except,
                                 const std::vector<bool>& answers) {
  std::vector<std::pair<Key, PeerId>> all;
  for (Index i = 0; i < bus.size(); ++i)
    if (i != except && bus.node(i).alive && answers[i])
      all.emplace_back(distance(Key::of(bus.node(i).id.bytes()), target), bus.node(i).id);
  std::sort(all.begin(), all.end());
  std::vector<PeerId> ids;
  for (std::size_t i = 0; i < std::min(kReplication, all.size()); ++i) ids.push_back(all[i].second);
  return ids;
}

std::vector<bool> everybody() { return std::vector<bool>(kNodes, true); }

struct Report {
  std::size_t found = 0;  // of the true 20 closest
  std::size_t wanted = 0;
  std::vector<double> asked;
  std::vector<double> ms;
  double messages = 0;

  double share() const { return static_cast<double>(found) / static_cast<double>(wanted); }
  static double percentile(std::vector<double> of, double p) {
    std::sort(of.begin(), of.end());
    return of[static_cast<std::size_t>(p * static_cast<double>(of.size() - 1))];
  }
  void print(const char* name) const {
    std::printf(
        "%s: %.3f %% of the true closest 20; requests p50 %.0f p99 %.0f; virtual ms p50 %.0f p99 "
        "%.0f; messages a lookup %.1f\n",
        name, 100 * share(), percentile(asked, 0.5), percentile(asked, 0.99), percentile(ms, 0.5),
        percentile(ms, 0.99), messages / static_cast<double>(asked.size()));
  }
};

// `honest` ask; `answers` count as being there.
Report look_up(Bus& bus, const std::vector<bool>& honest, const std::vector<bool>& answers,
               std::uint64_t seed) {
  Report report;
  Rng rng(seed);
  bus.counts() = {};
  for (int i = 0; i < kLookups; ++i) {
    Index from = 0;
    do {
      from = static_cast<Index>(rng.below(bus.size()));
    } while (!bus.node(from).alive || !honest[from]);
    const Bytes key = test::content(rng.next()).bytes();
    const Mono before = bus.now().mono;
    const RequestId request = bus.find_closest(from, key);
    const auto& answer = bus.wait(from, request);
    EXPECT_TRUE(answer);
    if (!answer) continue;
    const std::vector<PeerId> truth = true_closest(bus, Key::of(key), from, answers);
    for (const PeerId& id : truth)
      report.found += std::any_of(answer->peers.begin(), answer->peers.end(),
                                  [&](const PeerInfo& peer) { return peer.id == id; });
    report.wanted += truth.size();
    report.asked.push_back(answer->counts.asked);
    report.ms.push_back(
        std::chrono::duration<double, std::milli>(bus.node(from).done_at[request] - before)
            .count());
  }
  report.messages = static_cast<double>(bus.counts().messages);
  return report;
}

TEST(Network, finds_the_true_twenty_closest_of_a_thousand) {
  Bus bus(BusOptions{.seed = 11});
  for (Index i = 0; i < kNodes; ++i) bus.add();
  bus.plant_tables();
  const Report report = look_up(bus, everybody(), everybody(), 1);
  report.print("all alive");
  EXPECT_GE(report.share(), 0.999);
  EXPECT_LE(Report::percentile(report.asked, 0.99), 60);
}

TEST(Network, finds_them_with_a_fifth_of_all_entries_dead) {
  Bus bus(BusOptions{.seed = 12});
  for (Index i = 0; i < kNodes; ++i) bus.add();
  bus.plant_tables();
  Rng rng(5);
  for (Index i = 0; i < kNodes; ++i)
    if (rng.below(5) == 0) bus.kill(i);
  const Report report = look_up(bus, everybody(), everybody(), 2);
  report.print("a fifth dead");
  EXPECT_GE(report.share(), 0.999);
  EXPECT_LE(Report::percentile(report.ms, 0.99), 10'000) << "late peers do not hold a lookup up";
}

TEST(Network, joins_by_one_bootstrap_peer_and_then_finds_everything) {
  constexpr Index kJoining = 300;
  Bus bus(BusOptions{.seed = 13});
  bus.add();
  DhtConfig config;
  config.bootstrap = {Bus::addr_of(0).with_peer_id(Bus::id_of(0))};
  for (Index i = 1; i < kJoining; ++i) bus.add(config);
  for (Index i = 0; i < kJoining; ++i) {
    bus.start(i);
    bus.run_for(100ms);
  }
  bus.run_for(3min);
  std::size_t smallest = kJoining;
  for (Index i = 0; i < kJoining; ++i) smallest = std::min(smallest, bus.dht(i).table().size());
  EXPECT_GE(smallest, 40u);
  const Report report = look_up(bus, everybody(), everybody(), 3);
  report.print("joined by one");
  EXPECT_GE(report.share(), 0.999);
}

TEST(Network, the_same_seed_gives_the_same_run) {
  const auto run = [] {
    Bus bus(BusOptions{.seed = 14});
    bus.add();
    DhtConfig config;
    config.bootstrap = {Bus::addr_of(0).with_peer_id(Bus::id_of(0))};
    for (Index i = 1; i < 60; ++i) bus.add(config);
    bus.start_all();
    bus.run_for(2min);
    bus.kill(7);
    const auto& told = bus.wait(3, bus.provide(3, test::content(1)));
    bus.run_for(20min);
    return std::tuple(bus.counts().messages, bus.counts().bytes, bus.counts().dials, told->stored,
                      bus.now().mono);
  };
  EXPECT_EQ(run(), run());
}

// A network in which every fifth peer lies.
class HostileNetwork : public ::testing::Test {
 protected:
  void build(const std::function<std::vector<KadPeer>(Index, const KadMessage&)>& closer) {
    for (Index i = 0; i < kNodes; ++i) bus.add();
    bus.plant_tables();
    Rng rng(6);
    for (Index i = 0; i < kNodes; ++i) {
      if (rng.below(5) != 0) continue;
      honest[i] = false;
      bus.node(i).villain = [i, closer](Index, const KadMessage& request) {
        return std::optional(
            libp2p::encode_kad({request.type, request.key, {}, closer(i, request), {}}));
      };
    }
  }
  Bus bus{BusOptions{.seed = 15}};
  std::vector<bool> honest = everybody();
};

TEST_F(HostileNetwork, peers_that_name_invented_ones_hide_nobody) {
  std::uint64_t invented = 5'000'000;
  build([&](Index, const KadMessage&) {
    std::vector<KadPeer> lies;
    while (lies.size() < 20)
      lies.push_back({test::peer_id(++invented), {Multiaddr::of_memory(invented)}, false});
    return lies;
  });
  const Report report = look_up(bus, honest, everybody(), 4);
  report.print("a fifth invents peers");
  EXPECT_GE(report.share(), 0.99);
}

TEST_F(HostileNetwork, peers_that_only_name_each_other_hide_nobody) {
  build([&](Index self, const KadMessage& request) {
    std::vector<std::pair<Key, Index>> friends;
    for (Index i = 0; i < kNodes; ++i)
      if (!honest[i] && i != self)
        friends.emplace_back(distance(Key::of(Bus::id_of(i).bytes()), Key::of(request.key)), i);
    std::sort(friends.begin(), friends.end());
    std::vector<KadPeer> lies;
    for (std::size_t n = 0; n < std::min<std::size_t>(20, friends.size()); ++n)
      lies.push_back({Bus::id_of(friends[n].second), {Bus::addr_of(friends[n].second)}, false});
    return lies;
  });
  // They are real peers and answer, so they stand among the closest as they should; what counts is
  // whether the honest ones among these are found as well.
  const Report report = look_up(bus, honest, everybody(), 7);
  report.print("a fifth names only its friends");
  EXPECT_GE(report.share(), 0.99);
}

TEST_F(HostileNetwork, wrong_addresses_of_honest_peers_do_not_make_them_look_dead) {
  build([&](Index, const KadMessage& request) {
    std::vector<std::pair<Key, Index>> near;
    for (Index i = 0; i < kNodes; ++i)
      if (honest[i])
        near.emplace_back(distance(Key::of(Bus::id_of(i).bytes()), Key::of(request.key)), i);
    std::sort(near.begin(), near.end());
    std::vector<KadPeer> lies;
    for (std::size_t n = 0; n < 20; ++n)
      lies.push_back({Bus::id_of(near[n].second), {Multiaddr::of_memory(9'000'000)}, false});
    return lies;
  });
  const Report report = look_up(bus, honest, everybody(), 8);
  report.print("a fifth gives wrong addresses");
  EXPECT_GE(report.share(), 0.99);
}

TEST_F(HostileNetwork, answers_of_any_rubbish_cost_no_more_than_dead_peers) {
  build([&](Index self, const KadMessage&) {
    // Itself, us, duplicates.
    return std::vector<KadPeer>(200, {Bus::id_of(self), {Bus::addr_of(self)}, false});
  });
  Rng rng(9);
  std::vector<bool> answers = everybody();
  for (Index i = 0; i < kNodes; ++i) {
    if (honest[i]) continue;
    const std::uint64_t kind = rng.below(4);
    if (kind == 0) continue;
    answers[i] = false;
    bus.node(i).villain = [kind](Index, const KadMessage&) -> std::optional<Bytes> {
      if (kind == 1) return std::nullopt;  // silence
      if (kind == 2) return Bytes::copy("\xff\xff\xff\xff");
      return libp2p::encode_kad({KadType::put_value, Bytes::copy("other"), {}, {}, {}});
    };
  }
  const Report report = look_up(bus, honest, answers, 10);
  report.print("a fifth answers rubbish");
  EXPECT_GE(report.share(), 0.999);
}

}  // namespace
}  // namespace kith::dht
