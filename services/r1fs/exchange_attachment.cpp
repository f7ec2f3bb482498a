#include "services/r1fs/exchange_attachment.hpp"

#include "net/base/check.hpp"

namespace kith::r1fs {
namespace {
constexpr std::string_view kBitswap = "/ipfs/bitswap/1.2.0";
// Above half of it nothing more is read for the peer; what is being read then, and one block more,
// still fits.
constexpr std::size_t kSendQueueMax = 10u << 20;
static_assert(kSendQueueMax / 2 + kReadAheadBytes + kReplyBytes + libp2p::kBitswapBlockMax <
              kSendQueueMax);
// Helia resets a stream that brought nothing for 10 s, and what is sent on it then is lost.
constexpr Duration kStreamIdleMax = 5s;
}  // namespace

ExchangeAttachment::ExchangeAttachment(host::Host& host, Loop& loop, Log& log)
    : host_(host), loop_(loop), log_(log), protocol_(0) {
  host::ProtocolSpec spec;
  spec.ids = {std::string(kBitswap)};
  spec.message_bytes_max = libp2p::kBitswapMessageMax;
  spec.send_queue_bytes_max = kSendQueueMax;
  spec.inbound_streams_per_peer_max = 64;  // some open one per message
  protocol_ = host_.add_protocol(std::move(spec), *this);
}

ExchangeAttachment::~ExchangeAttachment() { loop_.arm(*this, kNever); }

HeldBlocks ExchangeAttachment::held() const {
  if (supplier_ == nullptr) return {};
  return {[](const void* index, const Cid& cid) {
            return static_cast<const BlockSupplier*>(index)->size(cid);
          },
          supplier_};
}

SessionSlot ExchangeAttachment::open(BlockSink& sink, host::Priority priority) {
  const SessionSlot session = core_.open(priority);
  sinks_[session] = &sink;
  return session;
}
void ExchangeAttachment::add_peer(SessionSlot session, host::PeerSlot peer) {
  core_.add_peer(loop_.now(), session, peer, effects_.out());
  effects_.carry_out_later();
}
void ExchangeAttachment::ask_everyone(SessionSlot session) {
  core_.ask_everyone(loop_.now(), session, effects_.out());
  effects_.carry_out_later();
}
void ExchangeAttachment::want(SessionSlot session, const Cid& cid, std::size_t bytes) {
  core_.want(loop_.now(), session, cid, bytes, effects_.out());
  effects_.carry_out_later();
}
void ExchangeAttachment::cancel(SessionSlot session, const Cid& cid) {
  core_.cancel(loop_.now(), session, cid, effects_.out());
  effects_.carry_out_later();
}
void ExchangeAttachment::close(SessionSlot session) {
  sinks_.erase(session);
  core_.close(loop_.now(), session, effects_.out());
  effects_.carry_out_later();
}
void ExchangeAttachment::announce_held(const Cid& cid) {
  if (const auto bytes = held().size(cid)) core_.on_held(loop_.now(), cid, *bytes, effects_.out());
  effects_.carry_out_later();
}
void ExchangeAttachment::on_block_read(std::uint64_t tag, Result<Bytes> data) {
  core_.on_block_read(loop_.now(), tag, std::move(data), effects_.out());
  effects_.carry_out_later();
}

void ExchangeAttachment::on_peer_ready(Now now, host::PeerSlot peer, const host::PeerFacts& facts) {
  if (facts.speaks(kBitswap)) core_.on_peer_ready(now, peer, facts.id, effects_.out());
  effects_.carry_out();
}
void ExchangeAttachment::on_peer_changed(Now now, host::PeerSlot peer,
                                         const host::PeerFacts& facts) {
  on_peer_ready(now, peer, facts);
}
void ExchangeAttachment::on_peer_gone(Now now, host::PeerSlot peer) {
  if (const auto at = streams_.find(peer); at != streams_.end()) {
    owners_.erase(at->second.normal.slot);
    owners_.erase(at->second.bulk.slot);
    streams_.erase(at);
  }
  core_.on_peer_gone(now, peer, effects_.out());
  effects_.carry_out();
}
void ExchangeAttachment::on_message(Now now, host::StreamSlot stream, Bytes message) {
  if (const auto peer = host_.peer_of(stream))
    core_.on_message(now, *peer, message, held(), effects_.out());
  effects_.carry_out();
}
void ExchangeAttachment::on_end(Now, host::StreamSlot stream) {
  // Replies travel on streams of our own. Helia ends its side of those at once, and goes on
  // reading.
  if (owners_.count(stream) == 0) host_.close(stream);
}
void ExchangeAttachment::on_closed(Now now, host::StreamSlot stream, const Error*) {
  const auto owner = owners_.find(stream);
  if (owner == owners_.end()) return;
  const host::PeerSlot peer = owner->second;
  owners_.erase(owner);
  Streams& streams = streams_[peer];
  const bool bulk = streams.bulk.slot == stream;
  (bulk ? streams.bulk : streams.normal) = {};
  // What was queued on it is lost; the asker's timeout asks again. A new stream has room.
  if (bulk) core_.on_send_room(now, peer, true, effects_.out());
  effects_.carry_out();
}
void ExchangeAttachment::on_writable(Now now, host::StreamSlot stream) {
  const auto owner = owners_.find(stream);
  if (owner == owners_.end() || streams_[owner->second].bulk.slot != stream) return;
  core_.on_send_room(now, owner->second, true, effects_.out());
  effects_.carry_out();
}
void ExchangeAttachment::on_send_refused(Now, host::StreamSlot, std::uint64_t) {
  // Reading stops at half of the queue, so only a peer that floods us with wants gets here; it asks
  // again.
  log_.debug("exchange.refused", "a reply was dropped: the peer does not read");
}
void ExchangeAttachment::on_alarm(Now now) {
  core_.on_tick(now, effects_.out());
  effects_.carry_out();
}

void ExchangeAttachment::perform(ExchangeEffect& effect) {
  const Now now = loop_.now();
  if (auto* message = std::get_if<SendMessage>(&effect)) {
    send(*message);
  } else if (auto* read = std::get_if<ReadBlock>(&effect)) {
    supplier_->read(read->cid, read->tag);
  } else if (auto* block = std::get_if<VerifyBlock>(&effect)) {
    verify(*block);
  } else if (auto* give = std::get_if<GiveBlock>(&effect)) {
    if (const auto sink = sinks_.find(give->session); sink != sinks_.end())
      sink->second->on_block(now, give->session, give->cid, std::move(give->data), give->from);
  } else if (auto* tell = std::get_if<TellUnavailable>(&effect)) {
    if (const auto sink = sinks_.find(tell->session); sink != sinks_.end())
      sink->second->on_unavailable(now, tell->session, tell->cid);
  }
}

void ExchangeAttachment::send(SendMessage& message) {
  if (host_.facts(message.peer) == nullptr) return;
  const bool bulk = message.priority == host::Priority::bulk;
  Streams& streams = streams_[message.peer];
  Outbound& stream = bulk ? streams.bulk : streams.normal;
  const Mono now = loop_.now().mono;
  if (stream.slot && host_.queued_bytes(stream.slot) > 0) stream.busy_at = now;
  if (stream.slot && now - stream.busy_at > kStreamIdleMax) {
    host_.close(stream.slot);
    owners_.erase(stream.slot);
    stream.slot = {};
  }
  if (stream.slot) {
    host_.send(stream.slot, std::move(message.message), message.priority);
  } else {
    stream.slot = host_.open(message.peer, protocol_, std::move(message.message), message.priority);
    owners_[stream.slot] = message.peer;
  }
  stream.busy_at = now;
  if (bulk && host_.queued_bytes(stream.slot) > kSendQueueMax / 2)
    core_.on_send_room(loop_.now(), message.peer, false, effects_.out());
}

void ExchangeAttachment::verify(VerifyBlock& effect) {
  struct Job {
    libp2p::BitswapBlock block;
    Result<Cid> cid = Cid();
  };
  auto job = std::make_shared<Job>();
  job->block = std::move(effect.block);
  loop_.offload(
      PoolClass::hashing, [job] { job->cid = libp2p::cid_of(job->block); },
      [this, alive = effects_.alive(), job, peer = effect.peer] {
        if (!*alive) return;
        core_.on_verified(loop_.now(), peer, std::move(job->cid), std::move(job->block.data),
                          effects_.out());
        effects_.carry_out();
      });
}

}  // namespace kith::r1fs
