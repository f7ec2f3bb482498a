// A WireHost that accepts a connection from whoever writes the input. The first byte chooses how
// deep the input starts: on the pipe, inside Noise (as Yamux frames), or inside streams that were
// opened for it. Each following record is a length byte and that many bytes, given as one chunk.
// After every input the connection is ended and all tables must be empty.
#include <algorithm>
#include <deque>

#include "fuzz.hpp"
#include "net/host/wire_host.hpp"

namespace kith::host {
namespace {

class StepLoop final : public Loop {
 public:
  Now now() const override { return {Mono(time), Wall(time)}; }
  void post(Task task) override { tasks.push_back(std::move(task)); }
  void arm(Alarm& alarm, Mono at) override { alarms.arm(alarm, at); }
  void offload(PoolClass, Task work, Task done) override {
    work();
    post(std::move(done));
  }
  void run() {
    do {
      for (; !tasks.empty(); tasks.pop_front()) tasks.front()();
    } while (alarms.fire_due(now()));
  }
  void pass(Duration by) {
    time += by;
    while (alarms.fire_due(now())) run();
    run();
  }
  Duration time = 1s;
  std::deque<Task> tasks;
  AlarmHeap alarms;
};

// One pipe; what the host writes is kept for the other side.
class OnePipe final : public Transport {
 public:
  void set_sink(TransportSink& to) override { sink = &to; }
  bool can_dial(const Multiaddr&) const override { return false; }
  PipeSlot dial(const Multiaddr&) override { return {}; }
  Result<Multiaddr> listen(const Multiaddr& on) override { return on; }
  std::vector<Multiaddr> listen_addrs() const override { return {}; }
  void accept_paused(bool) override {}
  void write(PipeSlot, Bytes data) override { written.push_back(std::move(data)); }
  std::size_t backlog(PipeSlot) const override { return 0; }
  void read_paused(PipeSlot, bool) override {}
  void close(PipeSlot) override { ended = true; }
  void abort(PipeSlot) override { ended = true; }

