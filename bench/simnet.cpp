// The simulator's event queue beside a binary heap, and bytes through its pipes.
//
// Wheel: the classic hold model. N events are pending; each step takes the earliest and adds one at
// a random delay, so the number stays. Beside it the same with std::priority_queue, and a kernel
// that only touches memory as a simulation must: three cache lines of a random node's 4 KiB.
#include <memory>
#include <queue>

#include "bench/timing.hpp"
#include "net/base/check.hpp"
#include "simnet/cluster.hpp"
#include "simnet/sim_host.hpp"

namespace kith::bench {
namespace {

using simnet::Event;
using simnet::EventWheel;

// A cheap generator: the bench measures the queue, not ChaCha20.
struct Draws {
  std::uint64_t state = 0x9E3779B97F4A7C15u;
  std::uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
  // Latencies of a wide-area network, mostly: 1 to 200 ms; one in 16 is a timer of up to 60 s.
  std::int64_t delay() {
    const std::uint64_t drawn = next();
    const std::uint64_t span = drawn % 16 == 0 ? 60'000'000'000u : 200'000'000u;
    return static_cast<std::int64_t>(1'000'000 + (drawn >> 8) % span);
  }
};

struct Later {
  bool operator()(const Event& a, const Event& b) const {
    return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
  }
};

struct HeapQueue {
  std::priority_queue<Event, std::vector<Event>, Later> heap;
  std::uint64_t sequences = 0;
  void push(Event event) {
    event.sequence = sequences++;
    heap.push(event);
  }
  Event pop() {
    const Event first = heap.top();
    heap.pop();
    return first;
  }
};

constexpr std::size_t kStateBytes = 4096;
constexpr std::size_t kStateNodes = 100'000;

template <class Queue>
struct Hold {
  explicit Hold(std::size_t pending) : state(kStateNodes * kStateBytes / 8) {
    for (std::size_t i = 0; i < pending; ++i) add(0);
  }
  void add(std::int64_t now) {
    Event event;
    event.at = now + draws.delay();
    event.node = static_cast<std::uint32_t>(draws.next() % kStateNodes);
    queue.push(event);
  }
  void run(std::size_t steps, bool touch) {
    for (std::size_t i = 0; i < steps; ++i) {
      const Event event = queue.pop();
      if (touch) {
        std::uint64_t* at = &state[event.node * (kStateBytes / 8)];
        for (int line = 0; line < 3; ++line) at[line * 64] += event.sequence;
      }
      add(event.at);
    }
  }
  Queue queue;
  Draws draws;
  std::vector<std::uint64_t> state;
};

void bench_wheel(std::size_t pending) {
  constexpr std::size_t kSteps = 1'000'000;
  Hold<EventWheel> wheel(pending);
  Hold<HeapQueue> heap(pending);
  // As long as the longest delay, so that the levels fill as they stay.
  wheel.run(std::min<std::size_t>(pending * 2, 4'000'000), false);
  heap.run(std::min<std::size_t>(pending * 2, 4'000'000), false);
  std::vector<Rival> rivals{{"wheel", [&] { wheel.run(kSteps, false); }},
                            {"wheel and three lines of state", [&] { wheel.run(kSteps, true); }},
                            {"binary heap", [&] { heap.run(kSteps, false); }}};
  compete(rivals, pending > 1'000'000 ? 3 : 7);
  for (const Rival& rival : rivals)
    print_row(rival.name + ", " + std::to_string(pending) + " pending",
              kSteps / rival.best.cpu * 1e-6, "M events/s");
  print_row("wheel / heap", rivals[2].best.cpu / rivals[0].best.cpu, "speed ratio");
}

// Nodes that send each other 100-byte messages for ever.
class Gossiper final : public simnet::NodeApp, public host::TransportSink {
 public:
  explicit Gossiper(simnet::NodeContext& context)
      : transport_(context.transport), rng_(context.rng) {
    transport_.set_sink(*this);
    CHECK(transport_.listen(*Multiaddr::parse("/ip4/0.0.0.0/tcp/4001")));
  }
  void dial(const Multiaddr& to) { transport_.dial(to); }
  void on_accept(Now, host::PipeSlot pipe, const Multiaddr&, const Multiaddr&) override {
    pipes_.push_back(pipe);
  }
  void on_dialed(Now, host::PipeSlot pipe, const Multiaddr&, const Multiaddr&) override {
    pipes_.push_back(pipe);
    for (int i = 0; i < 4; ++i) transport_.write(pipe, message_);
  }
  void on_dial_failed(Now, host::PipeSlot, Error) override { CHECK(false); }
  void on_data(Now, host::PipeSlot, Bytes data) override {
    received += data.size() / message_.size();
    for (std::size_t i = 0; i < data.size() / message_.size(); ++i)
      transport_.write(pipes_[static_cast<std::size_t>(rng_.below(pipes_.size()))], message_);
  }
  void on_writable(Now, host::PipeSlot) override {}
  void on_end(Now, host::PipeSlot) override {}
  void on_closed(Now, host::PipeSlot, Error) override { CHECK(false); }
  std::uint64_t received = 0;

