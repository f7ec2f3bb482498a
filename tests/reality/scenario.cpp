#include "tests/reality/scenario.hpp"

#include <algorithm>
#include <map>

#include "net/base/log.hpp"
#include "services/node/node.hpp"
#include "services/store/memory_store.hpp"

namespace kith::reality {
namespace {

constexpr std::uint32_t kSubscribers = 16;
constexpr std::uint32_t kKnown = 2;
constexpr std::uint32_t kPublishes = 60;
constexpr std::uint32_t kSearches = 100;
// Long beside the time that encrypting takes: on sockets one thread works for all twenty, and a
// node that joins costs it some 20 ms.
constexpr Duration kLatency = 100ms;
constexpr std::uint64_t kUpBytesPerSecond = 10'000'000;
constexpr Duration kStartsWithin = 3s;
constexpr Duration kPublishFirst = 1500ms;
constexpr Duration kPublishGap = 60ms;
constexpr Duration kSearchFirst = 500ms;
constexpr Duration kSearchesWithin = 4s;
constexpr Duration kLength = 7500ms;        // two heartbeats after the last message
constexpr std::size_t kSmall = 256;         // its publisher sends it to all subscribers it knows
constexpr std::size_t kLarge = 20u << 10;   // ... only to its mesh
constexpr Duration kRequestDeadline = 60s;  // longer than it all takes
constexpr const char* kTopic = "/town/square/1.0.0";

Duration draw_time(Rng& rng, Duration within) {
  return Duration(static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(within.count()))));
}

std::uint32_t draw_home(Rng& rng) { return static_cast<std::uint32_t>(rng.below(kTownNodes)); }

std::shared_ptr<store::MemoryDisk> make_disk() {
  std::vector<std::string> names;
  for (const FamilySpec& family : node::node_families()) names.emplace_back(family.name);
  return std::make_shared<store::MemoryDisk>(names);
}

node::NodeConfig config_of(const Script::Home& home, const Street& street) {
  node::NodeConfig config;
  config.network_id = "town-00000000";
  config.dht_mode = home.mode;
  // Beats come by the wall clock, which stands differently in every run.
  config.poa.beat = false;
  for (const std::uint32_t known : home.knows) config.bootstrap.push_back(street.address(known));
  return config;
}

// A node, and the one who asks it for things and counts what comes of it.
class Home final : private node::RequestSink {
 public:
  Home(const Script::Home& plan, Street& street, std::uint32_t i, const Rng& rng)
      : subscribes_(plan.subscribes),
        store_(make_disk(), street.loop(i)),
        node_(config_of(plan, street), {street.identity(i), street.host(i), street.loop(i), store_,
                                        log_, rng.fork("node", i)}) {}
  ~Home() { node_.drop_sink(*this); }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  void start() {
    node_.start([](Result<void> ready) { CHECK(ready); });
    if (subscribes_) ask(node::TopicSubscribe{kTopic});
  }
  void publish(std::size_t bytes, std::uint64_t number) {
    Rng rng(number);
    ask(node::TopicPublish{kTopic,
                           Bytes::make(bytes, [&](std::span<std::uint8_t> to) { rng.fill(to); })});
  }
  void search(const PeerId& wanted) { searches_[ask(node::DhtFind{wanted})] = 0; }

  void add_to(Tally& tally) const {
    tally.heard += heard_;
    tally.searches += searches_.size();
    for (const auto& [request, asked] : searches_) tally.requests += asked;
    const gossip::Counters counters = node_.status().gossip;
    tally.delivered += counters.delivered;
    tally.copies += counters.delivered + counters.duplicates + counters.echoes;
  }

 private:
  RequestId ask(node::Request request) {
    return node_.start_request(std::move(request), kRequestDeadline, *this);
  }
  void on_progress(Now, RequestId request, const node::Progress& progress) override {
    if (const auto* message = std::get_if<node::TopicMessage>(&progress))
      heard_ += message->from != node_.status().id;
    else if (const auto* search = std::get_if<dht::RoutingProgress>(&progress))
      searches_[request] = search->asked;
  }
  void on_done(Now, RequestId request, Result<node::Answer> answer) override {
    if (!answer) return;  // a search that found nothing: its last progress counts
    if (const auto* search = std::get_if<dht::RoutingAnswer>(&*answer))
      searches_[request] = search->counts.asked;
  }

