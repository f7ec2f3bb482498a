#include "tests/reality/throughput.hpp"

#include <algorithm>

#include "net/base/check.hpp"

namespace kith::reality {
namespace {

constexpr Duration kDeadline = 30s;
constexpr std::size_t kPart = 64u << 10;
constexpr std::size_t kQueueLow = 512u << 10;

host::ProtocolSpec stream_spec() {
  host::ProtocolSpec spec;
  spec.ids = {"/stretch/1.0.0"};
  spec.framing = host::Framing::raw;
  return spec;
}

// Sends without end.
class Source final : public host::Protocol {
 public:
  explicit Source(host::Host& host)
      : host_(host), protocol_(host.add_protocol(stream_spec(), *this)) {}
  void connect(const PeerId& to, const Multiaddr& at) {
    host_.connect(protocol_, RequestId{1}, to, {{at}});
  }

 private:
  void on_connected(Now, RequestId, Result<host::PeerSlot> peer) override {
    CHECK(peer);
    stream_ = host_.open(*peer, protocol_, Bytes(), host::Priority::bulk);
    fill();
  }
  void on_writable(Now, host::StreamSlot) override { fill(); }
  void fill() {
    while (host_.peer_of(stream_) && host_.queued_bytes(stream_) <= kQueueLow)
      host_.send(stream_, part_, host::Priority::bulk);
  }

  host::Host& host_;
  host::ProtocolIndex protocol_;
  host::StreamSlot stream_;
  const Bytes part_ = Bytes::make(kPart, [](std::span<std::uint8_t> to) { Rng(1).fill(to); });
};

// Reads at once, and notes when.
class Sink final : public host::Protocol {
 public:
  explicit Sink(host::Host& host) : host_(host) { host.add_protocol(stream_spec(), *this); }
  bool done() const { return received_ >= kStreamWarmUp + kStreamBytes; }
  double rate() const {
    const auto took = std::chrono::duration<double>(last_ - first_).count();
    return static_cast<double>(received_ - before_) / took;
  }

 private:
  void on_data(Now now, host::StreamSlot stream, Bytes data) override {
    host_.release(stream, data.size());
    if (done()) return;
    received_ += data.size();
    last_ = now.mono;
    if (received_ < kStreamWarmUp || before_ != 0) return;
    before_ = received_;
    first_ = now.mono;
  }

  host::Host& host_;
  std::size_t received_ = 0;
  std::size_t before_ = 0;  // of it, until `first_`
  Mono first_{};
  Mono last_{};
};

}  // namespace

bool Stretch::window_binds() const {
  return bandwidth == 0 || closed_form() < static_cast<double>(bandwidth);
}

double Stretch::closed_form() const {
  const double round_trip = std::chrono::duration<double>(2 * latency).count();
  const double by_window = static_cast<double>(window) / round_trip;
  return bandwidth == 0 ? by_window : std::min(by_window, static_cast<double>(bandwidth));
}

double throughput(const Stretch& stretch, Kind kind) {
  StreetPlan plan;
  plan.latency = stretch.latency;
  plan.up_bytes_per_second = stretch.bandwidth;
  plan.pipe_window = stretch.window;
  const std::unique_ptr<Street> street = make_street(plan, kind);
  Source source(street->host(0));
  Sink sink(street->host(1));
  source.connect(street->identity(1).id(), street->address(1));
  return street->run_until([&] { return sink.done(); }, kDeadline) ? sink.rate() : 0;
}

}  // namespace kith::reality
