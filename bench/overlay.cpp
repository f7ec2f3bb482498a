// A whole overlay in one process and in virtual time: whole nodes (node::Node, all services) whose
// hosts hand over whole messages (SimHost), what they take of memory and what a gossip message
// costs.
//
//   bench_overlay [nodes] [seconds] [publishers] [per second, each] [seconds to settle] [dht: 1, 0]
//
// With dht 0 all are clients of the DHT, so that nobody answers and nothing is looked up: what
// gossip costs can be seen without the look-ups of an overlay that has just begun.
//
// Every node dials ten others (ten random permutations: ten come in, too), joins three topics and
// is left alone for ten simulated minutes; then some publish 256 bytes, so that nearly every event
// is a copy of a gossip message. With the DHT they come one after another over the first half of
// that time: a connection is dialled by whoever of the two comes later. Beside it the kernel: the
// event wheel and three cache lines of a random node's state, the least that such a simulation
// could do for an event.
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "bench/timing.hpp"
#include "dht/peer_book.hpp"
#include "gossip/counters.hpp"
#include "gossip/outlines.hpp"
#include "net/base/check.hpp"
#include "net/crypto/identity.hpp"
#include "services/node/node.hpp"
#include "services/store/memory_store.hpp"
#include "simnet/cluster.hpp"
#include "simnet/huge_pages.hpp"
#include "simnet/shared_signatures.hpp"
#include "simnet/sim_host.hpp"

namespace kith::bench {
namespace {

constexpr std::size_t kDegreeOut = 10;
constexpr std::size_t kBodyBytes = 256;
constexpr std::array<const char*, 3> kTopics = {"news", "weather", "sports"};

struct Memory {
  double rss = 0;
  double live = 0;  // handed out by malloc
  static Memory now() {
    ::malloc_trim(0);
    long pages = 0;
    long resident = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
      CHECK(std::fscanf(file, "%ld %ld", &pages, &resident) == 2);
      std::fclose(file);
    }
    const struct mallinfo2 info = ::mallinfo2();
    return {static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)),
            static_cast<double>(info.uordblks + info.hblkhd)};
  }
};

class App final : public simnet::NodeApp,
                  public host::Protocol,
                  public gossip::TopicHandler,
                  private Alarm {
 public:
  App(simnet::NodeContext& context, simnet::SimHosts& hosts, crypto::Signatures& signatures,
      Log& log, const std::vector<std::string>& families, const Multiaddr& listen, bool with_dht,
      host::HostLimits limits, std::shared_ptr<dht::PeerBook> book,
      std::shared_ptr<gossip::Outlines> outlines)
      : identity_(make_identity(context.index)),
        store_(std::make_shared<store::MemoryDisk>(families), context.loop),
        loop_(context.loop),
        rng_(context.rng.fork("bodies")),
        host_(hosts, context.index, context.loop, {identity_.id(), "kith-sim", limits}),
        node_(config(with_dht),
              {identity_, host_, context.loop, store_, log, context.rng.fork("node"), &signatures,
               std::move(book), std::move(outlines)}) {
    host::ProtocolSpec spec;
    spec.serve = false;
    protocol_ = host_.add_protocol(std::move(spec), *this);
    CHECK(host_.listen(listen));
    node_.start([](Result<void> result) { CHECK(result); });
    for (const char* topic : kTopics) CHECK(node_.gossip().subscribe(topic, *this));
  }
  static crypto::Identity make_identity(std::uint32_t i) {
    Rng rng = Rng(1000).fork("identity", i);
    return crypto::Identity::make(rng, crypto::Guard::none);
  }
  const PeerId& id() const { return identity_.id(); }
  void dial(const PeerId& to, const Multiaddr& addr) {
    host_.connect(protocol_, RequestId{++requests_}, to, {&addr, 1});
  }
  ~App() override { loop_.arm(*this, kNever); }
  // From now on, first after `wait`, `count` times.
  void publish(const char* topic, Duration wait, Duration every, std::size_t count) {
    topic_ = topic;
    every_ = every;
    to_publish_ = count;
    loop_.arm(*this, later(loop_.now().mono, wait));
  }
  void on_connected(Now, RequestId, Result<host::PeerSlot> peer) override { failed += !peer; }
  void on_message(Now, gossip::TopicIndex, const gossip::GossipMessage&) override { ++heard; }
  using host::Protocol::on_message;

  node::Node& node() { return node_; }
  simnet::SimHost& host() { return host_; }
  std::uint64_t heard = 0;
  std::uint64_t failed = 0;

 private:
  void on_alarm(Now now) override {
    std::vector<std::uint8_t> body(kBodyBytes);
    rng_.fill(body);
    CHECK(node_.gossip().publish(topic_, Bytes::copy(body)));
    if (--to_publish_ > 0) loop_.arm(*this, later(now.mono, every_));
  }
  static node::NodeConfig config(bool with_dht) {
    node::NodeConfig config;
    config.dht_mode = with_dht ? dht::Mode::server : dht::Mode::client;
    config.network_id = "test-00000000";
    config.poa.beat = false;  // everybody would hear everybody
    config.connections = {2 * kDegreeOut, 2 * kDegreeOut + 4, 3s};
    return config;
  }
  crypto::Identity identity_;
  store::MemoryStore store_;
  Loop& loop_;
  Rng rng_;
  const char* topic_ = "";
  Duration every_{};
  std::size_t to_publish_ = 0;
  simnet::SimHost host_;
  node::Node node_;
  host::ProtocolIndex protocol_ = 0;
  std::uint64_t requests_ = 0;
};

