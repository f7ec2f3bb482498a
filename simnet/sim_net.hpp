// SimNet: the simulated internet under SimTransports: addresses, listeners, byte pipes, links with
// latency, jitter, bandwidth and faults, partitions and crashes.
//
// A segment waits for its sender's uplink (pipes take turns), travels, and waits for its receiver's
// downlink; bytes cut through, so that a large segment is not stored and forwarded. At most
// LinkOptions::receive_window bytes are under way or unread, each direction; room opens one latency
// after the reader took them. Packets and headers of TCP are not modelled; its losses are (as
// delay, as a lower rate, as the end), where a link has any.
//
// One model for both fidelities: SimNet's own byte pipes and the frames of SimHosts ask the same
// functions (draw_latency, draw_loss, leave_uplink, pass_downlink, passes).
//
// Faults
// * A partition or a power cut holds segments up; they are tried again, and after
//   NetOptions::pipe_timeout the sender's end dies. An end that only listens notices nothing, as
//   over sockets. What reaches a machine that does not know the pipe is answered by a reset.
// * What is sent over a cut of one direction arrives, and its acknowledgement does not: the
// sender's
//   end dies as late.
// * CrashKind::process: the machine stays and resets all pipes of the node at once.
// * A node behind a translator (nat.hpp) dials from its listening port, as libp2p does, and is
// known
//   by its outside address, which is its own except behind a carrier.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "net/base/loop.hpp"
#include "net/base/slots.hpp"
#include "net/host/transport.hpp"
#include "simnet/link.hpp"
#include "simnet/loss.hpp"
#include "simnet/pipe_end.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

enum class CrashKind : std::uint8_t { power, process };

inline constexpr std::size_t kSimAcceptBacklog = 512;  // dials that a listener has not taken
inline constexpr std::uint16_t kEphemeralFirst = 32768;
inline constexpr std::uint16_t kEphemeralLast = 60999;

struct NodeTraffic {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t segments_in = 0;
};

class SimTransport;

// Hears that a node cannot be heard, or (no node) that the net was partitioned.
class CutWatcher {
 public:
  virtual void on_cut(std::optional<NodeIndex> node) = 0;
  // The node has another address: nothing more passes on its connections.
  virtual void on_moved(NodeIndex node) = 0;

 protected:
  ~CutWatcher() = default;
};

class SimNet final : public EventHandler {
 public:
  explicit SimNet(World& world, NetOptions options = {});
  World& world() { return world_; }

  // `ip`: its IPv4 address as a number, unique; 0: 10.a.b.c, where the first 256 nodes differ in a,
  // and the first 65,536 in a or b.
  NodeIndex add_node(const LinkOptions& link, std::uint32_t ip = 0);
  std::size_t nodes() const { return nodes_.size(); }
  void set_link(NodeIndex node, const LinkOptions& link);
  const LinkOptions& link(NodeIndex node) const { return nodes_[node].link; }
  // The nodes may take turns (World): for SimHosts, where a node's events touch nothing but its own
  // side of a connection. Pipes have both ends in one.
  void allow_turns();
  Multiaddr address(NodeIndex node, std::uint16_t port) const;
  const NodeTraffic& traffic(NodeIndex node) const { return nodes_[node].traffic; }
  // In addition to both links' halves, between nodes whose LinkOptions::region is in the table.
  void set_regions(RegionTable table);
  // One way, without jitter.
  Duration latency(NodeIndex from, NodeIndex to) const;

  // These on one side and all others on the other; again: some of these apart from the rest of
  // them.
  void partition(std::span<const NodeIndex> apart);
  // What these send does not arrive; what others send does.
  void partition_one_way(std::span<const NodeIndex> from_those);
  void block(NodeIndex from, NodeIndex to);  // one direction of one path
  void unblock(NodeIndex from, NodeIndex to);
  // Nothing of the node's gets through, either way, until then; then all of it, in order. Longer
  // than NetOptions::pipe_timeout it is a partition.
  void clog(NodeIndex node, Mono until);
  // The node's program stands still: what comes in waits, as its loop does (Cluster::pause).
  void pause(NodeIndex node, Mono until);
  // Another address, at which it listens. Its connections die silently: what either side sends is
  // lost from now on. Not healed.
  void set_address(NodeIndex node, std::uint32_t ip);
  void heal();  // partitions, blocks and clogs
  bool connected(NodeIndex a, NodeIndex b) const { return reaches(a, b) && reaches(b, a); }
  // From now on the node hears and says nothing. Its SimTransport is to be destroyed; then a new
  // one may be made. Not from an event of the node itself.
  void crash(NodeIndex node, CrashKind kind);

