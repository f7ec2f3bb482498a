// WireHost: the real Host, over any Transport: multistream-select, Noise, Yamux, identify.
//
// It is tables and dispatch; what is decided is decided elsewhere: Connection (one pipe's bytes),
// StreamTable (streams, framing), PeerTable (who is ready), Dialer (which address when), Admission
// (how many), PeerStore (addresses), IdentifyService.
//
// Rules
// * One turn: a call of the transport is handed to the machines; what follows for protocols is
//   delivered from the Turn's queue when they have returned; what is to be written leaves once, at
//   the end of the turn (an alarm that is due), however many commands there were. Commands from
//   outside of a turn start one. A Protocol may call anything from its handlers.
// * A pipe is written to while at most kPipeBacklogLow of it waits in the transport, so what is
//   urgent is never behind more than one write; bulk continues by on_writable.
// * Duplicate connections to a peer are kept, up to connections_per_peer_max; new streams use the
//   oldest. Neither side closes the other's idea of the right one.
// * A link whose peer is itself, or proves another id than dialled, or fails identify, is dropped.
//
// Threads: one loop. Loop, log and protocols outlive it, and hear nothing from its destructor. The
// transport outlives it too, and is destroyed before the loop runs again: its sink is gone. Who
// wants to say good-bye calls stop() and runs the loop until usage().links is 0.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/base/log.hpp"
#include "net/base/loop.hpp"
#include "net/base/rng.hpp"
#include "net/host/identify_service.hpp"
#include "net/host/peer_store.hpp"
#include "net/host/stream_table.hpp"

