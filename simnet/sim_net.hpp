// SimNet: the simulated internet under SimTransports: addresses, listeners, byte pipes, links with
// latency, jitter, bandwidth and faults, partitions and crashes.
//
// A segment waits for its sender's uplink (pipes take turns), travels, and waits for its receiver's
// downlink; a byte cuts through, so that a large segment is not stored and forwarded. The sender
// may have LinkOptions::receive_window bytes unread; room opens one way of latency after the reader
// took them. Packets, headers, loss and congestion control of TCP are not modelled.
//
// Faults
// * A partition or a power cut holds segments up; they are retried, and after
//   NetOptions::pipe_timeout the sender's end dies. An end that only listens notices nothing, as
//   over sockets. What reaches a machine that knows nothing of the pipe is answered by a reset.
// * CrashKind::process: the machine resets all pipes of the node at once.
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "net/base/loop.hpp"
#include "net/base/slots.hpp"
#include "simnet/link.hpp"
#include "simnet/pipe_end.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

enum class CrashKind : std::uint8_t { power, process };

inline constexpr std::size_t kSimAcceptBacklog = 512;

struct NodeTraffic {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t segments_in = 0;
};

class SimTransport;

class SimNet final : public EventHandler {
 public:
  explicit SimNet(World& world, NetOptions options = {});
  World& world() { return world_; }

  // `ip`: its IPv4 address as a number; 0: 10.0.0.1 + index. Addresses are unique.
  NodeIndex add_node(const LinkOptions& link, std::uint32_t ip = 0);
  void set_link(NodeIndex node, const LinkOptions& link);
  const LinkOptions& link(NodeIndex node) const { return nodes_[node].link; }
  std::uint32_t ip(NodeIndex node) const { return nodes_[node].ip; }
  const NodeTraffic& traffic(NodeIndex node) const { return nodes_[node].traffic; }
  // One way, without jitter.
  Duration latency(NodeIndex from, NodeIndex to) const;

  // These on one side, all others on the other; nests by further groups.
  void partition(std::span<const NodeIndex> apart);
  void heal();
  bool connected(NodeIndex a, NodeIndex b) const { return nodes_[a].group == nodes_[b].group; }
  // From now on the node hears and says nothing. Its SimTransport is to be destroyed, then a new
  // one may be attached.
  void crash(NodeIndex node, CrashKind kind);

  void on_event(const Event& event) override;
  void on_event_end() override;

 private:
  friend class SimTransport;
  using PipeSlot = host::PipeSlot;
  enum Kind : std::uint16_t {
    kSyn,
    kAccepted,
    kRefused,
    kDialTimeout,
    kAccept,
    kPump,
    kArrive,
    kDeliver,
    kRetry,
    kReset,
    kDrain,
    kWritable,
    kLinger,
    kGone
  };
  struct Listener {
    Multiaddr address;
    std::uint32_t ip = 0;  // 0: any
    std::uint16_t port = 0;
    std::uint64_t memory = 0;  // instead, when port is 0
  };
  struct Node {
    std::uint32_t ip = 0;
    LinkOptions link;
    Rng rng;
    std::uint32_t group = 0;
    bool up = false;
    Loop* loop = nullptr;
    host::TransportSink* sink = nullptr;
    std::vector<Listener> listeners;
    bool accept_paused = false;
    Fifo<PipeSlot> to_accept;
    std::uint16_t port_next = 32768;
    Mono up_free{};
    Mono down_free{};
    NodeTraffic traffic;
  };

  // What SimTransport asks.
  void attach(NodeIndex node, Loop& loop);
  void detach(NodeIndex node);
  PipeSlot dial(NodeIndex from, const Multiaddr& to);
  Result<Multiaddr> listen(NodeIndex node, const Multiaddr& on);
  std::vector<Multiaddr> listen_addrs(NodeIndex node) const;
  void accept_paused(NodeIndex node, bool paused);
  void write(NodeIndex node, PipeSlot pipe, Bytes data);
  void read_paused(NodeIndex node, PipeSlot pipe, bool paused);
  void close(NodeIndex node, PipeSlot pipe);
  void abort(NodeIndex node, PipeSlot pipe);
  PipeEnd* usable(NodeIndex node, PipeSlot pipe);

  // Dialling (sim_net.cpp).
  void on_syn(PipeSlot dialler, NodeIndex target);
  void on_accepted(PipeSlot dialler);
  void on_accept(NodeIndex node);
  Listener* find_listener(NodeIndex node, const Multiaddr& to);
  // The node that has the address, up or not.
  std::optional<NodeIndex> find_node(const Multiaddr& address) const;

  // Data (sim_pipes.cpp).
  void mark_dirty(PipeSlot pipe, PipeEnd& end);
  void pump(PipeSlot pipe);
  bool send_segment(PipeSlot pipe, PipeEnd& end);
  void depart(PipeSlot pipe, PipeEnd& end, Segment segment);
  void on_arrive(PipeSlot sender);
  void retry(PipeSlot sender);
  void into_downlink(PipeSlot sender, PipeEnd& end);
  void deliver(PipeSlot sender);
  void drain(PipeSlot pipe);
  void take_in(PipeSlot pipe, PipeEnd& end, Bytes data);
  void grant(PipeEnd& reader, std::size_t bytes);
  void finish_if_ended(PipeSlot pipe, PipeEnd& end);
  // The end is over: its node hears of it, its peer is reset if `tell_peer`.
  void break_end(PipeSlot pipe, Error why, bool tell_peer);
  void bury(PipeSlot pipe);
  void send_reset(NodeIndex from, NodeIndex to, PipeSlot target);
  bool passes(NodeIndex from, NodeIndex to) const;
  Duration draw_latency(NodeIndex from, NodeIndex to);
  void schedule(Duration after, NodeIndex node, Kind kind, PipeSlot pipe);
  void schedule_at(Mono at, NodeIndex node, Kind kind, PipeSlot pipe);
  Now now_of(NodeIndex node) const;

  World& world_;
  NetOptions options_;
  std::uint16_t handler_;
  std::vector<Node> nodes_;
  std::unordered_map<std::uint32_t, NodeIndex> by_ip_;
  std::unordered_map<std::uint64_t, NodeIndex> by_memory_;
  Slots<PipeSlot, PipeEnd> ends_;
  std::vector<PipeSlot> dirty_;
  std::uint32_t groups_ = 0;
};

}  // namespace kith::simnet
