// The effects of EdilCore, each on the interface that it is for.
#include <algorithm>

#include "services/edil/edil_attachment.hpp"

namespace kith::edil {

template <class T>
void Attachment::on_pool(PoolClass kind, std::function<T()> work, std::function<void(T)> done) {
  auto result = std::make_shared<std::optional<T>>();
  loop_.offload(
      kind, [result, work = std::move(work)] { result->emplace(work()); },
      [this, alive = effects_.alive(), result, done = std::move(done)] {
        if (!*alive) return;
        done(std::move(**result));
        effects_.carry_out();
      });
}

void Attachment::publish(const std::string& topic, Bytes message) {
  if (auto sent = gossip_.publish(topic, std::move(message)); !sent)
    log_.debug("edil.not-published", sent.error().what);
}

void Attachment::perform(Announce& effect) { publish(tasks_topic_, std::move(effect.message)); }
void Attachment::perform(Publish& effect) {
  publish(topic_of(effect.task), std::move(effect.message));
}

void Attachment::perform(Subscribe& effect) {
  const auto topic = gossip_.subscribe(topic_of(effect.task), *this);
  if (!topic) return log_.warn("edil.not-subscribed", topic.error().what);
  topics_[effect.task] = *topic;
  of_topic_[*topic] = effect.task;
}

void Attachment::perform(Unsubscribe& effect) {
  const auto at = topics_.find(effect.task);
  if (at == topics_.end()) return;
  gossip_.unsubscribe(at->second);
  of_topic_.erase(at->second);
  topics_.erase(at);
}

void Attachment::perform(Settle& effect) { gossip_.settle(effect.judge, effect.verdict); }

void Attachment::perform(Verify& effect) {
  on_pool<bool>(
      PoolClass::signatures,
      [network = network_id_, checks = std::move(effect.checks)] {
        return std::all_of(checks.begin(), checks.end(),
                           [&](const Check& check) { return holds(network, check); });
      },
      [this, tag = effect.tag](bool hold) {
        core_.on_verified(loop_.now(), tag, hold, effects_.out());
      });
}

void Attachment::perform(LoadData& effect) {
  on_pool<Result<Samples>>(
      PoolClass::hashing, [what = effect] { return load_samples(what); },
      [this, task = effect.task, tag = effect.tag](Result<Samples> samples) {
        Result<std::uint32_t> count = 0u;
        if (samples)
          count = static_cast<std::uint32_t>(samples->train->samples());
        else
          count = samples.error();
        if (core_.on_data(loop_.now(), task, tag, std::move(count), effects_.out()))
          samples_[task] = std::move(*samples);
      });
}

void Attachment::perform(DropData& effect) { samples_.erase(effect.task); }

void Attachment::perform(Train& effect) {
  const auto samples = samples_.find(effect.task);
  if (samples == samples_.end()) return;
  const SharedDataset data = samples->second.train;
  const std::uint64_t all = std::uint64_t{effect.plan.epochs} * data->samples();
  train_on(effect.task, effect.base, std::make_shared<Trainer>(effect.plan, data, *effect.weights),
           effect.weights, all);
}

// One slice; then the pool is free for others before the next.
void Attachment::train_on(const TaskId& task, const Cid& base, std::shared_ptr<Trainer> trainer,
                          SharedWeights from, std::uint64_t samples_all) {
  const auto slice =
      static_cast<std::size_t>(std::max<std::uint64_t>(32, kSliceWork / from->size()));
  on_pool<std::optional<Bytes>>(
      PoolClass::hashing,
      [trainer, from, slice]() -> std::optional<Bytes> {
        if (!trainer->step(slice)) return std::nullopt;
        return quantise(*from, trainer->weights());
      },
      [this, task, base, trainer, from, samples_all](std::optional<Bytes> payload) {
        const auto samples = samples_.find(task);
        if (samples == samples_.end()) return;
        if (!payload) return train_on(task, base, trainer, from, samples_all);
        Trained trained{std::move(*payload),
                        static_cast<std::uint32_t>(samples->second.train->samples()), samples_all};
        core_.on_trained(loop_.now(), task, base, std::move(trained), effects_.out());
      });
}

void Attachment::perform(Measure& effect) {
  SharedDataset held_out;
  const auto samples = samples_.find(effect.task);
  if (samples != samples_.end()) held_out = samples->second.held_out;
  const bool drawn = samples == samples_.end() && effect.digits;
  on_pool<Accuracy>(
      PoolClass::hashing,
      [held_out, drawn, shape = effect.shape, weights = effect.weights] {
        const SharedDataset with = drawn ? held_out_digits() : held_out;
        if (!with) return Accuracy{};
        return Accuracy{count_right(shape, *weights, *with), with->samples()};
      },
      [this, task = effect.task, model = effect.model](Accuracy accuracy) {
        core_.on_measured(loop_.now(), task, model, accuracy, effects_.out());
      });
}

void Attachment::perform(Merge& effect) {
  on_pool<Merged>(
      PoolClass::hashing,
      [head = std::move(effect.head), updates = std::move(effect.updates)]() mutable {
        Aggregate sum(head.weights->size());
        for (const Counted& one : updates) sum.add(one.payload, one.samples);
        head.weights = std::make_shared<Weights>(sum.apply(*head.weights));
        Bytes file = encode_model(head);
        const Cid cid = cid_of_file(file);
        return Merged{head.weights, std::move(file), cid};
      },
      [this, task = effect.task, tag = effect.tag](Merged merged) {
        core_.on_merged(loop_.now(), task, tag, std::move(merged), effects_.out());
      });
}

void Attachment::perform(PutObject& effect) {
  objects_.put(effect.tag, std::move(effect.content), std::move(effect.name), *this);
}
void Attachment::perform(GetObject& effect) { objects_.get(effect.tag, effect.cid, *this); }

void Attachment::perform(Commit& effect) {
  store_.commit(std::move(effect.batch), effect.durability, *this, effect.tag);
}
void Attachment::perform(Scan& effect) {
  StoreScan scan;
  scan.family = store_.family("edil");
  scan.from = std::move(effect.from);
  store_.scan(std::move(scan), *this, 0);
}

void Attachment::perform(Ask& effect) {
  const host::PeerFacts* facts = host_.facts(effect.peer);
  if (facts == nullptr || !facts->speaks(protocol_id_)) {
    core_.on_answer(loop_.now(), effect.tag, fail(Errc::closed, "the peer is gone"),
                    effects_.out());
    return effects_.carry_out_later();
  }
  const host::StreamSlot stream =
      host_.open(effect.peer, protocol_, schema::encode_edil_question(effect.question));
  questions_[stream] = effect.tag;
  host_.close(stream);
}

void Attachment::perform(StopAsking& effect) {
  const auto asked = std::find_if(questions_.begin(), questions_.end(),
                                  [&](const auto& one) { return one.second == effect.tag; });
  if (asked == questions_.end()) return;
  const host::StreamSlot stream = asked->first;
  questions_.erase(asked);
  host_.reset(stream);
}

void Attachment::perform(TellProgress& effect) {
  if (const auto sink = sinks_.find(effect.request); sink != sinks_.end())
    sink->second->on_edil_progress(loop_.now(), effect.request, effect.progress);
}
void Attachment::perform(TellDone& effect) {
  const auto at = sinks_.find(effect.request);
  if (at == sinks_.end()) return;
  Sink* sink = at->second;
  sinks_.erase(at);
  sink->on_edil_done(loop_.now(), effect.request, std::move(effect.answer));
}
void Attachment::perform(TellReady& effect) {
  if (effect.result) {
    const auto topic = gossip_.subscribe(tasks_topic_, *this);
    if (topic) tasks_ = *topic;
    for (const host::PeerStatus& peer : host_.peers())
      if (peer.facts.speaks(protocol_id_)) core_.on_peer(loop_.now(), peer.slot, effects_.out());
    effects_.carry_out_later();
  }
  if (ready_) std::exchange(ready_, nullptr)(std::move(effect.result));
}

}  // namespace kith::edil
