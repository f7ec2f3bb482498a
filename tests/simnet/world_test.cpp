// World: events in their order, and turns, which change the order of nodes and nothing that a node
// could see.
#include "simnet/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace kith::simnet {
namespace {

constexpr Duration kReach = 10ms;  // no node reaches another sooner

// Nodes that draw what they do next: when their timer goes again, and whether another gets a word.
// A bell rings for all of them at once.
class Village final : public EventHandler {
 public:
  enum Kind : std::uint16_t { kTimer, kWord, kBell };
  struct Seen {
    Mono at{};
    std::uint16_t kind = 0;
    std::uint64_t data = 0;
    friend bool operator==(const Seen&, const Seen&) = default;
  };

  Village(std::uint64_t seed, std::uint32_t nodes, Duration lookahead) : world_(seed) {
    handler_ = world_.add_handler(*this, 1u << kTimer | 1u << kWord);
    world_.set_lookahead(lookahead);
    for (std::uint32_t node = 0; node < nodes; ++node) {
      rngs_.push_back(world_.rng("node", node));
      world_.schedule(Mono(Duration(node)), handler_, node, kTimer, 0);
    }
    seen_.resize(nodes);
    world_.schedule(Mono(13ms), handler_, 0, kBell, 0);
  }

  void on_event(const Event& event) override {
    const Mono now = world_.now();
    EXPECT_EQ(now, Mono(Duration(event.at)));
    if (event.kind == kBell) {
      for (std::uint32_t node = 0; node < seen_.size(); ++node) see(node, event);
      return world_.schedule(now + 13ms, handler_, 0, kBell, event.data + 1);
    }
    see(event.node, event);
    world_.mix(event.data);
    if (now > Mono(1s)) return;
    Rng& rng = rngs_[event.node];
    const auto some = [&] { return Duration(static_cast<std::int64_t>(rng.below(30'000'000))); };
    const std::uint64_t drawn = rng.next();  // after a word, too: it changes what comes
    if (event.kind == kWord) return;
    world_.schedule(now + some(), handler_, event.node, kTimer, drawn);
    const auto other = static_cast<NodeIndex>(rng.below(seen_.size()));
    if (rng.chance(500'000)) world_.schedule(now + kReach + some(), handler_, other, kWord, drawn);
  }

  World& world() { return world_; }
  const std::vector<std::vector<Seen>>& seen() const { return seen_; }

 private:
  void see(NodeIndex node, const Event& event) {
    // A node's clock never goes back.
    if (!seen_[node].empty()) {
      EXPECT_LE(seen_[node].back().at, world_.now());
    }
    seen_[node].push_back({world_.now(), event.kind, event.data});
  }

  World world_;
  std::uint16_t handler_ = 0;
  std::vector<Rng> rngs_;
  std::vector<std::vector<Seen>> seen_;
};

// Two events of one node at one nanosecond may change places: the draws make that unlikely, and
// sorting by data takes it out.
std::vector<std::vector<Village::Seen>> sorted(std::vector<std::vector<Village::Seen>> all) {
  for (auto& seen : all)
    std::stable_sort(seen.begin(), seen.end(), [](const auto& a, const auto& b) {
      return a.at != b.at ? a.at < b.at : a.data < b.data;
    });
  return all;
}

TEST(World, a_node_sees_the_same_with_turns_and_without) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Village in_order(seed, 17, Duration{});
    Village in_turns(seed, 17, kReach);
    in_order.world().run_for(1500ms);
    in_turns.world().run_for(1500ms);
    ASSERT_GT(in_order.world().events(), 1'000u);
    EXPECT_EQ(in_order.world().events(), in_turns.world().events());
    EXPECT_EQ(sorted(in_order.seen()), sorted(in_turns.seen()));
    EXPECT_EQ(in_order.world().now(), in_turns.world().now());
  }
}

TEST(World, turns_are_the_same_each_time_however_long_the_runs_are) {
  Village once(3, 9, kReach);
  Village again(3, 9, kReach);
  once.world().run_for(1500ms);
  again.world().run_for(1500ms);
  EXPECT_EQ(once.world().trace_hash(), again.world().trace_hash());
  EXPECT_EQ(once.world().second_hashes(), again.world().second_hashes());
  Village in_parts(3, 9, kReach);
  for (int i = 0; i < 1500; ++i) in_parts.world().run_for(1ms);
  EXPECT_EQ(sorted(in_parts.seen()), sorted(once.seen()));
}

// What it says of itself is not true: it reaches another node at once.
class Hasty final : public EventHandler {
 public:
  Hasty() : handler_(world_.add_handler(*this, 1u)) {
    world_.set_lookahead(kReach);
    world_.schedule(Mono(1ms), handler_, 0, 0, 0);
  }
  void on_event(const Event&) override { world_.schedule(world_.now() + 1us, handler_, 1, 0, 0); }
  World& world() { return world_; }

 private:
  World world_{1};
  std::uint16_t handler_;
};

TEST(WorldDeathTest, a_node_that_reaches_another_too_soon_is_found) {
  EXPECT_DEATH(Hasty().world().run_for(1s), "turn_of_");
}

}  // namespace
}  // namespace kith::simnet
