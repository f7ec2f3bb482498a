// MemoryNet: the smallest world that a host can live in: virtual time, byte pipes with latency, cut
// at random places, and a bounded "kernel" in between. It exists beside the simulator so that the
// conformance suite does not depend on the simulator's own correctness. Nothing runs in it after
// its first transport was destroyed.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "net/base/loop.hpp"
#include "net/base/rng.hpp"
#include "net/host/transport.hpp"

namespace kith::host {

struct MemoryOptions {
  Duration latency = 20ms;                 // one way
  std::size_t in_flight_max = 512u << 10;  // bytes that the "kernel" holds, each direction
  std::uint32_t cut_ppm = 300'000;         // chance that a write is cut once more
};

class MemoryTransport;

class MemoryNet {
 public:
  MemoryNet(std::uint64_t seed, MemoryOptions options) : options_(options), rng_(seed) {}

  Now now() const;
  void at(Duration delay, std::function<void()> task);
  bool run_until(const std::function<bool()>& reached, Duration within);

 private:
  friend class MemoryLoop;
  friend class MemoryTransport;
  bool step(Mono limit);

  MemoryOptions options_;
  Rng rng_;
  Mono time_{1s};
  std::uint64_t order_ = 0;
  std::map<std::pair<Mono, std::uint64_t>, std::function<void()>> events_;
  AlarmHeap alarms_;
  std::map<Multiaddr, MemoryTransport*> listeners_;
  std::uint16_t ports_ = 20'000;
};

class MemoryLoop final : public Loop {
 public:
  explicit MemoryLoop(MemoryNet& net) : net_(net) {}
  Now now() const override { return net_.now(); }
  void post(Task task) override { net_.at({}, std::move(task)); }
  void arm(Alarm& alarm, Mono at) override { net_.alarms_.arm(alarm, at); }
  void offload(PoolClass, Task work, Task done) override {
    work();
    post(std::move(done));
  }

 private:
  MemoryNet& net_;
};

class MemoryTransport final : public Transport {
 public:
  MemoryTransport(MemoryNet& net, std::string ip) : net_(net), ip_(std::move(ip)) {}

  void set_sink(TransportSink& sink) override { sink_ = &sink; }
  bool can_dial(const Multiaddr& to) const override;
  PipeSlot dial(const Multiaddr& to) override;
  Result<Multiaddr> listen(const Multiaddr& on) override;
  std::vector<Multiaddr> listen_addrs() const override { return listening_; }
  void accept_paused(bool paused) override;
  void write(PipeSlot pipe, Bytes data) override;
  std::size_t backlog(PipeSlot pipe) const override;
  void read_paused(PipeSlot pipe, bool paused) override;
  void close(PipeSlot pipe) override;
  void abort(PipeSlot pipe) override;

  bool accepting() const { return !paused_; }

 private:
  // Both ends of a pipe hold it; a slot of one side is an index into its own table.
  struct Wire {
    struct End {
      MemoryTransport* owner = nullptr;
      PipeSlot slot;
      std::deque<Bytes> out;  // not yet taken by the "kernel"
      std::size_t out_bytes = 0;
      std::size_t in_flight = 0;  // taken, not yet read by the other end
      std::deque<Bytes> unread;   // arrived while reading was paused
      bool above_low = false;
      bool fin_wanted = false;
      bool fin_sent = false;
      bool fin_seen = false;
      bool paused = false;
      bool gone = false;
    };
    End ends[2];
  };
  using WirePtr = std::shared_ptr<Wire>;
  struct Pipe {
    WirePtr wire;
    int side = 0;
  };

  void pump(const WirePtr& wire, int side);
  void arrive(const WirePtr& wire, int side, Bytes data);
  void finish(const WirePtr& wire, int side, Error error);
  void maybe_finish(const WirePtr& wire);
  void kill(const WirePtr& wire, int side);
  void accept(const WirePtr& wire, const Multiaddr& remote);

  MemoryNet& net_;
  std::string ip_;
  TransportSink* sink_ = nullptr;
  bool paused_ = false;
  std::vector<Multiaddr> listening_;
  std::vector<std::pair<WirePtr, Multiaddr>> waiting_;  // while accepting is paused
  Slots<PipeSlot, Pipe> pipes_;
};

}  // namespace kith::host
