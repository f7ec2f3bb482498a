// SimHost: a Host (net/host/host.hpp, whose rules hold) for large simulations: connections, streams
// and messages behave as WireHost's do over a SimTransport, in time, size and order, but no byte is
// encrypted, framed or copied. The same conformance suite runs over both.
//
// The same as WireHost: three round trips to ready, one to an answer on a new stream; one PeerSlot
// a peer; identify facts and bounded pushes; windows that start at 256 KiB and grow; priorities;
// limits of HostLimits on connections, prefixes and streams; the Dialer, Admission and PeerStore
// are the real ones.
//
// Not simulated: hostile bytes (there are none), budgets of bytes under assembly (nothing is
// copied), go-away, multistream in two steps. Who lies here lies in protocols, not in frames.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/base/loop.hpp"
#include "net/host/admission.hpp"
#include "net/host/dialer.hpp"
#include "net/host/message_assembler.hpp"
#include "net/host/peer_store.hpp"
#include "net/host/protocol_registry.hpp"
#include "net/host/turn.hpp"
#include "net/host/wire_host.hpp"
#include "simnet/sim_hosts.hpp"

namespace kith::simnet {

struct SimHostConfig {
  PeerId id;
  std::string agent = "kith-sim";
  host::HostLimits limits = {};
};

class SimHost final : public host::Host, private Alarm {
 public:
  // `node` is attached to the net (Cluster's SimTransport does that) and stays unused otherwise.
  SimHost(SimHosts& hosts, NodeIndex node, Loop& loop, SimHostConfig config);
  ~SimHost();
  SimHost(const SimHost&) = delete;
  SimHost& operator=(const SimHost&) = delete;

  Result<Multiaddr> listen(const Multiaddr& on);
  void stop();  // as WireHost::stop
  host::HostUsage usage() const;
  std::vector<Multiaddr> observed_addrs() const;

  const PeerId& self() const override { return config_.id; }
  std::vector<Multiaddr> listen_addrs() const override;
  host::ProtocolIndex add_protocol(host::ProtocolSpec spec, host::Protocol& protocol) override;
  void set_serving(host::ProtocolIndex protocol, bool serve) override;
  std::vector<std::string> served_protocols() const override { return registry_.served(); }
  void connect(host::ProtocolIndex who, RequestId request, const PeerId& id,
               std::span<const Multiaddr> addrs) override;
  void disconnect(host::PeerSlot peer) override;
  bool busy(host::PeerSlot peer) const override;
  std::optional<host::PeerSlot> find_peer(const PeerId& id) const override;
  const host::PeerFacts* facts(host::PeerSlot peer) const override;
  std::vector<host::PeerStatus> peers() const override;
  void learn_addrs(const PeerId& id, std::span<const Multiaddr> addrs, Duration lifetime) override;
  void keep_addrs(const PeerId& id, Duration lifetime) override;
  std::vector<Multiaddr> known_addrs(const PeerId& id) const override;
  host::StreamSlot open(host::PeerSlot peer, host::ProtocolIndex protocol, Bytes first,
                        host::Priority priority) override;
  void send(host::StreamSlot stream, Bytes message, host::Priority priority,
            std::uint64_t tag) override;
  std::size_t queued_bytes(host::StreamSlot stream) const override;
  void release(host::StreamSlot stream, std::size_t bytes) override;
  void close(host::StreamSlot stream) override;
  void reset(host::StreamSlot stream) override;
  std::optional<host::PeerSlot> peer_of(host::StreamSlot stream) const override;

  // For SimHosts.
  const std::vector<SimLinkRef>& links() const { return links_; }
  void on_frame(SimLinkRef ref, SimLink::Side& side, Frame& frame);
  // The next frame that the side's streams have to send, of frames() and in no list; kNone:
  // nothing, or all windows are full.
  std::uint32_t next_frame(SimLink::Side& side);
  void on_local();  // deliver what is queued
  // Fetch ahead what a frame touches here, then its stream.
  void prefetch() const;
  void prefetch(host::StreamSlot stream) const { streams_.prefetch(stream); }
  void on_deadline(SimLinkRef ref);               // of the handshake
  void on_moved() { facts_.reset(); }             // it has another address
  void lose(SimLinkRef ref, const Error& error);  // the connection is over, for this reason

 private:
  // Speaks identify's names; the exchange itself is part of the hops.
  class Named final : public host::Protocol {};
  class PushAlarm final : public Alarm {
   public:
    explicit PushAlarm(SimHost& host) : host_(host) {}
    void on_alarm(Now) override { host_.push_facts(); }

