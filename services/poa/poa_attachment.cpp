#include "services/poa/poa_attachment.hpp"

#include "net/crypto/signing.hpp"

namespace kith::poa {
namespace {

constexpr std::size_t kScanEntries = 2000;

PoaCoreConfig core_config(const PoaConfig& config, const host::Host& host, const Store& store) {
  return {host.self(), store.family("poa"), config.timing, config.beat};
}

}  // namespace

Attachment::Attachment(PoaConfig config, host::Host& host, Loop& loop, Store& store,
                       gossip::Gossip& gossip, dht::Reach& reach, const crypto::Identity& identity,
                       Log& log, Rng rng)
    : config_(std::move(config)),
      host_(host),
      loop_(loop),
      store_(store),
      gossip_(gossip),
      reach_(reach),
      identity_(identity),
      log_(log),
      topic_("/kith/" + config_.network_id + "/poa/beat/1.0.0"),
      domain_("kith/" + config_.network_id + "/poa/statement/1"),
      core_(core_config(config_, host, store), std::move(rng)),
      protocol_(0) {
  host::ProtocolSpec spec;
  spec.ids = {"/kith/" + config_.network_id + "/poa/1.0.0"};
  spec.message_bytes_max = schema::kTableAnswerBytesMax;
  protocol_ = host_.add_protocol(std::move(spec), *this);
}

Attachment::~Attachment() {
  loop_.arm(*this, kNever);
  store_.forget(*this);
}

void Attachment::start(std::function<void(Result<void>)> ready) {
  ready_ = std::move(ready);
  core_.start(effects_.out());
  effects_.carry_out_later();
}

// At once, so that the store has it before what the caller hands to it next.
void Attachment::stop() {
  core_.stop(loop_.now(), effects_.out());
  effects_.carry_out();
}

void Attachment::run(RequestId request, Request what, Sink& sink) {
  sinks_[request] = &sink;
  core_.run(loop_.now(), request, what, effects_.out());
  effects_.carry_out_later();
}

void Attachment::cancel(RequestId request) {
  if (sinks_.count(request) == 0) return;
  core_.cancel(request, effects_.out());
  effects_.carry_out_later();
}

Capacity Attachment::capacity() const {
  Capacity capacity = config_.machine;
  capacity.disk_free_mib = store_.usage().bytes_free >> 20;
  return capacity;
}

// Events.

void Attachment::on_message(Now now, host::StreamSlot stream, Bytes message) {
  const auto asked = questions_.find(stream);
  if (asked != questions_.end()) {
    const RequestId request = asked->second;
    questions_.erase(asked);
    core_.asker().on_page(now, request, message, effects_.out());
  } else if (const auto peer = host_.peer_of(stream)) {
    core_.on_question(now, *peer, stream, message, effects_.out());
  }
  effects_.carry_out();
}

void Attachment::on_end(Now, host::StreamSlot stream) { host_.close(stream); }

void Attachment::on_closed(Now, host::StreamSlot stream, const Error* error) {
  const auto asked = questions_.find(stream);
  if (asked == questions_.end()) return;
  const RequestId request = asked->second;
  questions_.erase(asked);
  Error why = error != nullptr ? *error : fail(Errc::closed, "the peer gave no answer");
  core_.asker().on_page_failed(request, why, effects_.out());
  effects_.carry_out();
}

void Attachment::on_reached(Now, RequestId connection, Result<host::PeerSlot> peer) {
  const auto at = connections_.find(connection);
  if (at == connections_.end()) return;
  const RequestId request = at->second;
  connections_.erase(at);
  core_.asker().on_owner_connected(request, std::move(peer), effects_.out());
  effects_.carry_out();
}

void Attachment::on_peer_gone(Now, host::PeerSlot peer) { core_.on_peer_gone(peer); }

gossip::Verdict Attachment::on_judge(Now now, gossip::TopicIndex, gossip::JudgeSlot,
                                     const gossip::GossipMessage& message) {
  const host::PeerFacts* via = host_.facts(message.via);
  const bool direct = via != nullptr && via->id == message.from;
  return core_.on_beat(now, message.from, direct, message.data);
}

void Attachment::on_persisted(Now now, std::uint64_t tag, Result<void> result) {
  core_.on_persisted(now, tag, result, effects_.out());
  effects_.carry_out();
}

void Attachment::on_scanned(Now now, std::uint64_t, Result<std::vector<StoreEntry>> entries,
                            bool more) {
  core_.on_scanned(now, std::move(entries), more, effects_.out());
  effects_.carry_out();
}

void Attachment::on_alarm(Now now) {
  core_.on_tick(now, capacity(), effects_.out());
  effects_.carry_out();
}

// Effects.

void Attachment::perform(PublishBeat& effect) {
  if (auto sent = gossip_.publish(topic_, std::move(effect.beat)); !sent)
    log_.debug("poa.beat-not-sent", sent.error().what);
}

void Attachment::perform(Commit& effect) {
  store_.commit(std::move(effect.batch), effect.durability, *this, effect.tag);
}

void Attachment::perform(ScanStored& effect) {
  StoreScan scan;
  scan.family = store_.family("poa");
  scan.from = std::move(effect.from);
  scan.entries_max = kScanEntries;
  store_.scan(std::move(scan), *this, 0);
}

void Attachment::perform(GiveStatement& effect) {
  const crypto::Signature signature =
      crypto::sign_in_domain(identity_, domain_, {effect.statement.view()});
  host_.send(effect.stream, schema::encode_signed_statement(
                                {std::move(effect.statement), Bytes::copy(ByteView(signature))}));
  host_.close(effect.stream);
}

void Attachment::perform(RefuseQuestion& effect) { host_.reset(effect.stream); }

void Attachment::perform(ConnectOwner& effect) {
  connections_[reach_.start(effect.owner, {}, *this)] = effect.request;
}

void Attachment::perform(AskPage& effect) {
  const host::StreamSlot stream = host_.open(effect.owner, protocol_, std::move(effect.question));
  questions_[stream] = effect.request;
  host_.close(stream);
}

void Attachment::perform(CheckSignature& effect) {
  const auto key = crypto::PublicKey::of_peer(effect.owner);
  const bool valid = key && crypto::verify_in_domain(*key, domain_, {effect.what.statement.view()},
                                                     effect.what.signature);
  core_.asker().on_checked(effect.request, valid, effects_.out());
}

void Attachment::perform(EndAsking& effect) {
  std::erase_if(connections_, [&](const auto& one) {
    if (one.second != effect.request) return false;
    reach_.cancel(one.first);
    return true;
  });
  std::erase_if(questions_, [&](const auto& one) {
    if (one.second != effect.request) return false;
    host_.reset(one.first);
    return true;
  });
}

void Attachment::perform(TellProgress& effect) {
  if (const auto sink = sinks_.find(effect.request); sink != sinks_.end())
    sink->second->on_poa_progress(loop_.now(), effect.request, effect.progress);
}

void Attachment::perform(TellDone& effect) {
  const auto at = sinks_.find(effect.request);
  if (at == sinks_.end()) return;
  Sink* sink = at->second;
  sinks_.erase(at);
  sink->on_poa_done(loop_.now(), effect.request, std::move(effect.answer));
}

void Attachment::perform(TellReady& effect) {
  if (effect.result) {
    if (auto topic = gossip_.subscribe(topic_, *this, false); !topic) effect.result = topic.error();
  }
  if (ready_) std::exchange(ready_, nullptr)(std::move(effect.result));
}

void Attachment::perform(Warn& effect) { log_.warn(effect.code, std::move(effect.text)); }

}  // namespace kith::poa