  // --- What a message of SimHosts meets on its way, as a segment does.
  std::optional<NodeIndex> node_at(const Multiaddr& address) const;
  Multiaddr next_local(NodeIndex node);  // with an ephemeral port
  bool can_dial(const Multiaddr& to) const;
  Result<Multiaddr> listen(NodeIndex node, const Multiaddr& on);
  std::vector<Multiaddr> listen_addrs(NodeIndex node) const;
  // Whether a dial to `on` finds a listener and good luck.
  bool draw_accept(NodeIndex node, const Multiaddr& on);
  // The node's own address that a dial to `dialled` reaches; none: its translator lets nobody in
  // who comes from there.
  std::optional<Multiaddr> admit(NodeIndex to, const Multiaddr& dialled,
                                 const Multiaddr& from) const;
  // The node dials: how the other side sees `local`. Its translator keeps the mapping as long as
  // the connection lasts.
  Multiaddr open_mapping(NodeIndex from, const Multiaddr& local, const Multiaddr& to);
  void close_mapping(NodeIndex from, const Multiaddr& local, const Multiaddr& to);
  // What loss does to a segment that leaves now.
  Loss draw_loss(NodeIndex from, NodeIndex to, std::size_t bytes,
                 Duration timeout_min = kRetransmitAfter) {
    const std::uint32_t ppm = nodes_[from].link.loss_ppm + nodes_[to].link.loss_ppm;
    return ppm == 0 ? Loss{} : draw_path_loss(from, to, bytes, ppm, timeout_min);
  }
  // Later than now: the node stands still, and takes nothing in before.
  Mono awake(NodeIndex node) const { return std::max(world_.now(), nodes_[node].paused_until); }
  bool draw_reset(NodeIndex from) { return strikes(nodes_[from], nodes_[from].link.reset_ppm); }
  Duration draw_latency(NodeIndex from, NodeIndex to);
  const void* place_of(NodeIndex node) const { return &nodes_[node]; }  // for fetching it ahead
  // When its last byte has left the uplink; counts it.
  Mono leave_uplink(NodeIndex from, std::size_t bytes);
  // When what arrives now has passed the downlink and the node's thread comes to it. `segment`: it
  // is one of its own, and not part of the one before.
  Mono pass_downlink(NodeIndex from, NodeIndex to, std::size_t bytes, bool segment = true);
  void count_received(NodeIndex node, std::size_t bytes);
  bool passes(NodeIndex from, NodeIndex to) const {
    return !cuts_ || (reaches(from, to) && nodes_[to].power != Power::off);
  }
  // Whether a keep-alive's question and its answer come through.
  bool answers(NodeIndex from, NodeIndex to) const;
  bool reaches(NodeIndex from, NodeIndex to) const;   // powered or not
  bool one_sided() const { return one_sided_; }       // there are cuts of one direction
  Mono retry_at(NodeIndex from, NodeIndex to) const;  // of what does not pass
  bool powered(NodeIndex node) const { return nodes_[node].power != Power::off; }
  const NetOptions& options() const { return options_; }
  void watch_cuts(CutWatcher& watcher) { watchers_.push_back(&watcher); }

  void on_event(const Event& event) override;
  void on_event_end() override;

 private:
  friend class SimTransport;
  using PipeSlot = host::PipeSlot;
  enum Kind : std::uint16_t {
    kSyn,          // at the listener; data: the dialler's end
    kAccepted,     // at the dialler
    kRefused,      // at the dialler
    kDialTimeout,  // at the dialler
    kAccept,       // at the listener: it may take what waits; no data
    kPump,         // at the sender, as kRetry
    kArrive,       // at the receiver; data: the sender's end, as for kDeliver and kRetry
    kDeliver,
    kRetry,
    kReset,     // at the end that data names, as all that follow
    kDrain,     // reading goes on
    kWritable,  //
    kLinger,    // closing took too long
    kGone,      // the last event is due
    kLost,      // given up after too many losses
    kUnheard,   // acknowledgements should have come
    kGrant      // a reader may tell its sender of room
  };
  enum class Power : std::uint8_t { on, idle, off };  // idle: a machine without the process
  struct Listener {
    Multiaddr address;
    std::uint32_t ip = 0;  // 0: any
    std::uint16_t port = 0;
  };
  struct Node {
    Node(std::uint32_t address, Rng rng) : ip(address), draws(std::move(rng)) {}
    std::uint32_t ip;
    LinkOptions link;
    Draws draws;
    std::uint32_t group = 0;
    Power power = Power::idle;
    Loop* loop = nullptr;
    host::TransportSink* sink = nullptr;
    std::vector<Listener> listeners;
    bool accept_paused = false;
    Fifo<PipeSlot> to_accept;
    std::uint16_t port_next = kEphemeralFirst;
    bool mute = false;
    Mono clogged_until{};
    Mono paused_until{};
    Mono cpu_free{};
    std::shared_ptr<NatTable> nat;  // none: open
    Mono up_free{};
    Mono down_free{};
    NodeTraffic traffic;
  };

