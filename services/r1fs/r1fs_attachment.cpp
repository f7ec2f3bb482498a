// The fronts: what comes in. The effects, going out, are in r1fs_perform.cpp.
#include "services/r1fs/r1fs_attachment.hpp"

#include "net/base/check.hpp"

namespace kith::r1fs {
namespace {

constexpr std::uint64_t kServing = 1ull << 63;  // store tags of blocks read for the exchange
constexpr std::size_t kHoldsMessageMax = 512;

R1fsCoreConfig core_config(const R1fsConfig& config, const host::Host& host, const Store& store) {
  R1fsCoreConfig core;
  core.self = host.self();
  core.families = {store.family("r1fs_blocks"), store.family("r1fs_meta"),
                   store.family("r1fs_files")};
  core.quota = config.quota;
  core.keep_for_others = config.keep_for_others;
  return core;
}

}  // namespace

std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::reading:
      return "reading";
    case Phase::storing:
      return "storing";
    case Phase::spreading:
      return "spreading";
    case Phase::looking:
      return "looking for providers";
    case Phase::connecting:
      return "connecting";
    case Phase::fetching:
      return "fetching";
    case Phase::writing:
      return "writing";
  }
  return "working";
}

Attachment::Attachment(R1fsConfig config, host::Host& host, Loop& loop, Store& store,
                       gossip::Gossip& gossip, dht::Routing& routing, Exchange& exchange, Log& log)
    : config_(std::move(config)),
      host_(host),
      loop_(loop),
      store_(store),
      gossip_(gossip),
      routing_(routing),
      exchange_(exchange),
      log_(log),
      core_(core_config(config_, host, store)),
      protocol_(0),
      topic_name_("/kith/" + config_.network_id + "/r1fs/chunks/1") {
  host::ProtocolSpec spec;
  spec.ids = {"/kith/" + config_.network_id + "/r1fs/1.0.0"};
  spec.message_bytes_max = kHoldsMessageMax;
  protocol_ = host_.add_protocol(std::move(spec), *this);
}

Attachment::~Attachment() {
  loop_.arm(*this, kNever);
  store_.forget(*this);
  for (const auto& [fetch, session] : sessions_) exchange_.close(session);
}

void Attachment::start(std::function<void(Result<void>)> ready) {
  ready_ = std::move(ready);
  core_.start(effects_.out());
  effects_.carry_out_later();
}

void Attachment::add(RequestId request, AddFile what, FileSink& sink) {
  sinks_[request] = &sink;
  core_.add(request, std::move(what), effects_.out());
  effects_.carry_out_later();
}
void Attachment::get(RequestId request, GetFile what, FileSink& sink) {
  sinks_[request] = &sink;
  core_.get(request, std::move(what), effects_.out());
  effects_.carry_out_later();
}
void Attachment::list(RequestId request, FileSink& sink) {
  sinks_[request] = &sink;
  core_.list(request, effects_.out());
  effects_.carry_out_later();
}
void Attachment::stat(RequestId request, const Cid& cid, FileSink& sink) {
  sinks_[request] = &sink;
  core_.stat(loop_.now(), request, cid, effects_.out());
  effects_.carry_out_later();
}
void Attachment::remove(RequestId request, const Cid& cid, FileSink& sink) {
  sinks_[request] = &sink;
  core_.remove(loop_.now(), request, cid, effects_.out());
  effects_.carry_out_later();
}
void Attachment::cancel(RequestId request) {
  core_.cancel(request, effects_.out());
  effects_.carry_out_later();
}

std::optional<std::size_t> Attachment::size(const Cid& cid) const {
  if (!core_.index().servable(cid.hash())) return std::nullopt;
  return core_.index().find(cid.hash())->size;
}

void Attachment::read(const Cid& cid, std::uint64_t tag) {
  core_.on_block_given(loop_.now(), cid.hash(), effects_.out());
  const Family family = store_.family("r1fs_blocks");
  Bytes data;
  switch (store_.try_get(family, cid.hash().bytes(), data)) {
    case Store::Got::found:
      exchange_.on_block_read(tag, std::move(data));
      break;
    case Store::Got::absent:
      exchange_.on_block_read(tag, fail(Errc::not_local, "block is not held"));
      break;
    case Store::Got::pending: {
      const std::uint64_t mine = kServing | ++numbers_;
      serving_[mine] = tag;
      store_.get(family, cid.hash().bytes(), *this, mine);
      break;
    }
  }
  effects_.carry_out_later();
}

