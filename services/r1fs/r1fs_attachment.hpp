// Attachment: carries R1fsCore on Host, Gossip, Routing, Exchange, Store and the pool. It decides
// nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "net/base/effect_queue.hpp"
#include "net/base/log.hpp"
#include "net/base/loop.hpp"
#include "services/r1fs/exchange.hpp"
#include "services/r1fs/file_io.hpp"
#include "services/r1fs/r1fs_core.hpp"

namespace kith::r1fs {

struct R1fsConfig {
  std::string network_id;
  Quota quota;
  bool keep_for_others = true;
};

class Attachment final : public R1fs,
                         public BlockSupplier,
                         private host::Protocol,
                         private gossip::TopicHandler,
                         private BlockSink,
                         private dht::RoutingSink,
                         private StoreSink,
                         private Alarm {
 public:
  Attachment(R1fsConfig config, host::Host& host, Loop& loop, Store& store, gossip::Gossip& gossip,
             dht::Routing& routing, Exchange& exchange, Log& log);
  ~Attachment();

  // Loads what the store holds; then takes part in the chunk topic.
  void start(std::function<void(Result<void>)> ready);

  void add(RequestId request, AddFile what, FileSink& sink) override;
  void get(RequestId request, GetFile what, FileSink& sink) override;
  void list(RequestId request, FileSink& sink) override;
  void stat(RequestId request, const Cid& cid, FileSink& sink) override;
  void remove(RequestId request, const Cid& cid, FileSink& sink) override;
  void cancel(RequestId request) override;
  StorageStatus storage() const override { return core_.storage(); }

  std::optional<std::size_t> size(const Cid& cid) const override;
  void read(const Cid& cid, std::uint64_t tag) override;

 private:
  // Host: the stream on which peers ask each other who holds a file, and connections to providers.
  void on_message(Now, host::StreamSlot, Bytes) override;
  void on_end(Now, host::StreamSlot) override;
  void on_closed(Now, host::StreamSlot, const Error*) override;
  void on_connected(Now, RequestId, Result<host::PeerSlot>) override;
  // Gossip.
  gossip::Verdict on_judge(Now, gossip::TopicIndex, gossip::JudgeSlot,
                           const gossip::GossipMessage&) override;
  void on_message(Now, gossip::TopicIndex, const gossip::GossipMessage&) override {}
  // Exchange.
  void on_block(Now, SessionSlot, const Cid&, Bytes, const PeerId&) override;
  void on_unavailable(Now, SessionSlot, const Cid&) override;
  // Routing.
  void on_routing_progress(Now, RequestId, const dht::RoutingProgress&) override;
  void on_routing_done(Now, RequestId, Result<dht::RoutingAnswer>) override;
  // Store.
  void on_persisted(Now, std::uint64_t, Result<void>) override;
  void on_read(Now, std::uint64_t, Result<std::optional<Bytes>>) override;
  void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>>, bool more) override;
  void on_alarm(Now) override;

  void perform(Effect& effect);
  void perform(OpenInput&);
  void perform(ReadInput&);
  void perform(CloseInput&);
  void perform(OpenOutput&);
  void perform(WriteOutput&);
  void perform(FinishOutput&);
  void perform(AbortOutput&);
  void perform(Commit&);
  void perform(ReadStored&);
  void perform(ScanStored&);
  void perform(StartFetch&);
  void perform(FetchFrom&);
  void perform(FetchFromEveryone&);
  void perform(WantBlock&);
  void perform(EndFetch&);
  void perform(FindProviders&);
  void perform(ConnectProvider&);
  void perform(StopLooking&);
  void perform(PublishOffer&);
  void perform(SettleOffer&);
  void perform(ProvideRoot&);
  void perform(UnprovideRoot&);
  void perform(AskHolds&);
  void perform(AnnounceHeld&);
  void perform(TellProgress&);
  void perform(TellDone&);
  void perform(TellReady&);
  // Runs `work` on the pool and `done(result)` on the loop, unless this is gone by then.
  template <class T>
  void on_pool(PoolClass kind, std::function<T()> work, std::function<void(T)> done);

  R1fsConfig config_;
  host::Host& host_;
  Loop& loop_;
  Store& store_;
  gossip::Gossip& gossip_;
  dht::Routing& routing_;
  Exchange& exchange_;
  Log& log_;
  R1fsCore core_;
  host::ProtocolIndex protocol_;
  std::string topic_name_;
  std::optional<gossip::TopicIndex> topic_;
  std::function<void(Result<void>)> ready_;
  std::map<RequestId, FileSink*> sinks_;
  std::map<RequestId, std::shared_ptr<InputFile>> inputs_;
  std::map<RequestId, std::shared_ptr<OutputFile>> outputs_;
  std::map<RequestId, Bytes> contents_;  // of gets into memory, until they are told
  std::map<FetchId, SessionSlot> sessions_;
  std::map<SessionSlot, FetchId> fetches_;
  std::map<RequestId, RequestId> lookups_;      // of the routing, to the file request
  std::map<RequestId, RequestId> connections_;  // of the host, to the file request
  struct Question {
    PeerId peer;
    Cid root;
  };
  std::map<host::StreamSlot, Question> questions_;
  std::map<std::uint64_t, std::uint64_t> serving_;  // store tags to the exchange's
  std::uint64_t numbers_ = 0;
  EffectQueue<Effect> effects_{loop_, [this](Effect& effect) { perform(effect); },
                               [this] { loop_.arm(*this, core_.next_deadline()); }};
};

}  // namespace kith::r1fs