  bool subscribes_;
  NullLog log_;
  store::MemoryStore store_;
  node::Node node_;
  std::uint64_t heard_ = 0;
  std::map<RequestId, std::uint32_t> searches_;  // requests that each has sent
};

struct Act {
  Duration at{};
  std::function<void()> what;
};

using Homes = std::vector<std::unique_ptr<Home>>;

// In the order of time. Nobody does anything before it has started.
std::vector<Act> acts_of(const Script& script, Street& street, Homes& homes) {
  std::vector<Act> acts;
  for (std::uint32_t i = 0; i < homes.size(); ++i)
    acts.push_back({script.homes[i].start, [&, i] { homes[i]->start(); }});
  for (std::size_t i = 0; i < script.publishes.size(); ++i) {
    const Script::Publish& it = script.publishes[i];
    acts.push_back({std::max(it.at, script.homes[it.from].start),
                    [&, i] { homes[it.from]->publish(it.bytes, i); }});
  }
  for (const Script::Search& it : script.searches)
    acts.push_back({std::max(it.at, script.homes[it.from].start),
                    [&] { homes[it.from]->search(street.identity(it.wanted).id()); }});
  std::stable_sort(acts.begin(), acts.end(),
                   [](const Act& a, const Act& b) { return a.at < b.at; });
  return acts;
}

std::uint64_t deliveries_of(const Script& script) {
  std::uint64_t expected = 0;
  for (const Script::Publish& it : script.publishes)
    expected += kSubscribers - (script.homes[it.from].subscribes ? 1 : 0);
  return expected;
}

}  // namespace

Script draw_script(std::uint64_t seed, std::uint32_t serving) {
  Rng rng = Rng(seed).fork("script");
  Script script;
  script.street.hosts = kTownNodes;
  script.street.seed = seed;
  script.street.latency = kLatency;
  script.street.up_bytes_per_second = kUpBytesPerSecond;
  script.length = kLength;
  for (std::uint32_t i = 0; i < kTownNodes; ++i) {
    Script::Home home;
    home.start = draw_time(rng, kStartsWithin);
    for (std::uint32_t j = 0; j < kTownNodes; ++j)
      if (j != i) home.knows.push_back(j);
    rng.shuffle(home.knows);
    home.knows.resize(kKnown);
    home.mode = i < serving ? dht::Mode::server : dht::Mode::client;
    home.subscribes = i % 5 != 0;  // of those that serve and of those that do not
    script.homes.push_back(std::move(home));
  }
  for (std::uint32_t i = 0; i < kPublishes; ++i) {
    const std::uint32_t from = draw_home(rng);
    script.publishes.push_back(
        {kPublishFirst + i * kPublishGap, from, i % 2 == 0 ? kSmall : kLarge});
  }
  for (std::uint32_t i = 0; i < kSearches; ++i) {
    const Duration at = kSearchFirst + draw_time(rng, kSearchesWithin);
    const std::uint32_t from = draw_home(rng);
    const std::uint32_t wanted = draw_home(rng);
    script.searches.push_back({at, from, wanted});
  }
  return script;
}

Tally play(const Script& script, Kind kind) {
  const std::unique_ptr<Street> street = make_street(script.street, kind);
  const Rng rng = Rng(script.street.seed).fork("town", static_cast<std::uint64_t>(kind));
  Homes homes;
  for (std::uint32_t i = 0; i < script.homes.size(); ++i)
    homes.push_back(std::make_unique<Home>(script.homes[i], *street, i, rng));
  const Mono begun = street->now();
  for (const Act& act : acts_of(script, *street, homes)) {
    const Duration wait = begun + act.at - street->now();
    if (wait > Duration{}) street->run_for(wait);
    act.what();
  }
  street->run_for(begun + script.length - street->now());
  Tally tally;
  tally.took = street->now() - begun;
  tally.lag = street->lag();
  tally.expected = deliveries_of(script);
  for (const auto& home : homes) home->add_to(tally);
  return tally;
}

}  // namespace kith::reality
