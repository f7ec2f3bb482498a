// ExchangeAttachment: carries the exchange's core on Host. It decides nothing: messages in, effects
// out.
//
// Two outbound streams a peer: wants and presences on one (normal), blocks on the other (bulk), so
// that a request never waits behind a megabyte. Inbound streams of any kind are taken; a peer that
// opens one per message is served too. A stream that a peer has ended on its side is still ours to
// write on; one that was idle is left for a new one.
#pragma once

#include <map>
#include <memory>

#include "net/base/effect_queue.hpp"
#include "net/base/log.hpp"
#include "net/base/loop.hpp"
#include "services/r1fs/exchange_core.hpp"

namespace kith::r1fs {

class ExchangeAttachment final : public Exchange, private host::Protocol, private Alarm {
 public:
  ExchangeAttachment(host::Host& host, Loop& loop, Log& log);
  ~ExchangeAttachment();
  // Before the first event.
  void set_supplier(BlockSupplier& supplier) { supplier_ = &supplier; }

  SessionSlot open(BlockSink& sink, host::Priority priority) override;
  void add_peer(SessionSlot session, host::PeerSlot peer) override;
  void ask_everyone(SessionSlot session) override;
  void want(SessionSlot session, const Cid& cid, std::size_t bytes) override;
  void cancel(SessionSlot session, const Cid& cid) override;
  void close(SessionSlot session) override;
  void announce_held(const Cid& cid) override;
  void on_block_read(std::uint64_t tag, Result<Bytes> data) override;
  ExchangeCounters counters() const override { return core_.counters(); }

 private:
  struct Outbound {
    host::StreamSlot slot;
    Mono busy_at{};  // when something was last sent, or waiting
  };
  struct Streams {
    Outbound normal;
    Outbound bulk;
  };
  void on_peer_ready(Now, host::PeerSlot, const host::PeerFacts&) override;
  void on_peer_changed(Now, host::PeerSlot, const host::PeerFacts&) override;
  void on_peer_gone(Now, host::PeerSlot) override;
  void on_message(Now, host::StreamSlot, Bytes) override;
  void on_end(Now, host::StreamSlot) override;
  void on_closed(Now, host::StreamSlot, const Error*) override;
  void on_writable(Now, host::StreamSlot) override;
  void on_send_refused(Now, host::StreamSlot, std::uint64_t) override;
  void on_alarm(Now) override;

  HeldBlocks held() const;
  void perform(ExchangeEffect& effect);
  void send(SendMessage& message);
  void verify(VerifyBlock& effect);

  host::Host& host_;
  Loop& loop_;
  Log& log_;
  host::ProtocolIndex protocol_;
  BlockSupplier* supplier_ = nullptr;
  ExchangeCore core_;
  std::map<SessionSlot, BlockSink*> sinks_;
  std::map<host::PeerSlot, Streams> streams_;
  std::map<host::StreamSlot, host::PeerSlot> owners_;  // of our outbound streams
  EffectQueue<ExchangeEffect> effects_{loop_, [this](ExchangeEffect& effect) { perform(effect); },
                                       [this] { loop_.arm(*this, core_.next_deadline()); }};
};

}  // namespace kith::r1fs
