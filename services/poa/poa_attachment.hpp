// Attachment: carries PoaCore on Host, Gossip, Store and the loop, and signs and verifies
// statements. It decides nothing.
#pragma once

#include <map>
#include <memory>

#include "dht/reach.hpp"
#include "net/base/effect_queue.hpp"
#include "net/base/log.hpp"
#include "net/base/loop.hpp"
#include "net/crypto/identity.hpp"
#include "services/poa/poa_core.hpp"

namespace kith::poa {

struct PoaConfig {
  std::string network_id;
  Timing timing;
  Capacity machine;  // without the free space, which the store knows
  bool beat = true;
};

class Attachment final : public Poa,
                         private host::Protocol,
                         private dht::ReachSink,
                         private gossip::TopicHandler,
                         private StoreSink,
                         private Alarm {
 public:
  Attachment(PoaConfig config, host::Host& host, Loop& loop, Store& store, gossip::Gossip& gossip,
             dht::Reach& reach, const crypto::Identity& identity, Log& log, Rng rng);
  ~Attachment() override;
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  void start(std::function<void(Result<void>)> ready) override;
  void stop() override;
  void run(RequestId request, Request what, Sink& sink) override;
  void cancel(RequestId request) override;
  Status status() const override { return core_.status(); }
  const PoaCore& core() const { return core_; }

 private:
  void on_message(Now, host::StreamSlot, Bytes) override;
  void on_end(Now, host::StreamSlot) override;
  void on_closed(Now, host::StreamSlot, const Error*) override;
  void on_reached(Now, RequestId, Result<host::PeerSlot>) override;
  void on_peer_gone(Now, host::PeerSlot) override;
  gossip::Verdict on_judge(Now, gossip::TopicIndex, gossip::JudgeSlot,
                           const gossip::GossipMessage&) override;
  void on_message(Now, gossip::TopicIndex, const gossip::GossipMessage&) override {}
  void on_persisted(Now, std::uint64_t, Result<void>) override;
  void on_read(Now, std::uint64_t, Result<std::optional<Bytes>>) override {}
  void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>>, bool more) override;
  void on_alarm(Now) override;

  void perform(PublishBeat&);
  void perform(Commit&);
  void perform(ScanStored&);
  void perform(GiveStatement&);
  void perform(RefuseQuestion&);
  void perform(ConnectOwner&);
  void perform(AskPage&);
  void perform(CheckSignature&);
  void perform(EndAsking&);
  void perform(TellProgress&);
  void perform(TellDone&);
  void perform(TellReady&);
  void perform(Warn&);
  Capacity capacity() const;

  PoaConfig config_;
  host::Host& host_;
  Loop& loop_;
  Store& store_;
  gossip::Gossip& gossip_;
  dht::Reach& reach_;
  const crypto::Identity& identity_;
  Log& log_;
  std::string topic_;
  std::string domain_;  // of signed statements
  PoaCore core_;
  host::ProtocolIndex protocol_;
  std::function<void(Result<void>)> ready_;
  std::map<RequestId, Sink*> sinks_;
  std::map<host::StreamSlot, RequestId> questions_;
  std::map<RequestId, RequestId> connections_;  // by Reach's number, to the request
  EffectQueue<Effect> effects_{
      loop_, [this](Effect& effect) { std::visit([this](auto& one) { perform(one); }, effect); },
      [this] { loop_.arm(*this, core_.next_deadline(loop_.now().mono)); }};
};

}  // namespace kith::poa