// The wheel with as many events pending as the overlay has timers and frames, and a node's state.
double kernel_ns(std::size_t nodes) {
  constexpr std::size_t kStateWords = 512;
  constexpr std::size_t kSteps = 2'000'000;
  std::vector<std::uint64_t> state(nodes * kStateWords);
  simnet::EventWheel wheel;
  std::uint64_t draws = 0x9E3779B97F4A7C15u;
  const auto draw = [&] {
    draws ^= draws << 13;
    draws ^= draws >> 7;
    return draws ^= draws << 17;
  };
  const auto add = [&](std::int64_t now) {
    simnet::Event event;
    event.at = now + static_cast<std::int64_t>(1'000'000 + draw() % 40'000'000);
    event.node = static_cast<std::uint32_t>(draw() % nodes);
    wheel.push(event);
  };
  for (std::size_t i = 0; i < nodes * 8; ++i) add(0);
  double best = 1e9;
  for (int round = 0; round < 4; ++round) {
    const double start = thread_cpu_seconds();
    for (std::size_t i = 0; i < kSteps; ++i) {
      const simnet::Event event = wheel.pop();
      std::uint64_t* at = &state[event.node * kStateWords];
      for (std::size_t line = 0; line < 3; ++line) at[line * 64] += event.sequence;
      add(event.at);
    }
    best = std::min(best, thread_cpu_seconds() - start);
  }
  return best / kSteps * 1e9;
}

struct Options {
  std::size_t nodes = 1000;
  std::size_t seconds = 60;
  std::size_t publishers = 10;
  std::size_t per_second = 1;
  std::size_t settle = 600;
  std::size_t dht = 1;
};

class Overlay {
 public:
  explicit Overlay(const Options& options) : options_(options) {
    for (const FamilySpec& family : node::node_families()) families_.emplace_back(family.name);
    cluster_ = std::make_unique<simnet::Cluster>(
        simnet::ClusterOptions{
            .nodes = 0, .seed = 1, .link = {.jitter = 20ms}, .net = {}, .costs = {}},
        [this](simnet::NodeContext& context) {
          return std::make_unique<App>(context, cluster_->hosts(), signatures_, log_, families_,
                                       cluster_->address(context.index), options_.dht != 0,
                                       host::HostLimits{}, book_, outlines_);
        });
  }

