// Attachment: carries CstoreCore on Host, Gossip, Store and the pool, signs and verifies. It
// decides nothing, but refuses what would be more than kServesMax pages under way.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "net/base/effect_queue.hpp"
#include "net/base/log.hpp"
#include "net/base/loop.hpp"
#include "net/crypto/identity.hpp"
#include "services/cstore/cstore_core.hpp"

namespace kith::cstore {

inline constexpr std::size_t kServesMax = 64;  // pages that are read from the store

struct CstoreConfig {
  std::string network_id;
};

class Attachment final : private host::Protocol, private StoreSink, private Alarm {
 public:
  Attachment(CstoreConfig config, host::Host& host, Loop& loop, Store& store,
             gossip::Gossip& gossip, const crypto::Identity& identity, Log& log, Rng rng);
  ~Attachment();
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  // Loads what the store holds; then takes part in the namespaces' topics.
  void start(std::function<void(Result<void>)> ready);
  void run(RequestId request, Request what, Sink& sink);
  void cancel(RequestId request);
  Status status() const { return core_.status(); }

 private:
  // One namespace's topic.
  struct Topic final : gossip::TopicHandler {
    Topic(Attachment& a, SpaceIndex i, std::string n) : owner(a), index(i), name(std::move(n)) {}
    gossip::Verdict on_judge(Now, gossip::TopicIndex, gossip::JudgeSlot,
                             const gossip::GossipMessage&) override;
    void on_message(Now, gossip::TopicIndex, const gossip::GossipMessage&) override {}
    Attachment& owner;
    SpaceIndex index;
    std::string name;
    std::optional<gossip::TopicIndex> topic;  // none: somebody else has it for now
  };
  // A page that is being read for an asker.
  struct Serving {
    host::StreamSlot stream;
    schema::KvPage page;
    std::vector<Bytes> keys;
    std::uint32_t rereads = 0;  // of the next key
    bool open = true;
  };

  void on_peer_ready(Now, host::PeerSlot, const host::PeerFacts&) override;
  void on_peer_gone(Now, host::PeerSlot) override;
  void on_message(Now, host::StreamSlot, Bytes) override;
  void on_end(Now, host::StreamSlot) override;
  void on_closed(Now, host::StreamSlot, const Error*) override;
  void on_persisted(Now, std::uint64_t, Result<void>) override;
  void on_read(Now, std::uint64_t, Result<std::optional<Bytes>>) override;
  void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>>, bool more) override;
  void on_alarm(Now) override;

  void perform(JoinTopic&);
  void perform(Commit&);
  void perform(Scan&);
  void perform(Seal&);
  void perform(Verify&);
  void perform(Publish&);
  void perform(Settle&);
  void perform(AskHolders&);
  void perform(SendAsk&);
  void perform(EndPull&);
  void perform(Serve&);
  void perform(Refuse&);
  void perform(TellProgress&);
  void perform(TellDone&);
  void perform(TellReady&);
  void subscribe(Topic& topic);
  void perform(TellDamaged&);
  void read_on(std::uint64_t serve);
  bool take_read(Serving& serving, const Bytes& value);
  void answer(Serving& serving);

  CstoreConfig config_;
  host::Host& host_;
  Loop& loop_;
  Store& store_;
  gossip::Gossip& gossip_;
  const crypto::Identity& identity_;
  Log& log_;
  CstoreCore core_;
  std::string domain_;
  std::string protocol_name_;
  host::ProtocolIndex protocol_ = 0;
  std::function<void(Result<void>)> ready_;
  std::map<RequestId, Sink*> sinks_;
  std::vector<std::unique_ptr<Topic>> topics_;       // by SpaceIndex
  std::map<host::StreamSlot, std::uint64_t> asks_;   // ours, without their answer, to the pull
  std::map<std::uint64_t, host::StreamSlot> pulls_;  // the other way
  std::map<std::uint64_t, Serving> serving_;         // by the store's tag
  std::uint64_t serves_ = 0;
  EffectQueue<Effect> effects_{
      loop_, [this](Effect& effect) { std::visit([this](auto& one) { perform(one); }, effect); },
      [this] { loop_.arm(*this, core_.next_deadline()); }};
};

}  // namespace kith::cstore
