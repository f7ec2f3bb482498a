// A namespace on many whole nodes, over links that fail, with nodes that lose their power and what
// they had not synced, and a partition that heals.
#include "services/cstore/limits.hpp"
#include "tests/services/node/homes.hpp"

namespace kith::node::test {
namespace {

#if defined(__clang__)  // the sanitizers' build: they cost a factor of ten
constexpr std::uint32_t kMany = 40;
#else
constexpr std::uint32_t kMany = 200;
#endif
constexpr const char* kSpace = "shared";

struct Outcome {
  std::uint32_t acknowledged = 0;
  std::uint32_t unanswered = 0;  // of writers that died
  Duration to_heal{};
  std::uint64_t hash = 0;
};

class Town {
 public:
  Town(std::uint32_t nodes, std::uint64_t seed)
      : nodes_(nodes),
        rng_(Rng(seed).fork("town")),
        sinks_(nodes),
        homes_(
            tree(nodes, seed), seed, [](NodeConfig& config) { config.poa.beat = false; },
            Fidelity::messages) {
    for (std::uint32_t i = 0; i < nodes; ++i) {
      simnet::LinkOptions link;
      link.latency = 40ms;
      link.jitter = 60ms;
      link.dial_failure_ppm = 100'000;
      link.reset_ppm = 200;
      homes_.cluster().net().set_link(i, link);
      homes_.disk(i).faults.write_delay = 4ms;
    }
    homes_.cluster().run_for(20s);
    for (std::uint32_t i = 0; i < nodes; ++i)
      homes_.node(i).start_request(cstore::Request(cstore::Stat{kSpace}), 30s, sinks_[i]);
    homes_.cluster().run_for(20s);
  }
  ~Town() {
    for (std::uint32_t i = 0; i < nodes_; ++i)
      if (alive(i)) homes_.node(i).drop_sink(sinks_[i]);
  }