  TransportSink* sink = nullptr;
  std::deque<Bytes> written;
  bool ended = false;
};

class Sink final : public Protocol {
 public:
  void on_message(Now, StreamSlot stream, Bytes message) override {
    host->send(stream, std::move(message), Priority::normal, 0);
  }
  void on_data(Now, StreamSlot stream, Bytes data) override {
    host->release(stream, data.size());
    host->send(stream, std::move(data), Priority::bulk, 0);
  }
  void on_end(Now, StreamSlot stream) override { host->close(stream); }
  Host* host = nullptr;
};

struct Identities {
  Rng rng{1};
  crypto::Identity ours = crypto::Identity::make(rng);
  crypto::Identity theirs = crypto::Identity::make(rng);
};
const Identities& identities() {
  static const Identities both;
  return both;
}

class Run {
 public:
  Run()
      : noise_(identities().theirs, rng_), host_({identities().ours}, pipe_, loop_, log_, Rng(2)) {
    sink_.host = &host_;
    raw_.host = &host_;
    host_.add_protocol({.ids = {"/m"}, .message_bytes_max = 4'096}, sink_);
    host_.add_protocol({.ids = {"/r"}, .framing = Framing::raw}, raw_);
    pipe_.sink->on_accept(loop_.now(), kPipe, {}, {});
    loop_.run();
  }
  ~Run() {
    pipe_.sink->on_closed(loop_.now(), kPipe, fail(Errc::closed, "over"));
    loop_.run();
    loop_.pass(1h);
    const HostUsage use = host_.usage();
    FUZZ_CHECK(use.links + use.peers + use.streams == 0);
    FUZZ_CHECK(use.assembly_bytes + use.identifies + use.events == 0);
  }

  void give_raw(Bytes data) {
    if (pipe_.ended || data.empty()) return;
    pipe_.sink->on_data(loop_.now(), kPipe, std::move(data));
    loop_.run();
  }

  // A real handshake from the other side; then `give` seals what it is given.
  void shake_hands() {
    client_ = std::make_unique<Connection>(loop_.now(), true, noise_, limits_, rng_);
    for (int i = 0; i < 4 && !client_->is_open(); ++i) talk();
    FUZZ_CHECK(client_->is_open());
  }
  void talk() {
    ConnectionEffects effects;
    for (Bytes next; !(next = client_->pull(loop_.now(), 1u << 17, effects)).empty();) {
      give_raw(std::move(next));
    }
    while (!pipe_.written.empty() && !client_->failed()) {
      client_->on_bytes(loop_.now(), std::move(pipe_.written.front()), effects);
      pipe_.written.pop_front();
    }
    for (auto& effect : effects.streams)
      if (const auto* data = std::get_if<wire::YamuxData>(&effect))
        client_->mux().release(data->stream, data->data.size());
  }
  // Streams that are well formed down to where the input takes over.
  void give_stream(std::uint8_t which, Bytes data) {
    if (client_->failed() || pipe_.ended) return;
    auto& slot = slots_[which % slots_.size()];
    if (!slot) {
      const auto opened = client_->mux().open(loop_.now());
      if (!opened) return;
      slot = *opened;
    }
    client_->mux().write(loop_.now(), slot, std::move(data));
    if (which & 0x40) client_->mux().close(slot);
    if (which & 0x80) slot = {};
    talk();
  }
  void pass(Duration by) { loop_.pass(by); }

  // Below the machines: any plaintext in the channel.
  void give_plain(wire::NoiseTransport& cipher, ByteView data) {
    auto sealed = cipher.seal(data);
    if (sealed) give_raw(std::move(*sealed));
  }
  // The same handshake, by machines that give their keys away.
  std::optional<wire::NoiseTransport> open_channel() {
    wire::NoiseHandshake handshake(wire::NoiseRole::initiator, noise_, rng_);
    static const std::string kNoise = "/noise";
    wire::MultistreamDialer dial(std::span(&kNoise, 1));
    give_raw(dial.start(handshake.start()));
    while (!pipe_.written.empty()) {
      Bytes data = std::move(pipe_.written.front());
      pipe_.written.pop_front();
      if (!dial.agreed()) {
        auto step = dial.on_bytes(data);
        if (!step) return std::nullopt;
        data = step->rest;
      }
      if (data.empty()) continue;
      auto step = handshake.on_bytes(data);
      if (!step) return std::nullopt;
      give_raw(step->write);
      if (step->session) return std::move(step->session->transport);
    }
    return std::nullopt;
  }

 private:
  static constexpr PipeSlot kPipe{0, 0};
  StepLoop loop_;
  NullLog log_;
  OnePipe pipe_;
  Sink sink_, raw_;
  Rng rng_{3};
  HostLimits limits_;
  wire::NoiseStatic noise_;
  WireHost host_;
  std::unique_ptr<Connection> client_;
  std::array<wire::YamuxSlot, 4> slots_;
};

}  // namespace
}  // namespace kith::host

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  if (size == 0) return 0;
  const int depth = data[0] % 3;
  ByteView rest(data + 1, size - 1);
  host::Run run;
  std::optional<wire::NoiseTransport> channel;
  if (depth == 1) {
    channel = run.open_channel();
    FUZZ_CHECK(channel.has_value());
  }
  if (depth == 2) run.shake_hands();
  while (!rest.empty()) {
    const std::uint8_t head = rest[0];
    const std::size_t length = std::min<std::size_t>(head, rest.size() - 1);
    const ByteView record = rest.subspan(1, length);
    rest = rest.subspan(1 + length);
    if (head == 0) run.pass(700ms);
    if (depth == 0) run.give_raw(Bytes::copy(record));
    if (depth == 1) run.give_plain(*channel, record);
    if (depth == 2 && !record.empty()) run.give_stream(record[0], Bytes::copy(record.subspan(1)));
  }
  return 0;
}