void Attachment::on_message(Now now, host::StreamSlot stream, Bytes message) {
  const auto asked = questions_.find(stream);
  if (asked == questions_.end()) {
    auto root = schema::decode_holds_question(message);
    if (!root) return host_.reset(stream);
    host_.send(stream, schema::encode_holds_answer(core_.holds(*root)));
    return host_.close(stream);
  }
  if (auto answer = schema::decode_holds_answer(message))
    core_.on_holds(asked->second.peer, asked->second.root, *answer, effects_.out());
  (void)now;
  effects_.carry_out();
}
void Attachment::on_end(Now, host::StreamSlot stream) { host_.close(stream); }
void Attachment::on_closed(Now, host::StreamSlot stream, const Error*) { questions_.erase(stream); }

void Attachment::on_connected(Now, RequestId connection, Result<host::PeerSlot> peer) {
  const auto at = connections_.find(connection);
  if (at == connections_.end()) return;
  const RequestId request = at->second;
  connections_.erase(at);
  core_.on_provider_connected(request, std::move(peer), effects_.out());
  effects_.carry_out();
}

gossip::Verdict Attachment::on_judge(Now now, gossip::TopicIndex, gossip::JudgeSlot judge,
                                     const gossip::GossipMessage& message) {
  const gossip::Verdict verdict =
      core_.on_offer(now, judge, message.via, message.from, message.data, effects_.out());
  effects_.carry_out_later();
  return verdict;
}

void Attachment::on_block(Now now, SessionSlot session, const Cid& cid, Bytes data, const PeerId&) {
  const auto fetch = fetches_.find(session);
  if (fetch == fetches_.end()) return;
  core_.on_fetched(now, fetch->second, cid, data, effects_.out());
  effects_.carry_out();
}
void Attachment::on_unavailable(Now now, SessionSlot session, const Cid& cid) {
  const auto fetch = fetches_.find(session);
  if (fetch == fetches_.end()) return;
  core_.on_unavailable(now, fetch->second, cid, effects_.out());
  effects_.carry_out();
}

void Attachment::on_routing_progress(Now, RequestId lookup, const dht::RoutingProgress& progress) {
  const auto at = lookups_.find(lookup);
  if (at == lookups_.end()) return;
  for (const dht::PeerInfo& peer : progress.found)
    core_.on_provider(at->second, peer, effects_.out());
  effects_.carry_out();
}
void Attachment::on_routing_done(Now now, RequestId lookup, Result<dht::RoutingAnswer> answer) {
  const auto at = lookups_.find(lookup);
  if (at == lookups_.end()) return;  // of provide()
  const RequestId request = at->second;
  lookups_.erase(at);
  std::uint32_t asked = 0;
  if (answer) {
    for (const dht::PeerInfo& peer : answer->peers)
      core_.on_provider(request, peer, effects_.out());
    asked = answer->counts.asked;
  }
  core_.on_providers_done(now, request, asked, effects_.out());
  effects_.carry_out();
}

void Attachment::on_persisted(Now now, std::uint64_t tag, Result<void> result) {
  core_.on_persisted(now, tag, std::move(result), effects_.out());
  effects_.carry_out();
}
void Attachment::on_read(Now now, std::uint64_t tag, Result<std::optional<Bytes>> data) {
  const auto serving = serving_.find(tag);
  if (serving == serving_.end()) {
    core_.on_stored(now, tag, std::move(data), effects_.out());
    return effects_.carry_out();
  }
  const std::uint64_t theirs = serving->second;
  serving_.erase(serving);
  if (data && *data)
    exchange_.on_block_read(theirs, std::move(**data));
  else
    exchange_.on_block_read(theirs, fail(Errc::not_local, "block is not held"));
}
void Attachment::on_scanned(Now now, std::uint64_t tag, Result<std::vector<StoreEntry>> entries,
                            bool more) {
  core_.on_scanned(now, static_cast<Family>(tag), std::move(entries), more, effects_.out());
  effects_.carry_out();
}

void Attachment::on_alarm(Now now) {
  const bool has_mesh = topic_ && !gossip_.mesh(*topic_).empty();
  core_.on_tick(now, has_mesh, gossip_.subscribers(topic_name_), effects_.out());
  effects_.carry_out();
}

}  // namespace kith::r1fs