 private:
  simnet::SimTransport& transport_;
  Rng rng_;
  std::vector<host::PipeSlot> pipes_;
  const Bytes message_ = Bytes::copy(std::string(100, 'm'));
};

// As bench_messages, on SimHosts: every message is one on a stream of its own kind.
class Chatter final : public simnet::NodeApp, public host::Protocol {
 public:
  explicit Chatter(simnet::NodeContext& context)
      : host_(context.hosts, context.index, context.loop, {.id = id_of(context.index)}),
        rng_(context.rng) {
    protocol_ = host_.add_protocol({.ids = {"/chat/1"}, .inbound_streams_per_peer_max = 64}, *this);
    CHECK(host_.listen(*Multiaddr::parse("/ip4/0.0.0.0/tcp/4001")));
  }
  void dial(const Multiaddr& to) { host_.connect(protocol_, {1}, {}, {&to, 1}); }
  void on_peer_ready(Now, host::PeerSlot peer, const host::PeerFacts& facts) override {
    streams_.push_back(host_.open(peer, protocol_, message_, host::Priority::normal));
    for (int i = 0; facts.outbound && i < 3; ++i) say(streams_.back());
  }
  void on_message(Now, host::StreamSlot, Bytes) override {
    ++received;
    say(streams_[static_cast<std::size_t>(rng_.below(streams_.size()))]);
  }
  std::uint64_t received = 0;

 private:
  static PeerId id_of(simnet::NodeIndex node) {
    std::string key = "\x08\x01\x12\x20" + std::string(32, '\0');
    for (unsigned i = 0; i < 4; ++i) key[4 + i] = static_cast<char>(node >> (8 * i));
    return PeerId::of_public_key(as_bytes(key));
  }
  void say(host::StreamSlot to) { host_.send(to, message_, host::Priority::normal, 0); }

  simnet::SimHost host_;
  Rng rng_;
  host::ProtocolIndex protocol_ = 0;
  std::vector<host::StreamSlot> streams_;
  const Bytes message_ = Bytes::copy(std::string(100, 'm'));
};

template <class App>
void bench_messages(const char* name, std::size_t nodes, bool limited) {
  simnet::LinkOptions link{.latency = 50ms, .jitter = 10ms};
  if (limited) link.up_bytes_per_second = link.down_bytes_per_second = 6'250'000;
  simnet::Cluster cluster(
      {.nodes = nodes, .seed = 1, .link = link, .net = {}, .costs = {}},
      [](simnet::NodeContext& context) { return std::make_unique<App>(context); });
  Rng rng = cluster.world().rng("bench");
  for (simnet::NodeIndex i = 0; i < nodes; ++i)
    for (int k = 0; k < 5; ++k)
      cluster.app<App>(i).dial(cluster.address(static_cast<simnet::NodeIndex>(rng.below(nodes))));
  cluster.run_for(1s);
  const auto total = [&] {
    std::uint64_t sum = 0;
    for (simnet::NodeIndex i = 0; i < nodes; ++i) sum += cluster.app<App>(i).received;
    return sum;
  };
  const std::uint64_t events = cluster.world().events();
  const std::uint64_t messages = total();
  const double start = thread_cpu_seconds();
  double spent = 0;
  while (spent < 1.5) {
    cluster.run_for(100ms);
    spent = thread_cpu_seconds() - start;
  }
  const std::string what =
      std::string(name) + ", " + std::to_string(nodes) + " nodes" + (limited ? ", 50 Mb/s" : "");
  print_row("messages over " + what, static_cast<double>(total() - messages) / spent * 1e-6, "M/s");
  print_row("events over " + what,
            static_cast<double>(cluster.world().events() - events) / spent * 1e-6, "M/s");
}

void bench_bulk() {
  simnet::LinkOptions link{.latency = 10ms};
  link.receive_window = 16u << 20;
  link.up_bytes_per_second = link.down_bytes_per_second = 1'000'000'000;
  struct Sink final : host::TransportSink {
    std::uint64_t received = 0;
    void on_accept(Now, host::PipeSlot, const Multiaddr&, const Multiaddr&) override {}
    void on_dialed(Now, host::PipeSlot, const Multiaddr&, const Multiaddr&) override {}
    void on_dial_failed(Now, host::PipeSlot, Error) override {}
    void on_data(Now, host::PipeSlot, Bytes data) override { received += data.size(); }
    void on_writable(Now, host::PipeSlot) override {}
    void on_end(Now, host::PipeSlot) override {}
    void on_closed(Now, host::PipeSlot, Error) override {}
  } a, b;
  simnet::Cluster cluster({.nodes = 2, .seed = 1, .link = link, .net = {}, .costs = {}});
  cluster.transport(0).set_sink(a);
  cluster.transport(1).set_sink(b);
  CHECK(cluster.transport(1).listen(cluster.address(1)));
  const auto pipe = cluster.transport(0).dial(cluster.address(1));
  const Bytes chunk = Bytes::copy(std::string(1u << 20, 'x'));
  const double start = thread_cpu_seconds();
  for (int i = 0; i < 2000; ++i) {
    cluster.transport(0).write(pipe, chunk);
    cluster.run_for(1ms);
  }
  const double spent = thread_cpu_seconds() - start;
  print_row("bulk through one pipe", spent / (static_cast<double>(b.received) * 1e-9), "CPU s/GB",
            "contents hashed into the trace");
}

}  // namespace
}  // namespace kith::bench

int main() {
  for (const std::size_t pending : {1'000u, 10'000u, 100'000u, 1'000'000u, 10'000'000u})
    kith::bench::bench_wheel(pending);
  for (const std::size_t nodes : {100u, 1'000u, 10'000u}) {
    using namespace kith::bench;
    for (const bool limited : {false, true}) bench_messages<Gossiper>("pipes", nodes, limited);
    for (const bool limited : {false, true}) bench_messages<Chatter>("hosts", nodes, limited);
  }
  kith::bench::bench_bulk();
}
