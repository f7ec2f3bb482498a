// ShapedTransport: a Transport over another one that behaves as if its machines were far apart:
// what it sends waits for its uplink and then for the latency, so two of them over loopback make a
// link of the simulator (simnet/link.hpp) out of real sockets. For tests.
//
// Rules (of net/host/transport.hpp, all of them, and)
// * All waiting is on the sending side, for data, ends (FIN) and resets; what arrives from below is
//   passed on at once. A dial reaches the listener one latency after it began, and the dialler
//   hears of it two latencies after.
// * One uplink a transport; its pipes take turns, a segment each. At most `window` bytes of a pipe
//   are under way or not yet acknowledged, one latency after they were handed to the transport
//   below. A reader that pauses fills the kernel's buffers first: the window is that much larger.
// * backlog() is what has not left the uplink. An alarm that comes late loses no capacity: what
//   could have left earlier is taken to have left then. So late timers do not add up.
// * abort() drops what is under way.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "net/base/loop.hpp"
#include "net/base/slots.hpp"
#include "net/host/transport.hpp"

namespace kith::test {

struct Shape {
  Duration latency{};                     // one way
  std::uint64_t up_bytes_per_second = 0;  // 0: unlimited
  std::size_t window = 1u << 20;
  std::size_t segment_max = 64u << 10;
};

class ShapedTransport final : public host::Transport, private host::TransportSink, private Alarm {
 public:
  // `below` and the loop outlive it; `below` has no other sink and calls nobody once this is gone.
  ShapedTransport(host::Transport& below, Loop& loop, Shape shape);
  ~ShapedTransport() override;
  ShapedTransport(const ShapedTransport&) = delete;
  ShapedTransport& operator=(const ShapedTransport&) = delete;

  void set_sink(host::TransportSink& sink) override;
  bool can_dial(const Multiaddr& to) const override { return below_.can_dial(to); }
  host::PipeSlot dial(const Multiaddr& to) override;
  Result<Multiaddr> listen(const Multiaddr& on) override { return below_.listen(on); }
  std::vector<Multiaddr> listen_addrs() const override { return below_.listen_addrs(); }
  void accept_paused(bool paused) override { below_.accept_paused(paused); }
  void write(host::PipeSlot pipe, Bytes data) override;
  std::size_t backlog(host::PipeSlot pipe) const override;
  void read_paused(host::PipeSlot pipe, bool paused) override;
  void close(host::PipeSlot pipe) override;
  void abort(host::PipeSlot pipe) override;

 private:
  using PipeSlot = host::PipeSlot;
  enum class State : std::uint8_t { dialing, open, over };
  struct Segment {
    Bytes data;
    bool fin = false;
    Mono at{};  // when it arrives
  };
  struct Pipe {
    State state = State::dialing;
    PipeSlot below;  // none: the dial is still under way
    bool reads_paused = false;
    bool close_asked = false;
    bool fin_left = false;
    std::deque<Bytes> queue;
    std::size_t backlog = 0;
    bool above_low = false;
    bool writable_due = false;
    bool pumping = false;  // a pump is scheduled
    Mono ready{};          // since when what is queued first could have left, window permitting
    Mono uplink_until{};
    std::deque<Segment> flight;
    std::size_t unacknowledged = 0;
    Error why;
  };
  using Step = std::function<void(Now)>;

  void on_accept(Now, PipeSlot, const Multiaddr& local, const Multiaddr& remote) override;
  void on_dialed(Now, PipeSlot, const Multiaddr& local, const Multiaddr& remote) override;
  void on_dial_failed(Now, PipeSlot, Error) override;
  void on_data(Now, PipeSlot, Bytes) override;
  void on_writable(Now, PipeSlot) override;
  void on_end(Now, PipeSlot) override;
  void on_closed(Now, PipeSlot, Error) override;
  void on_alarm(Now now) override;

  Pipe* find(PipeSlot slot);  // one that is not over
  std::optional<PipeSlot> over(PipeSlot below) const;
  void at(Mono when, Step step);
  void schedule_pump(PipeSlot slot, Pipe& pipe, Mono when);
  void pump(PipeSlot slot, Mono now);
  Bytes take(Pipe& pipe, std::size_t size);
  void depart(PipeSlot slot, Pipe& pipe, Segment segment, Mono from);
  void arrive(PipeSlot slot, Now now);
  void end_pipe(PipeSlot slot, Pipe& pipe, Error why);

  host::Transport& below_;
  Loop& loop_;
  Shape shape_;
  host::TransportSink* sink_ = nullptr;
  Slots<PipeSlot, Pipe> pipes_;
  std::map<PipeSlot, PipeSlot> by_below_;
  std::multimap<Mono, Step> steps_;  // equal times in the order in which they were said
  Mono up_free_{};
};

}  // namespace kith::test