  void run() {
    const Memory before = Memory::now();
    phase("nothing yet", before, before);
    for (std::size_t i = 0; i < options_.nodes; ++i) cluster_->add_node();
    step(1s);
    phase("nodes made and started", before, Memory::now());
    draw_topology();
    const std::size_t minutes = (options_.settle + 59) / 60;
    const std::size_t coming = options_.dht != 0 ? minutes / 2 : 0;
    for (std::size_t minute = 0; minute < coming; ++minute) come(minute, coming);
    if (coming == 0) {
      for (std::size_t i = 0; i < options_.nodes; ++i) connect(i);
      step(20s);
    }
    phase("connected", before, Memory::now());
    print_degree();
    for (std::size_t minute = coming; minute < minutes; ++minute) step(60s);
    phase("idle for a while", before, Memory::now());
    print_degree();
    publish();
    phase("after publishing", before, Memory::now());
    std::printf("trace hash %016llx\n", static_cast<unsigned long long>(cluster_->trace_hash()));
  }

 private:
  App& app(std::size_t i) { return cluster_->app<App>(static_cast<simnet::NodeIndex>(i)); }

  void step(Duration time) {
    const double cpu = thread_cpu_seconds();
    const std::uint64_t events = cluster_->world().events();
    cluster_->run_for(time);
    print_step(time, thread_cpu_seconds() - cpu, cluster_->world().events() - events);
  }
  static void print_step(Duration time, double spent, std::uint64_t events) {
    const auto done = static_cast<double>(events);
    std::printf("  %.0f s of virtual time: %.2f s CPU, %.0f events, %.3f M/s; %.1f MB handed out\n",
                static_cast<double>(time.count()) * 1e-9, spent, done, done / spent * 1e-6,
                static_cast<double>(::mallinfo2().uordblks) * 1e-6);
    std::fflush(stdout);
  }

  void phase(const char* name, const Memory& before, const Memory& now) const {
    const auto nodes = static_cast<double>(options_.nodes);
    std::printf("%-26s rss %9.1f MB (%8.1f KB a node)  malloc %9.1f MB (%8.1f KB a node)\n", name,
                now.rss * 1e-6, (now.rss - before.rss) / nodes * 1e-3, now.live * 1e-6,
                (now.live - before.live) / nodes * 1e-3);
    std::fflush(stdout);
  }

  void draw_topology() {
    Rng rng = cluster_->world().rng("topology");
    std::vector<std::uint32_t> order(options_.nodes);
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    dials_.resize(options_.nodes);
    for (std::size_t k = 0; k < kDegreeOut; ++k) {
      rng.shuffle(order);
      for (std::size_t i = 0; i < order.size(); ++i) {
        const std::uint32_t to = order[(i + 1) % order.size()];
        if (options_.dht != 0)
          dials_[std::max(order[i], to)].push_back(std::min(order[i], to));
        else
          dials_[order[i]].push_back(to);
      }
    }
  }
  void connect(std::size_t node) {
    for (const std::uint32_t to : dials_[node]) app(node).dial(app(to).id(), cluster_->address(to));
  }
  // One minute of `minutes`, in which a share of the nodes comes, some each second.
  void come(std::size_t minute, std::size_t minutes) {
    constexpr std::size_t kSteps = 60;
    const double cpu = thread_cpu_seconds();
    const std::uint64_t events = cluster_->world().events();
    for (std::size_t second = 0; second < kSteps; ++second) {
      const std::size_t at = minute * kSteps + second;
      const std::size_t all = minutes * kSteps;
      for (std::size_t i = options_.nodes * at / all; i < options_.nodes * (at + 1) / all; ++i)
        connect(i);
      cluster_->run_for(1s);
    }
    print_step(60s, thread_cpu_seconds() - cpu, cluster_->world().events() - events);
  }