namespace kith::host {

struct HostConfig {
  const crypto::Identity& identity;  // outlives the host
  std::string agent = "kith";
  // The highest sequence number that an earlier run may have given to its signed peer record.
  std::uint64_t record_sequence_mark = 0;
  HostLimits limits = {};
};

// For status and tests: how full the tables are.
struct HostUsage {
  std::size_t links = 0;
  std::size_t unauthenticated = 0;
  std::size_t peers = 0;
  std::size_t streams = 0;
  std::size_t connects = 0;
  std::size_t dials = 0;
  std::size_t assembly_bytes = 0;
  std::size_t known_peers = 0;
  std::size_t identifies = 0;
  std::size_t events = 0;
};

class WireHost final : public Host,
                       private TransportSink,
                       private IdentifyDriver,
                       private LinkAlarmSink {
 public:
  WireHost(HostConfig config, Transport& transport, Loop& loop, Log& log, Rng rng);
  ~WireHost() override;
  WireHost(const WireHost&) = delete;
  WireHost& operator=(const WireHost&) = delete;

  // Errors are the transport's: in_use, permission, unsupported.
  Result<Multiaddr> listen(const Multiaddr& on);
  // Addresses beyond the transport's own: port mappings, relays. Told to peers by push.
  void set_external_addrs(std::vector<Multiaddr> addrs);
  // The transport's own changed (an interface came up).
  void addrs_changed();
  // Says good-bye to everybody and takes nobody new. Protocols hear that their peers are gone.
  void stop();
  HostUsage usage() const;
  std::vector<Multiaddr> observed_addrs() const { return peers_.observed(); }
  // Of the signed record that was sent last, to be persisted as the next run's mark.
  std::uint64_t record_sequence() const { return identify_.record_sequence(); }

  // --- Host
  const PeerId& self() const override { return config_.identity.id(); }
  std::vector<Multiaddr> listen_addrs() const override;
  ProtocolIndex add_protocol(ProtocolSpec spec, Protocol& protocol) override;
  void set_serving(ProtocolIndex protocol, bool serve) override;
  std::vector<std::string> served_protocols() const override { return registry_.served(); }
  void connect(ProtocolIndex who, RequestId request, const PeerId& id,
               std::span<const Multiaddr> addrs) override;
  void disconnect(PeerSlot peer) override;
  bool busy(PeerSlot peer) const override { return streams_.busy(peer); }
  std::optional<PeerSlot> find_peer(const PeerId& id) const override;
  const PeerFacts* facts(PeerSlot peer) const override;
  std::vector<PeerStatus> peers() const override { return peers_.status(); }
  void learn_addrs(const PeerId& id, std::span<const Multiaddr> addrs, Duration lifetime) override;
  void keep_addrs(const PeerId& id, Duration lifetime) override;
  std::vector<Multiaddr> known_addrs(const PeerId& id) const override;
  StreamSlot open(PeerSlot peer, ProtocolIndex protocol, Bytes first, Priority priority) override;
  void send(StreamSlot stream, Bytes message, Priority priority, std::uint64_t tag) override;
  std::size_t queued_bytes(StreamSlot stream) const override;
  void release(StreamSlot stream, std::size_t bytes) override;
  void close(StreamSlot stream) override;
  void reset(StreamSlot stream) override;
  std::optional<PeerSlot> peer_of(StreamSlot stream) const override;

 private:
  using Handler = void (WireHost::*)(Now);
  template <Handler handler>
  class AlarmFor final : public Alarm {
   public:
    explicit AlarmFor(WireHost& host) : host_(host) {}
    void on_alarm(Now now) override { (host_.*handler)(now); }

   private:
    WireHost& host_;
  };

  // --- TransportSink (wire_host_links.cpp)
  void on_accept(Now, PipeSlot, const Multiaddr& local, const Multiaddr& remote) override;
  void on_dialed(Now, PipeSlot, const Multiaddr& local, const Multiaddr& remote) override;
  void on_dial_failed(Now, PipeSlot, Error) override;
  void on_data(Now, PipeSlot, Bytes) override;
  void on_writable(Now, PipeSlot) override;
  void on_end(Now, PipeSlot) override;
  void on_closed(Now, PipeSlot, Error) override;
  // --- LinkAlarmSink
  void on_link_alarm(Now now, Link& link) override;
  // --- IdentifyDriver (wire_host_peers.cpp)
  StreamSlot open_on_link(LinkSlot link, ProtocolIndex protocol) override;
  Link* link_of(StreamSlot stream) override;
  const PeerId* proven_id(LinkSlot link) const override;
  wire::IdentifySelf identify_self() const override;
  std::vector<LinkSlot> push_targets() const override;
  void on_identified(Now now, LinkSlot link, wire::IdentifyFacts facts) override;
  void on_identify_failed(Now now, LinkSlot link, Error error) override;
  bool take_push(Now now, LinkSlot link) override;
  void on_pushed(Now now, LinkSlot link, wire::IdentifyFacts facts) override;

  // --- links (wire_host_links.cpp)
  Link& add_link(PipeSlot pipe, Admission::Ticket ticket, const Multiaddr& remote);
  Link* link_on(PipeSlot pipe);
  Link* find_link(LinkSlot slot) const;
  void erase_link(Link& link);
  void start_connection(Now now, Link& link);
  void apply(Now now, Link& link, ConnectionEffects& effects);
  void on_opened(Now now, Link& link);
  void lose(Now now, Link& link, const Error& error);
  void flush(Now now, Link& link);
  void arm(Now now, Link& link);
  void update_door();
  void log_lost(const Link& link, const Error& error);

  // --- dialling (wire_host_peers.cpp)
  void apply(Now now, DialEffects& effects);
  void start_dial(Now now, const DialStart& start);
  void on_dial_alarm(Now now);
  std::vector<Multiaddr> usable_addrs(const PeerId& id, std::span<const Multiaddr> addrs,
                                      std::vector<std::string>& unusable) const;
  void learn_identified(Now now, const PeerId& id, const wire::IdentifyFacts& facts);

  // --- the turn (wire_host_turn.cpp)
  void schedule();
  void on_turn_end(Now now);
  void deliver(Now now);
  void deliver_one(Now now, HostEvent& event);
  void deliver_data(Now now, StreamData& event);
  void deliver_stream(Now now, HostEvent& event);

  HostConfig config_;
  Transport& transport_;
  Loop& loop_;
  Log& log_;
  Rng rng_;
  wire::NoiseStatic noise_;
  ByteBudget budget_;
  Turn turn_;
  ProtocolRegistry registry_;
  std::vector<Protocol*> listeners_;  // those that hear of peers, each once
  Admission admission_;
  Dialer dialer_;
  PeerStore store_;
  PeerTable peers_;
  StreamTable streams_;
  IdentifyService identify_;
  Slots<LinkSlot, std::unique_ptr<Link>> links_;
  std::vector<LinkSlot> by_pipe_;     // by index of the PipeSlot
  std::vector<LinkSlot> by_attempt_;  // by index of the AttemptSlot
  std::vector<Multiaddr> external_;
  AlarmFor<&WireHost::on_dial_alarm> dial_alarm_{*this};
  AlarmFor<&WireHost::on_turn_end> turn_alarm_{*this};
  std::vector<LinkSlot> flushing_;  // scratch
  ConnectionEffects effects_;       // scratch
  bool scheduled_ = false;
  bool delivering_ = false;
  bool door_open_ = true;
  bool stopped_ = false;
};

}  // namespace kith::host
