// A street of sockets on loopback, all of it on one loop and in real time.
#include "net/asio/asio_transport.hpp"
#include "net/host/wire_host.hpp"
#include "tests/reality/street.hpp"
#include "tests/support/shaped_transport.hpp"

namespace kith::reality {
namespace {

// Members end from bottom to top.
struct SocketHome {
  SocketHome(net::AsioLoop& loop, const StreetPlan& plan, std::uint32_t i)
      : identity(identity_of(plan, i)),
        sockets(loop),
        transport(sockets, loop, {plan.latency, plan.up_bytes_per_second, plan.pipe_window}),
        host(host::HostConfig{identity}, transport, loop, log,
             Rng(plan.seed).fork("socket host", i)) {
    const Result<Multiaddr> bound = host.listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0"));
    CHECK(bound);
    addr = *bound;
  }
  NullLog log;
  crypto::Identity identity;
  net::AsioTransport sockets;
  test::ShapedTransport transport;
  host::WireHost host;
  Multiaddr addr;
};

// An alarm every few milliseconds that notes how late it comes. A stall of length s holds up what
// is due in it by s / 2 in the mean, and meets the more of it the longer it is.
class Pulse final : private Alarm {
 public:
  explicit Pulse(Loop& loop) : loop_(loop), begun_(loop.now().mono) { arm(); }
  ~Pulse() { loop_.arm(*this, kNever); }
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;
  Duration mean_delay() const {
    const double passed = seconds(due_ - begun_);
    return passed <= 0 ? Duration{}
                       : std::chrono::duration_cast<Duration>(
                             std::chrono::duration<double>(squares_ / 2 / passed));
  }

 private:
  static double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }
  void on_alarm(Now now) override {
    const double stall = seconds(now.mono - due_);
    squares_ += stall * stall;
    arm();
  }
  void arm() {
    due_ = loop_.now().mono + 2ms;
    loop_.arm(*this, due_);
  }
  Loop& loop_;
  Mono begun_;
  Mono due_{};
  double squares_ = 0;
};

class SocketStreet final : public Street {
 public:
  explicit SocketStreet(const StreetPlan& plan) {
    for (std::uint32_t i = 0; i < plan.hosts; ++i)
      homes_.push_back(std::make_unique<SocketHome>(loop_, plan, i));
  }
  host::Host& host(std::uint32_t i) override { return homes_[i]->host; }
  Loop& loop(std::uint32_t) override { return loop_; }
  const crypto::Identity& identity(std::uint32_t i) const override { return homes_[i]->identity; }
  Multiaddr address(std::uint32_t i) const override { return homes_[i]->addr; }
  Mono now() const override { return loop_.now().mono; }
  bool run_until(const std::function<bool()>& reached, Duration within) override {
    if (!pulse_) pulse_.emplace(loop_);
    return loop_.run_until(reached, within);
  }
  Duration lag() const override { return pulse_ ? pulse_->mean_delay() : Duration{}; }

 private:
  net::AsioLoop loop_;
  std::vector<std::unique_ptr<SocketHome>> homes_;
  std::optional<Pulse> pulse_;
};

}  // namespace

std::unique_ptr<Street> make_socket_street(const StreetPlan& plan) {
  return std::make_unique<SocketStreet>(plan);
}

}  // namespace kith::reality
