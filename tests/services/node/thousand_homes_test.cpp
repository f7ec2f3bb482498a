// A thousand whole nodes in one process, whole messages between them, in virtual time.
#include "tests/services/node/homes.hpp"

namespace kith::node::test {
namespace {

#if defined(__clang__)  // the sanitizers' build: they cost a factor of ten
constexpr std::uint32_t kThousand = 60;
#else
constexpr std::uint32_t kThousand = 1000;
#endif
constexpr const char* kTopic = "news";

struct Outcome {
  std::uint32_t heard = 0;
  std::uint32_t found = 0;
  std::uint32_t asked = 0;
  std::uint32_t pinged = 0;
  std::uint32_t not_pinged = 0;
  std::uint32_t strangers_pinged = 0;
  std::uint64_t hash = 0;
};

// Every node knows three of the first twenty, as a list of bootstrap addresses would name them.
std::vector<std::vector<std::uint32_t>> tree(std::uint32_t nodes, std::uint64_t seed) {
  Rng rng = Rng(seed).fork("tree");
  std::vector<std::vector<std::uint32_t>> knows(nodes);
  for (std::uint32_t i = 1; i < nodes; ++i)
    for (int known = 0; known < 3; ++known)
      knows[i].push_back(static_cast<std::uint32_t>(rng.below(std::min<std::uint32_t>(i, 20))));
  return knows;
}

Outcome run(std::uint32_t nodes, std::uint64_t seed, int pairs) {
  // Without heartbeats: a thousand that hear a thousand are poa_homes_test's matter, in small.
  Homes homes(
      tree(nodes, seed), seed, [](NodeConfig& config) { config.poa.beat = false; },
      Fidelity::messages);
  std::vector<Asked> listeners(nodes);
  for (std::uint32_t i = 0; i < nodes; ++i)
    homes.node(i).start_request(TopicSubscribe{kTopic}, Duration::zero(), listeners[i]);
  homes.cluster().run_for(40s);
  Outcome outcome;
  Rng rng = Rng(seed).fork("pairs");
  for (int i = 0; i < pairs; ++i) {
    const auto from = static_cast<std::uint32_t>(rng.below(nodes));
    const auto to = static_cast<std::uint32_t>(rng.below(nodes));
    if (from == to) continue;
    ++outcome.asked;
    const auto answer = homes.ask(from, DhtFind{homes.node(to).status().id}, 30s);
    if (answer && !std::get<dht::RoutingAnswer>(*answer).peers.empty()) ++outcome.found;
  }
  // By id alone, most of whom the node never met.
  for (int i = 0; i < pairs / 2; ++i) {
    const auto from = static_cast<std::uint32_t>(rng.below(nodes));
    const std::uint32_t to = (from + 1 + static_cast<std::uint32_t>(rng.below(nodes - 1))) % nodes;
    const PeerId id = Homes::host_id(to);
    const bool stranger = homes.home(from).host().known_addrs(id).empty();
    const auto answer = homes.ask(from, PeerPing{id, {}, 1}, 30s);
    ++(answer ? outcome.pinged : outcome.not_pinged);
    if (answer && stranger) ++outcome.strangers_pinged;
  }
  const auto publisher = static_cast<std::uint32_t>(rng.below(nodes));
  const auto sent = homes.ask(publisher, TopicPublish{kTopic, Bytes::copy("all hear this")});
  EXPECT_TRUE(sent.has_value());
  homes.cluster().run_for(10s);
  for (const Asked& listener : listeners) {
    std::uint32_t times = 0;
    for (const auto& [request, told] : listener.told)
      for (const Progress& progress : told)
        if (const auto* message = std::get_if<TopicMessage>(&progress))
          times += message->data.text() == "all hear this" ? 1 : 0;
    EXPECT_LE(times, 1u) << "each hears it once";
    outcome.heard += times;
  }
  outcome.hash = homes.cluster().trace_hash();
  for (std::uint32_t i = 0; i < nodes; ++i) homes.node(i).drop_sink(listeners[i]);
  return outcome;
}

// All start in the same instant, from the same twenty.
TEST(ThousandHomes, find_each_other_and_all_hear_what_one_publishes_with_one_trace_a_seed) {
  const Outcome first = run(kThousand, 11, 50);
  EXPECT_EQ(first.found, first.asked);
  EXPECT_EQ(first.not_pinged, 0u);
  EXPECT_EQ(first.pinged, 25u);
  if (kThousand > 500) {
    EXPECT_GT(first.strangers_pinged, 10u);
  }
  EXPECT_EQ(first.heard, kThousand);
  const Outcome again = run(kThousand, 11, 50);
  EXPECT_EQ(again.hash, first.hash);
  EXPECT_EQ(again.heard, first.heard);
}

}  // namespace
}  // namespace kith::node::test
