// Attachment: carries EdilCore on Host, Gossip, Store, the pool and a store of objects. It decides
// nothing. Training runs on the pool in slices of kSliceWork, so that the pool's other users wait
// for one slice at most.
#pragma once

#include <map>
#include <memory>

#include "net/base/effect_queue.hpp"
#include "net/base/log.hpp"
#include "net/base/loop.hpp"
#include "services/edil/data_source.hpp"
#include "services/edil/edil_core.hpp"
#include "services/edil/objects.hpp"

namespace kith::edil {

inline constexpr std::uint64_t kSliceWork = 7'000'000;  // samples times parameters: about 20 ms
inline constexpr std::uint32_t kInboundStreamsMax = 8;  // of one peer

class Attachment final : private host::Protocol,
                         private gossip::TopicHandler,
                         private StoreSink,
                         private ObjectSink,
                         private Alarm {
 public:
  Attachment(std::string network_id, const crypto::Identity& identity, host::Host& host, Loop& loop,
             Store& store, gossip::Gossip& gossip, Objects& objects, Log& log, Rng rng);
  ~Attachment();

  void start(std::function<void(Result<void>)> ready);
  void run(RequestId request, Request what, Sink& sink);
  void cancel(RequestId request);
  Status status() const { return core_.status(); }

 private:
  void on_peer_ready(Now, host::PeerSlot, const host::PeerFacts&) override;
  void on_message(Now, host::StreamSlot, Bytes) override;
  void on_end(Now, host::StreamSlot) override;
  void on_closed(Now, host::StreamSlot, const Error*) override;
  gossip::Verdict on_judge(Now, gossip::TopicIndex, gossip::JudgeSlot,
                           const gossip::GossipMessage&) override;
  void on_message(Now, gossip::TopicIndex, const gossip::GossipMessage&) override {}
  void on_persisted(Now, std::uint64_t, Result<void>) override;
  void on_read(Now, std::uint64_t, Result<std::optional<Bytes>>) override {}
  void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>>, bool more) override;
  void on_put(Now, std::uint64_t, Result<Cid>) override;
  void on_got(Now, std::uint64_t, Result<Bytes>) override;
  void on_alarm(Now) override;

  void perform(Announce&);
  void perform(Publish&);
  void perform(Subscribe&);
  void perform(Unsubscribe&);
  void perform(Settle&);
  void perform(Verify&);
  void perform(LoadData&);
  void perform(DropData&);
  void perform(Train&);
  void perform(Measure&);
  void perform(Merge&);
  void perform(PutObject&);
  void perform(GetObject&);
  void perform(Commit&);
  void perform(Scan&);
  void perform(Ask&);
  void perform(StopAsking&);
  void perform(TellProgress&);
  void perform(TellDone&);
  void perform(TellReady&);
  template <class T>
  void on_pool(PoolClass kind, std::function<T()> work, std::function<void(T)> done);
  void train_on(const TaskId& task, const Cid& base, std::shared_ptr<Trainer> trainer,
                SharedWeights from, std::uint64_t samples_all);
  void publish(const std::string& topic, Bytes message);
  std::string topic_of(const TaskId& task) const;

  std::string network_id_;
  host::Host& host_;
  Loop& loop_;
  Store& store_;
  gossip::Gossip& gossip_;
  Objects& objects_;
  Log& log_;
  EdilCore core_;
  std::string protocol_id_;
  host::ProtocolIndex protocol_;
  std::string tasks_topic_;
  std::optional<gossip::TopicIndex> tasks_;
  std::map<TaskId, gossip::TopicIndex> topics_;
  std::map<gossip::TopicIndex, TaskId> of_topic_;
  std::map<TaskId, Samples> samples_;
  std::map<host::StreamSlot, std::uint64_t> questions_;  // to tags
  std::map<RequestId, Sink*> sinks_;
  std::function<void(Result<void>)> ready_;
  EffectQueue<Effect> effects_{
      loop_, [this](Effect& effect) { std::visit([this](auto& one) { perform(one); }, effect); },
      [this] { loop_.arm(*this, core_.next_deadline()); }};
};

}  // namespace kith::edil
