#include "services/cstore/cstore_attachment.hpp"

#include "net/base/check.hpp"
#include "net/crypto/signing.hpp"

namespace kith::cstore {
namespace {

CoreConfig core_config(const host::Host& host, const Store& store) {
  CoreConfig config;
  config.self = host.self();
  config.families = {store.family("cstore_meta"), store.family("cstore_log")};
  return config;
}

}  // namespace

Attachment::Attachment(CstoreConfig config, host::Host& host, Loop& loop, Store& store,
                       gossip::Gossip& gossip, const crypto::Identity& identity, Log& log, Rng rng)
    : config_(std::move(config)),
      host_(host),
      loop_(loop),
      store_(store),
      gossip_(gossip),
      identity_(identity),
      log_(log),
      core_(core_config(host, store), std::move(rng)),
      domain_("kith/" + config_.network_id + "/cstore/batch/1"),
      protocol_name_("/kith/" + config_.network_id + "/cstore/1.0.0") {
  host::ProtocolSpec spec;
  spec.ids = {protocol_name_};
  spec.message_bytes_max = schema::kKvStreamBytesMax;
  spec.inbound_streams_per_peer_max = 4;
  protocol_ = host_.add_protocol(std::move(spec), *this);
}

Attachment::~Attachment() {
  loop_.arm(*this, kNever);
  store_.forget(*this);
  for (const auto& topic : topics_)
    if (topic->topic) gossip_.unsubscribe(*topic->topic);
}

void Attachment::start(std::function<void(Result<void>)> ready) {
  ready_ = std::move(ready);
  core_.start(loop_.now(), effects_.out());
  effects_.carry_out_later();
}

void Attachment::run(RequestId request, Request what, Sink& sink) {
  sinks_[request] = &sink;
  core_.run(loop_.now(), request, std::move(what), effects_.out());
  effects_.carry_out_later();
}

void Attachment::cancel(RequestId request) {
  sinks_.erase(request);
  core_.cancel(request);
}

// --- What comes in

void Attachment::on_peer_ready(Now now, host::PeerSlot, const host::PeerFacts& facts) {
  if (facts.speaks(protocol_name_)) core_.on_peer_ready(now);
  effects_.carry_out();
}
void Attachment::on_peer_gone(Now now, host::PeerSlot peer) {
  core_.on_peer_gone(now, peer, effects_.out());
  effects_.carry_out();
}

void Attachment::on_message(Now now, host::StreamSlot stream, Bytes message) {
  const auto ask = asks_.find(stream);
  if (ask != asks_.end()) {
    const std::uint64_t pull = ask->second;
    asks_.erase(ask);
    pulls_.erase(pull);
    core_.on_page(now, pull, message, effects_.out());
  } else if (const auto peer = host_.peer_of(stream)) {
    core_.on_ask(now, stream, *peer, message, effects_.out());
  }
  effects_.carry_out();
}
void Attachment::on_end(Now, host::StreamSlot stream) {
  // An asker ends its side with its question, and waits for the answer.
  if (asks_.count(stream) != 0) host_.close(stream);
}
void Attachment::on_closed(Now now, host::StreamSlot stream, const Error* error) {
  for (auto& [tag, serving] : serving_)
    if (serving.stream == stream) serving.open = false;
  const auto ask = asks_.find(stream);
  if (ask == asks_.end()) return;
  const std::uint64_t pull = ask->second;
  asks_.erase(ask);
  pulls_.erase(pull);
  core_.on_pull_lost(now, pull, error, effects_.out());
  effects_.carry_out();
}

gossip::Verdict Attachment::Topic::on_judge(Now now, gossip::TopicIndex, gossip::JudgeSlot judge,
                                            const gossip::GossipMessage& message) {
  const host::PeerFacts* via = owner.host_.facts(message.via);
  const gossip::Verdict verdict =
      owner.core_.on_message(now, index, judge, message.from, via != nullptr ? via->id : PeerId(),
                             message.data, owner.effects_.out());
  owner.effects_.carry_out_later();
  return verdict;
}

void Attachment::on_persisted(Now now, std::uint64_t tag, Result<void> result) {
  core_.on_persisted(now, tag, std::move(result), effects_.out());
  effects_.carry_out();
}
void Attachment::on_scanned(Now now, std::uint64_t tag, Result<std::vector<StoreEntry>> entries,
                            bool more) {
  core_.on_scanned(now, tag, std::move(entries), more, effects_.out());
  effects_.carry_out();
}
void Attachment::on_alarm(Now now) {
  core_.on_tick(now, effects_.out());
  effects_.carry_out();
}

// --- Effects

void Attachment::subscribe(Topic& topic) {
  auto subscribed = gossip_.subscribe(topic.name, topic);
  if (subscribed)
    topic.topic = *subscribed;
  else
    log_.debug("cstore.topic", subscribed.error().what);
}
void Attachment::perform(JoinTopic& effect) {
  CHECK(effect.space == topics_.size());
  topics_.push_back(std::make_unique<Topic>(
      *this, effect.space, "/kith/" + config_.network_id + "/cstore/" + effect.name + "/1.0.0"));
  subscribe(*topics_.back());
}

void Attachment::perform(Commit& effect) {
  store_.commit(std::move(effect.batch), effect.durability, *this, effect.tag);
}
void Attachment::perform(Scan& effect) { store_.scan(std::move(effect.what), *this, effect.tag); }

void Attachment::perform(Seal& effect) {
  const auto signature = crypto::sign_in_domain(identity_, domain_, {effect.body});
  core_.on_sealed(loop_.now(), effect.space, schema::encode_kv_signed(effect.body, signature),
                  effects_.out());
}

void Attachment::perform(Verify& effect) {
  auto valid = std::make_shared<bool>(false);
  loop_.offload(
      PoolClass::signatures,
      [valid, domain = domain_, writer = std::move(effect.writer),
       message = std::move(effect.message)] {
        const auto key = crypto::PublicKey::of_peer(writer);
        *valid = key && crypto::verify_in_domain(*key, domain, {message.body}, message.signature);
      },
      [this, alive = effects_.alive(), valid, slot = effect.slot] {
        if (!*alive) return;
        core_.on_verified(loop_.now(), slot, *valid, effects_.out());
        effects_.carry_out();
      });
}

void Attachment::perform(Publish& effect) {
  // What gossip does not take now, the catch-up brings.
  if (auto sent = gossip_.publish(topics_[effect.space]->name, std::move(effect.message)); !sent)
    log_.debug("cstore.not-published", sent.error().what);
}
void Attachment::perform(Settle& effect) { gossip_.settle(effect.judge, effect.verdict); }

void Attachment::perform(AskHolders& effect) {
  Topic& topic = *topics_[effect.space];
  if (!topic.topic) subscribe(topic);
  std::vector<host::PeerSlot> holders;
  for (const host::PeerSlot peer : gossip_.subscribers(topic.name)) {
    const host::PeerFacts* facts = host_.facts(peer);
    if (facts != nullptr && facts->speaks(protocol_name_)) holders.push_back(peer);
  }
  core_.on_holders(loop_.now(), effect.space, holders, effects_.out());
}

void Attachment::perform(SendAsk& effect) {
  if (host_.facts(effect.peer) == nullptr)
    return core_.on_pull_lost(loop_.now(), effect.pull, nullptr, effects_.out());
  const host::StreamSlot stream = host_.open(effect.peer, protocol_, std::move(effect.ask));
  asks_[stream] = effect.pull;
  pulls_[effect.pull] = stream;
  host_.close(stream);
}
void Attachment::perform(EndPull& effect) {
  const auto at = pulls_.find(effect.pull);
  if (at == pulls_.end()) return;
  const host::StreamSlot stream = at->second;
  pulls_.erase(at);
  asks_.erase(stream);
  host_.reset(stream);
}

void Attachment::perform(Serve& effect) {
  if (serving_.size() >= kServesMax) return host_.reset(effect.stream);
  const std::uint64_t tag = ++serves_;
  serving_[tag] = {effect.stream, std::move(effect.page), std::move(effect.keys), 0, true};
  read_on(tag);
}
// Reads until a key has to be waited for, or is missing: what lies behind a hole is of no use.
void Attachment::read_on(std::uint64_t tag) {
  Serving& serving = serving_.at(tag);
  const Family family = store_.family("cstore_log");
  while (serving.open && serving.page.batches.size() < serving.keys.size()) {
    const Bytes& key = serving.keys[serving.page.batches.size()];
    Bytes value;
    const Store::Got got = store_.try_get(family, key, value);
    if (got == Store::Got::pending) return store_.get(family, key, *this, tag);
    if (got == Store::Got::absent || !take_read(serving, value)) break;
  }
  answer(serving);
  serving_.erase(tag);
}
void Attachment::on_read(Now, std::uint64_t tag, Result<std::optional<Bytes>> value) {
  Serving& serving = serving_.at(tag);
  if (value && *value && take_read(serving, **value)) {
    read_on(tag);
  } else {
    answer(serving);
    serving_.erase(tag);
  }
  effects_.carry_out();
}
// False: the page ends here, as before a key that is missing.
bool Attachment::take_read(Serving& serving, const Bytes& value) {
  auto exact = of_checked(value);
  if (!exact) {
    if (serving.rereads++ < kRereadsMax) return true;
    core_.on_damaged(loop_.now(), serving.keys[serving.page.batches.size()], effects_.out());
    return false;
  }
  serving.rereads = 0;
  serving.page.batches.push_back(std::move(*exact));
  return true;
}
void Attachment::answer(Serving& serving) {
  if (!serving.open) return;
  host_.send(serving.stream, schema::encode_kv_page(serving.page));
  host_.close(serving.stream);
}
void Attachment::perform(Refuse& effect) { host_.reset(effect.stream); }

void Attachment::perform(TellProgress& effect) {
  if (const auto sink = sinks_.find(effect.request); sink != sinks_.end())
    sink->second->on_cstore_progress(loop_.now(), effect.request, effect.progress);
}
void Attachment::perform(TellDone& effect) {
  const auto at = sinks_.find(effect.request);
  if (at == sinks_.end()) return;
  Sink* sink = at->second;
  sinks_.erase(at);
  sink->on_cstore_done(loop_.now(), effect.request, std::move(effect.answer));
}
void Attachment::perform(TellDamaged& effect) {
  log_.warn("cstore.damaged", "batches of namespace " + core_.space_name(effect.space) +
                                  " were not read from the disk as they were written; others are "
                                  "asked for them");
}
void Attachment::perform(TellReady& effect) {
  if (ready_) std::exchange(ready_, nullptr)(std::move(effect.result));
}

}  // namespace kith::cstore
