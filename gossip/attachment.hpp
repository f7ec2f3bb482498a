// Attachment: Gossip over a Host. It feeds the router with what the host says, carries out the
// router's effects, signs and verifies, and asks the topics' handlers. It decides nothing about
// gossip, and is the same over sockets and in the simulator.
//
// Streams: two a peer, each in one direction. Ours opens with the first RPC (its hello, when we
// have subscriptions) and is only written; theirs is only read, and a second one of theirs
// replaces the first. Ours is opened again when it dies, kReopensMax times within kReopenTime; then
// the peer is left alone until it connects again. (One that loses its power twice in a minute is
// back before its old connections are known to be dead: it must still be told our topics.)
//
// Effects run from a queue, after the router has returned: a handler may call back into Gossip.
#pragma once

#include <deque>

#include "gossip/router.hpp"
#include "gossip/seqno_source.hpp"
#include "net/base/log.hpp"
#include "net/base/loop.hpp"
#include "net/base/slot_map.hpp"
#include "net/crypto/identity.hpp"
#include "net/host/host.hpp"

namespace kith::gossip {

inline constexpr Duration kReopenTime = 60s;
inline constexpr std::uint32_t kReopensMax = 4;      // within it
inline constexpr std::size_t kHeldMessagesMax = 64;  // ours, until their numbers are durable
inline constexpr std::size_t kSendQueueBytesMax = 1u << 20;  // per peer

class Attachment final : public Gossip,
                         private host::Protocol,
                         private Alarm,
                         private SeqnoListener {
 public:
  // `config.self` is taken from the identity. `store` may be null (SeqnoSource); so may `outlines`,
  // which only a simulation has. All references
  // outlive this; so does this the host (Host::add_protocol).
  Attachment(RouterConfig config, host::Host& host, Loop& loop, const crypto::Identity& identity,
             Store* store, Log& log, Rng rng,
             crypto::Signatures& signatures = crypto::direct_signatures(),
             std::shared_ptr<Outlines> outlines = nullptr);
  ~Attachment() override;
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  Result<TopicIndex> subscribe(std::string topic, TopicHandler& handler, bool loopback) override;
  void unsubscribe(TopicIndex topic) override;
  void settle(JudgeSlot message, Verdict verdict) override;
  Result<Bytes> publish(std::string_view topic, Bytes data) override;
  std::vector<host::PeerSlot> mesh(TopicIndex topic) const override;
  std::vector<host::PeerSlot> subscribers(std::string_view topic) const override;
  std::vector<TopicView> topics() const override;
  const Counters& counters() const { return router_.counters(); }
  bool in_mesh(host::PeerSlot peer) const { return router_.in_mesh(peer); }  // of any topic

 private:
  struct Link {
    host::StreamSlot out;  // none until there is something to send
    host::StreamSlot in;
    std::optional<Mono> died;    // when the first `out` of this kReopenTime did
    std::uint32_t reopened = 0;  // since then
  };
  struct Held {
    std::string topic;
    Message message;
  };

  void on_peer_ready(Now, host::PeerSlot, const host::PeerFacts&) override;
  void on_peer_changed(Now, host::PeerSlot, const host::PeerFacts&) override;
  void on_peer_gone(Now, host::PeerSlot) override;
  void on_stream(Now, host::StreamSlot, host::PeerSlot, std::string_view protocol) override;
  void on_message(Now, host::StreamSlot, Bytes) override;
  void on_end(Now, host::StreamSlot) override;
  void on_closed(Now, host::StreamSlot, const Error*) override;
  void on_writable(Now, host::StreamSlot) override;
  void on_send_refused(Now, host::StreamSlot, std::uint64_t tag) override;
  void on_alarm(Now) override;
  void on_seqnos(Now, const Error*) override;

  // The link whose stream this is, in either direction, and its peer; null: none of ours any more.
  Link* link_of(host::StreamSlot stream, host::PeerSlot& peer);
  void on_out_lost(Now now, host::PeerSlot peer, Link& link);
  void drop_link(Now now, host::PeerSlot peer);
  void carry_out(Now now);
  void arm();
  void perform(Now now, SendRpc& effect);
  void perform(Now now, Verify& effect);
  void perform(Now now, Judge& effect);
  void perform(Now now, Deliver& effect);
  TopicHandler* handler(TopicIndex topic) const;

  host::Host& host_;
  Loop& loop_;
  const crypto::Identity& identity_;
  crypto::Signatures& signatures_;
  Log& log_;
  Router router_;
  SeqnoSource seqnos_;
  host::ProtocolIndex protocol_ = 0;
  SlotMap<TopicIndex, TopicHandler*> handlers_;
  SlotMap<host::PeerSlot, Link> links_;
  std::deque<Held> held_;
  Effects effects_;
  bool carrying_out_ = false;
  Mono armed_ = kNever;
};

}  // namespace kith::gossip