  void print_degree() {
    std::size_t links = 0;
    std::size_t links_max = 0;
    std::size_t streams = 0;
    std::size_t known = 0;
    std::size_t table = 0;
    std::size_t mesh = 0;
    std::uint64_t failed = 0;
    for (std::size_t i = 0; i < options_.nodes; ++i) {
      const host::HostUsage usage = app(i).host().usage();
      links += usage.links;
      links_max = std::max(links_max, usage.links);
      streams += usage.streams;
      known += usage.known_peers;
      table += app(i).node().routing().table_size();
      failed += app(i).failed;
      for (const gossip::TopicView& topic : app(i).node().gossip().topics()) mesh += topic.mesh;
    }
    const auto nodes = static_cast<double>(options_.nodes);
    std::printf(
        "  a node: %.1f connections (at most %zu), %.1f streams, %.1f known peers, %.1f in the "
        "table, %.1f mesh places in %zu topics; %llu dials failed\n",
        static_cast<double>(links) / nodes, links_max, static_cast<double>(streams) / nodes,
        static_cast<double>(known) / nodes, static_cast<double>(table) / nodes,
        static_cast<double>(mesh) / nodes, app(0).node().gossip().topics().size(),
        static_cast<unsigned long long>(failed));
  }

  std::uint64_t copies() {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < options_.nodes; ++i) {
      const gossip::Counters& counters = app(i).node().gossip_counters();
      sum += counters.delivered + counters.duplicates;
    }
    return sum;
  }

  void publish() {
    std::uint64_t heard = 0;
    for (std::size_t i = 0; i < options_.nodes; ++i) heard += app(i).heard;
    const std::uint64_t copies_before = copies();
    const std::uint64_t events = cluster_->world().events();
    const double wall = wall_seconds();
    const double start = thread_cpu_seconds();
    const std::size_t published = options_.publishers * options_.seconds * options_.per_second;
    const Duration gap = Duration(1s) / static_cast<std::int64_t>(options_.per_second);
    for (std::size_t k = 0; k < options_.publishers; ++k) {
      const auto share = static_cast<std::int64_t>(k);
      app(k * options_.nodes / options_.publishers)
          .publish(kTopics[k % kTopics.size()],
                   share * gap / static_cast<std::int64_t>(options_.publishers), gap,
                   options_.seconds * options_.per_second);
    }
    cluster_->run_for(Duration(1s) * static_cast<std::int64_t>(options_.seconds));
    const double spent = thread_cpu_seconds() - start;
    const double wall_spent = wall_seconds() - wall;
    const auto events_done = static_cast<double>(cluster_->world().events() - events);
    const auto received = static_cast<double>(copies() - copies_before);
    std::uint64_t heard_after = 0;
    for (std::size_t i = 0; i < options_.nodes; ++i) heard_after += app(i).heard;
    const double kernel = kernel_ns(options_.nodes);
    std::printf("published %zu, heard %llu, copies %.0f, events %.0f, %.2f s CPU, %.2f s wall\n",
                published, static_cast<unsigned long long>(heard_after - heard), received,
                events_done, spent, wall_spent);
    print_row("events", events_done / spent * 1e-6, "M/s CPU");
    print_row("CPU a received copy", spent / received * 1e9, "ns");
    print_row("CPU an event", spent / events_done * 1e9, "ns");
    print_row("kernel: wheel, three lines of state", kernel, "ns");
    print_row("an event beside its kernel", spent / events_done * 1e9 / kernel, "x");
  }

  Options options_;
  NullLog log_;
  std::vector<std::string> families_;
  simnet::SharedSignatures signatures_;
  std::shared_ptr<dht::PeerBook> book_ = std::make_shared<dht::PeerBook>(Rng(7));
  std::shared_ptr<gossip::Outlines> outlines_ =
      std::make_shared<gossip::Outlines>(Rng(8), signatures_);
  std::unique_ptr<simnet::Cluster> cluster_;
  std::vector<std::vector<std::uint32_t>> dials_;  // by whom: to whom
};

}  // namespace
}  // namespace kith::bench

int main(int argc, char** argv) {
  kith::simnet::use_huge_pages(argv);
  kith::bench::Options options;
  std::size_t* const places[] = {&options.nodes,      &options.seconds, &options.publishers,
                                 &options.per_second, &options.settle,  &options.dht};
  for (int i = 1; i < argc && i <= 6; ++i)
    *places[i - 1] = static_cast<std::size_t>(std::strtoul(argv[i], nullptr, 10));
  kith::bench::Overlay(options).run();
}