  // Writes now and then, for a while.
  void write_for(Duration time, Duration gap) {
    for (Duration passed{}; passed < time; passed += gap) {
      write(draw_alive());
      homes_.cluster().run_for(gap);
      collect();
    }
  }
  // A writer loses its power in the instant in which its write is acknowledged, or before.
  void write_and_crash() {
    const std::uint32_t i = draw_alive();
    const RequestId id = write(i);
    const bool at_once = rng_.chance(300'000);
    if (!at_once) homes_.cluster().run_until([&] { return sinks_[i].answers.count(id) != 0; }, 5s);
    collect();
    crash(i);
  }
  void crash(std::uint32_t i) {
    kill(i);
    homes_.disk(i).crash();
  }
  // Its process ends, and the disk keeps what was written.
  void kill(std::uint32_t i) {
    homes_.cluster().crash(i);
    ++incarnations_[i];
    sinks_[i].answers.clear();
    down_.push_back(i);
  }
  void restart_one() {
    if (down_.empty()) return;
    homes_.cluster().restart(down_.front());
    down_.erase(down_.begin());
  }
  void restart_all() {
    while (!down_.empty()) restart_one();
  }
  void partition() {
    std::vector<simnet::NodeIndex> apart;
    for (std::uint32_t i = 0; i < nodes_; ++i)
      if (rng_.chance(400'000)) apart.push_back(i);
    homes_.cluster().net().partition(apart);
  }
  void heal() { homes_.cluster().net().heal(); }

  // Writes no more by itself.
  void spare(std::uint32_t i) { spared_ = i; }
  Sha256Digest root(std::uint32_t i) {
    const auto stat = homes_.ask(i, cstore::Request(cstore::Stat{kSpace}));
    EXPECT_TRUE(stat.has_value());
    return std::get<cstore::SpaceInfo>(std::get<cstore::Answer>(*stat)).root;
  }
  bool run_until_equal(Duration within) {
    for (Duration passed{}; passed < within; passed += 5s) {
      homes_.cluster().run_for(5s);
      if (equal()) return true;
    }
    return false;
  }
  // Every acknowledged write is there, on the node where it is hardest: one that was down.
  void expect_all(std::uint32_t i) {
    const auto listed = homes_.ask(i, cstore::Request(cstore::List{kSpace, {}, {}, 10'000}));
    ASSERT_TRUE(listed.has_value());
    std::map<std::string, cstore::Item> items;
    for (const auto& item : std::get<cstore::Listing>(std::get<cstore::Answer>(*listed)).items)
      items.emplace(item.key.text(), item);
    for (const auto& [key, value] : acknowledged_) {
      ASSERT_EQ(items.count(key), 1u) << key;
      EXPECT_EQ(items.at(key).value.text(), value);
    }
    const std::int64_t count = items.count("n") == 0 ? 0 : items.at("n").count;
    EXPECT_GE(count, counted_);
    EXPECT_LE(count, counted_ + uncertain());
  }
  Outcome outcome() {
    return {static_cast<std::uint32_t>(acknowledged_.size()),
            static_cast<std::uint32_t>(uncertain()),
            {},
            homes_.cluster().trace_hash()};
  }
  Homes& homes() { return homes_; }

 private:
  struct Asking {
    std::uint32_t node = 0;
    std::string key;  // empty: an increment by one
    std::string value;
  };
  static std::vector<std::vector<std::uint32_t>> tree(std::uint32_t nodes, std::uint64_t seed) {
    Rng rng = Rng(seed).fork("tree");
    std::vector<std::vector<std::uint32_t>> knows(nodes);
    for (std::uint32_t i = 1; i < nodes; ++i)
      for (int k = 0; k < 3; ++k)
        knows[i].push_back(static_cast<std::uint32_t>(rng.below(std::min<std::uint32_t>(i, 20))));
    return knows;
  }
  bool alive(std::uint32_t i) { return homes_.cluster().alive(i); }
  std::uint32_t draw_alive() {
    for (;;) {
      const auto i = static_cast<std::uint32_t>(rng_.below(nodes_));
      if (alive(i) && i != spared_) return i;
    }
  }
  RequestId write(std::uint32_t i) {
    Asking asking{i, {}, {}};
    cstore::Request what = cstore::Increment{kSpace, Bytes::copy("n"), 1};
    if (rng_.chance(600'000)) {
      asking.key = "k" + std::to_string(writes_);
      asking.value = "written by " + std::to_string(i);
      what = cstore::Put{kSpace, Bytes::copy(asking.key), Bytes::copy(asking.value)};
    }
    ++writes_;
    const RequestId id = homes_.node(i).start_request(std::move(what), 30s, sinks_[i]);
    asked_[{i, incarnations_[i], id}] = asking;
    return id;
  }
  void collect() {
    collect_writes();
    for (Asked& sink : sinks_) sink.answers.clear();
  }
  void collect_writes() {
    for (auto at = asked_.begin(); at != asked_.end();) {
      const auto& [node, incarnation, id] = at->first;
      auto& answers = sinks_[node].answers;
      const auto answer = answers.find(id);
      if (incarnation != incarnations_[node] || answer == answers.end()) {
        ++at;
        continue;
      }
      EXPECT_TRUE(answer->second.has_value()) << describe(answer->second.error());
      if (at->second.key.empty())
        ++counted_;
      else
        acknowledged_[at->second.key] = at->second.value;
      at = asked_.erase(at);
    }
  }
  std::int64_t uncertain() const {
    std::int64_t count = 0;
    for (const auto& [id, asking] : asked_) count += asking.key.empty() ? 1 : 0;
    return count;
  }
  // Of those that are up.
  bool equal() {
    std::map<std::uint32_t, RequestId> asked;
    for (std::uint32_t i = 0; i < nodes_; ++i)
      if (alive(i))
        asked[i] =
            homes_.node(i).start_request(cstore::Request(cstore::Stat{kSpace}), 30s, sinks_[i]);
    homes_.cluster().run_for(100ms);
    collect_writes();
    std::set<Sha256Digest> roots;
    for (const auto& [i, id] : asked) {
      const auto at = sinks_[i].answers.find(id);
      if (at == sinks_[i].answers.end() || !at->second) return false;
      roots.insert(std::get<cstore::SpaceInfo>(std::get<cstore::Answer>(*at->second)).root);
    }
    for (Asked& sink : sinks_) sink.answers.clear();
    return roots.size() == 1;
  }

  std::uint32_t nodes_;
  std::optional<std::uint32_t> spared_;
  Rng rng_;
  std::vector<Asked> sinks_;  // outlive the nodes
  Homes homes_;
  std::vector<std::uint32_t> down_;
  std::map<std::uint32_t, std::uint32_t> incarnations_;
  std::map<std::tuple<std::uint32_t, std::uint32_t, RequestId>, Asking> asked_;
  std::map<std::string, std::string> acknowledged_;
  std::int64_t counted_ = 0;
  std::uint32_t writes_ = 0;
};

Outcome run(std::uint32_t nodes, std::uint64_t seed) {
  Town town(nodes, seed);
  town.write_for(10s, 500ms);
  for (int i = 0; i < 12; ++i) {
    town.write_and_crash();
    town.write_for(2s, 400ms);
    if (i >= 3) town.restart_one();
  }
  town.partition();
  town.write_for(30s, 1s);
  town.write_and_crash();
  EXPECT_FALSE(town.run_until_equal(5s)) << "two halves that write apart differ";
  town.heal();
  town.write_for(3s, 500ms);
  town.restart_all();
  const Mono healed = town.homes().cluster().loop(0).now().mono;
  EXPECT_TRUE(town.run_until_equal(180s)) << "one root on all";
  const Duration to_heal = town.homes().cluster().loop(0).now().mono - healed;
  for (const std::uint32_t i : {0u, nodes / 2, nodes - 1}) town.expect_all(i);
  Outcome outcome = town.outcome();
  outcome.to_heal = to_heal;
  EXPECT_GT(outcome.acknowledged, 50u);
  return outcome;
}

TEST(CstoreHomes, no_acknowledged_write_is_lost_and_all_come_to_one_root) {
  const Outcome outcome = run(kMany, 3);
  RecordProperty("seconds_to_heal", static_cast<int>(outcome.to_heal / 1s));
  std::printf("%u writes acknowledged, one root %lld s after the partition healed\n",
              outcome.acknowledged, static_cast<long long>(outcome.to_heal / 1s));
}

// The disk of one node has no room for a while, and then has; the node restarts in between.
TEST(CstoreHomes, a_node_whose_disk_was_full_comes_to_the_same_root_also_after_a_restart) {
  constexpr std::uint32_t kFull = 3;
  Town town(8, 5);
  town.write_for(10s, 500ms);
  ASSERT_TRUE(town.run_until_equal(60s));
  store::MemoryDisk& disk = town.homes().disk(kFull);
  disk.faults.bytes_max = disk.bytes();
  town.spare(kFull);  // a write of its own is refused, and says so
  town.write_for(40s, 500ms);
  EXPECT_FALSE(town.run_until_equal(30s)) << "what has no room is not there";
  EXPECT_TRUE(town.homes().node(kFull).status().cstore.store_refuses);
  EXPECT_GT(town.homes().node(kFull).status().cstore.counters.unstored, 10u);
  const auto before = town.root(kFull);
  town.kill(kFull);
  town.restart_all();
  town.homes().cluster().run_for(20s);
  EXPECT_EQ(town.root(kFull), before) << "the disk holds what was told as held";
  disk.faults.bytes_max = UINT64_MAX;
  EXPECT_TRUE(town.run_until_equal(cstore::kStoreRetryMax + 60s));
  EXPECT_FALSE(town.homes().node(kFull).status().cstore.store_refuses);
  town.expect_all(kFull);
  const auto after = town.root(kFull);
  town.homes().cluster().run_for(5s);
  town.crash(kFull);
  town.restart_all();
  EXPECT_TRUE(town.run_until_equal(120s));
  EXPECT_EQ(town.root(kFull), after);
  town.expect_all(kFull);
}

TEST(CstoreHomes, the_same_seed_gives_the_same_trace) {
  const Outcome first = run(25, 8);
  const Outcome again = run(25, 8);
  EXPECT_EQ(first.hash, again.hash);
  EXPECT_EQ(first.acknowledged, again.acknowledged);
  EXPECT_EQ(first.unanswered, again.unanswered);
}

}  // namespace
}  // namespace kith::node::test
