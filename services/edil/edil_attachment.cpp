// The fronts: what comes in. The effects, going out, are in edil_perform.cpp.
#include "services/edil/edil_attachment.hpp"

namespace kith::edil {

Attachment::Attachment(std::string network_id, const crypto::Identity& identity, host::Host& host,
                       Loop& loop, Store& store, gossip::Gossip& gossip, Objects& objects, Log& log,
                       Rng rng)
    : network_id_(std::move(network_id)),
      host_(host),
      loop_(loop),
      store_(store),
      gossip_(gossip),
      objects_(objects),
      log_(log),
      core_(identity, network_id_, store.family("edil"), std::move(rng)),
      protocol_id_("/kith/" + network_id_ + "/edil/1.0.0"),
      protocol_(0),
      tasks_topic_("/kith/" + network_id_ + "/edil/tasks/1.0.0") {
  host::ProtocolSpec spec;
  spec.ids = {protocol_id_};
  spec.message_bytes_max = schema::kEdilAnswerMax;
  spec.send_queue_bytes_max = 2 * schema::kEdilAnswerMax;
  spec.inbound_streams_per_peer_max = kInboundStreamsMax;
  protocol_ = host_.add_protocol(std::move(spec), *this);
}

Attachment::~Attachment() {
  loop_.arm(*this, kNever);
  store_.forget(*this);
  objects_.forget(*this);
}

void Attachment::start(std::function<void(Result<void>)> ready) {
  ready_ = std::move(ready);
  core_.start(effects_.out());
  effects_.carry_out_later();
}

void Attachment::run(RequestId request, Request what, Sink& sink) {
  sinks_[request] = &sink;
  core_.run(loop_.now(), request, std::move(what), effects_.out());
  effects_.carry_out_later();
}

void Attachment::cancel(RequestId request) {
  core_.cancel(request);
  sinks_.erase(request);
}

std::string Attachment::topic_of(const TaskId& task) const {
  return "/kith/" + network_id_ + "/edil/" + task_text(task) + "/1.0.0";
}

void Attachment::on_peer_ready(Now now, host::PeerSlot peer, const host::PeerFacts& facts) {
  if (!facts.speaks(protocol_id_)) return;
  core_.on_peer(now, peer, effects_.out());
  effects_.carry_out();
}

void Attachment::on_message(Now now, host::StreamSlot stream, Bytes message) {
  const auto asked = questions_.find(stream);
  if (asked == questions_.end()) {
    const auto question = schema::decode_edil_question(message);
    if (!question) return host_.reset(stream);
    host_.send(stream, schema::encode_edil_answer(core_.answer(*question)), host::Priority::bulk);
    return host_.close(stream);
  }
  const std::uint64_t tag = asked->second;
  questions_.erase(asked);
  core_.on_answer(now, tag, schema::decode_edil_answer(message), effects_.out());
  effects_.carry_out();
}

void Attachment::on_end(Now, host::StreamSlot stream) { host_.close(stream); }

void Attachment::on_closed(Now now, host::StreamSlot stream, const Error* error) {
  const auto asked = questions_.find(stream);
  if (asked == questions_.end()) return;
  const std::uint64_t tag = asked->second;
  questions_.erase(asked);
  core_.on_answer(now, tag, error != nullptr ? *error : fail(Errc::closed, "no answer"),
                  effects_.out());
  effects_.carry_out();
}

gossip::Verdict Attachment::on_judge(Now now, gossip::TopicIndex topic, gossip::JudgeSlot judge,
                                     const gossip::GossipMessage& message) {
  gossip::Verdict verdict = gossip::Verdict::ignore;
  if (tasks_ == topic) {
    verdict = core_.on_announced(now, judge, message.data, effects_.out());
  } else if (const auto task = of_topic_.find(topic); task != of_topic_.end()) {
    verdict = core_.on_message(now, task->second, judge, message.from, message.via, message.data,
                               effects_.out());
  }
  effects_.carry_out_later();
  return verdict;
}

void Attachment::on_persisted(Now now, std::uint64_t tag, Result<void> result) {
  if (!result) log_.warn("edil.not-stored", result.error().what);
  core_.on_persisted(now, tag, std::move(result), effects_.out());
  effects_.carry_out();
}

void Attachment::on_scanned(Now now, std::uint64_t, Result<std::vector<StoreEntry>> entries,
                            bool more) {
  core_.on_scanned(now, std::move(entries), more, effects_.out());
  effects_.carry_out();
}

void Attachment::on_put(Now now, std::uint64_t tag, Result<Cid> cid) {
  if (!cid) log_.warn("edil.model-not-stored", cid.error().what);
  core_.on_put(now, tag, std::move(cid), effects_.out());
  effects_.carry_out();
}

void Attachment::on_got(Now now, std::uint64_t tag, Result<Bytes> file) {
  core_.on_got(now, tag, std::move(file), effects_.out());
  effects_.carry_out();
}

void Attachment::on_alarm(Now now) {
  Listeners listeners;
  for (const TaskId& task : core_.joined()) {
    std::vector<host::PeerSlot> peers = gossip_.subscribers(topic_of(task));
    if (peers.size() > kListenersMax) peers.resize(kListenersMax);
    listeners.emplace(task, std::move(peers));
  }
  core_.on_tick(now, listeners, effects_.out());
  effects_.carry_out();
}

}  // namespace kith::edil