   private:
    SimHost& host_;
  };
  struct Peer {
    host::PeerFacts facts;
    bool ready = false;
    bool gone = false;  // PeerGone is on its way
    Mono since{};
    std::vector<SimLinkRef> links;               // oldest first
    std::vector<std::uint32_t> inbound_streams;  // by ProtocolIndex
    std::uint64_t bytes_in = 0;                  // of links that are gone
    std::uint64_t bytes_out = 0;
    std::uint32_t pushes_left = 0;
    Mono pushes_filled{};
  };
  struct Stream {
    SimLinkRef link;
    std::uint32_t number = 0;
    host::PeerSlot peer;
    host::ProtocolIndex protocol = 0;
    bool linked : 1 = false;  // false: nothing can be sent or comes any more
    bool inbound : 1 = false;
    bool waiting : 1 = false;  // we opened it, and nobody took it yet
    bool named : 1 = false;    // the frame that opens it has been sent
    bool close_asked : 1 = false;
    bool end_sent : 1 = false;
    bool end_received : 1 = false;
    bool muted : 1 = false;     // we reset it
    bool in_ready : 1 = false;  // is in its side's list of streams to send
    bool messages : 1 = false;  // framing
    host::Priority ready_as = host::Priority::normal;
    host::StreamSlot next_ready;
    FramePool::List queue;       // what it has to send, in order
    std::uint32_t queued = 0;    // bytes
    std::uint32_t refused = 0;   // bytes of the message that waits for room; 0: none
    std::uint32_t credit = 0;    // what we may still send
    std::uint32_t window = 0;    // what they may have under way
    std::uint32_t consumed = 0;  // of it, not given back yet
    std::uint32_t message_max = 0;
    host::Protocol* handler = nullptr;
    std::string_view id;
    std::unique_ptr<host::MessageAssembler> assembler;  // raw bytes under a message protocol
  };

  // Links and peers (sim_host_links.cpp).
  void on_alarm(Now now) override;
  void apply(host::DialEffects& effects);
  void start_dial(const host::DialStart& start);
  void on_hop(SimLinkRef ref, SimLink::Side& side, const Frame& frame);
  void on_syn(SimLinkRef ref, SimLink::Side& side);
  bool on_secured(SimLinkRef ref, SimLink::Side& side);
  void on_facts(SimLinkRef ref, SimLink::Side& side, const Frame& frame);
  void send_hop(SimLinkRef ref, SimLink::Side& side, std::uint8_t hop);
  void take_facts(Peer& peer, const SimFacts& facts);
  bool take_push(Peer& peer);
  void announce();  // our facts changed
  void push_facts();
  boost::intrusive_ptr<const SimFacts> own_facts();
  void leave_peer(SimLinkRef ref, SimLink::Side& side);

  // Streams (sim_host_streams.cpp).
  const host::ProtocolSpec& spec_of(const Stream& stream) const;
  void take_protocol(Stream& stream, host::ProtocolIndex protocol) const;
  void enqueue(host::StreamSlot slot, Stream& stream, Bytes message, host::Priority priority);
  void make_ready(host::StreamSlot slot, Stream& stream);
  void forget_ready(host::StreamSlot slot, Stream& stream);
  host::StreamSlot pop_ready(SimLink::Ready& ready);
  std::uint32_t take_frame(host::StreamSlot slot, Stream& stream);
  void look_for_room(host::StreamSlot slot, Stream& stream);
  void on_stream_frame(SimLinkRef ref, SimLink::Side& side, Frame& frame);
  void on_open(SimLinkRef ref, SimLink::Side& side, const Frame& frame);
  void on_data(host::StreamSlot slot, Stream& stream, Frame& frame);
  void consume(Stream& stream, std::size_t bytes);
  void finish_if_ended(host::StreamSlot slot, Stream& stream);
  void kill(host::StreamSlot slot, Error error);
  void unlink(host::StreamSlot slot, Stream& stream, std::optional<Error> error);
  void send_about(const Stream& stream, FrameKind kind, std::uint32_t payload = 0);

  // Events to protocols (sim_host.cpp).
  void emit(host::HostEvent event);
  void deliver_all();
  bool deliver_at_once(SimLink::Side& side, Frame& frame);
  void deliver_one(Now now, host::HostEvent& event);
  void deliver_data(Now now, host::StreamData& event);
  void deliver_stream(Now now, host::HostEvent& event);

  SimHostConfig config_;
  SimHosts& hosts_;
  NodeIndex node_;
  Loop& loop_;
  host::ByteBudget budget_;
  host::ProtocolRegistry registry_;
  std::vector<host::Protocol*> listeners_;  // those that hear of peers, each once
  Named named_;
  host::Admission admission_;
  host::Dialer dialer_;
  host::PeerStore store_;
  Slots<host::PeerSlot, Peer> peers_;
  std::map<PeerId, host::PeerSlot> by_id_;  // those that are not gone
  Slots<host::StreamSlot, Stream> streams_;
  std::map<host::AttemptSlot, SimLinkRef> attempts_;
  std::vector<SimLinkRef> links_;
  std::vector<host::HostEvent> events_;
  std::size_t events_read_ = 0;
  bool delivering_ = false;
  bool local_scheduled_ = false;
  bool stopped_ = false;
  boost::intrusive_ptr<const SimFacts> facts_;  // null: to be made anew
  PushAlarm push_alarm_{*this};
  bool push_armed_ = false;
};

}  // namespace kith::simnet