  // What SimTransport asks (sim_net.cpp).
  void attach(NodeIndex node, Loop& loop);
  void detach(NodeIndex node);
  PipeSlot dial(NodeIndex from, const Multiaddr& to);
  void accept_paused(NodeIndex node, bool paused);
  // ... (sim_pipes.cpp)
  void write(NodeIndex node, PipeSlot pipe, Bytes data);
  std::size_t backlog(NodeIndex node, PipeSlot pipe) const;
  void read_paused(NodeIndex node, PipeSlot pipe, bool paused);
  void close(NodeIndex node, PipeSlot pipe);
  void abort(NodeIndex node, PipeSlot pipe);

  // Dialling (sim_net.cpp).
  void on_syn(PipeSlot dialler, NodeIndex target);
  void on_accepted(PipeSlot dialler);
  void fail_dial(PipeSlot dialler, Error why);
  void take_accepted(NodeIndex node);
  const Listener* find_listener(NodeIndex node, std::uint32_t ip, std::uint16_t port) const;
  std::uint16_t free_port(NodeIndex node) const;
  static bool calls_program(Kind kind);

  // Paths (sim_net_paths.cpp).
  void find_lookahead();
  void set_lookahead(Duration half_latency_min);
  void tell_of_cut(std::optional<NodeIndex> node);
  bool severed(NodeIndex from, NodeIndex to) const;
  Mono unclogged(NodeIndex from, NodeIndex to) const;  // now, or when a clog ends
  Loss draw_path_loss(NodeIndex from, NodeIndex to, std::size_t bytes, std::uint32_t ppm,
                      Duration timeout_min);
  void make_nat(NodeIndex node);

  // Data (sim_pipes.cpp).
  void mark_dirty(PipeSlot pipe, PipeEnd& end);
  void pump(PipeSlot pipe);
  // False: there is nothing to send, or it has to wait; then what wakes it is arranged.
  bool send_segment(PipeSlot pipe, PipeEnd& end);
  bool has_window(PipeSlot pipe, PipeEnd& end, std::size_t& room);
  void depart(PipeSlot pipe, PipeEnd& end, Segment segment);
  void on_arrive(PipeSlot sender);
  void retry(PipeSlot sender);
  void enter_downlink(PipeSlot sender, PipeEnd& end);
  void deliver(PipeSlot sender);
  void take_in(PipeSlot pipe, PipeEnd& end, Bytes data);
  void take_end(PipeSlot pipe, PipeEnd& end);
  void drain(PipeSlot pipe);
  void schedule_drain(PipeSlot pipe, PipeEnd& end);
  void on_unheard(PipeSlot sender);
  void grant(PipeSlot pipe, PipeEnd& reader, std::size_t bytes);

  // How an end ends (sim_pipes.cpp).
  PipeEnd* usable(NodeIndex node, PipeSlot pipe);  // dialling or open, and of this node
  void finish_if_ended(PipeSlot pipe, PipeEnd& end);
  void break_end(PipeSlot pipe, Error why, bool tell_peer);
  void unmap(PipeEnd& end);
  void on_gone(PipeSlot pipe);
  void forget_ends(NodeIndex node, bool tell_peers);
  void send_reset(NodeIndex from, NodeIndex to, PipeSlot target);

  // No draw where there is no chance: most links have no faults.
  static bool strikes(Node& node, std::uint32_t ppm) { return ppm != 0 && node.draws.chance(ppm); }
  void schedule(Mono at, NodeIndex node, Kind kind, PipeSlot pipe);
  Now now_of(NodeIndex node) const { return nodes_[node].loop->now(); }

  World& world_;
  NetOptions options_;
  std::uint16_t handler_;
  std::vector<Node> nodes_;
  std::unordered_map<std::uint32_t, NodeIndex> by_ip_;  // looked up only
  Slots<PipeSlot, PipeEnd> ends_;
  std::vector<PipeSlot> dirty_;
  std::uint32_t groups_ = 0;
  std::vector<CutWatcher*> watchers_;
  bool one_sided_ = false;
  bool cuts_ = false;  // since the last heal() something may not have passed
  bool turns_ = false;
  Duration half_latency_min_{};  // of all links; while there are turns
  RegionTable regions_;
  std::map<std::uint32_t, std::shared_ptr<NatTable>> carriers_;  // by outside address
  std::set<std::pair<NodeIndex, NodeIndex>> blocked_;            // from, to
};

}  // namespace kith::simnet
