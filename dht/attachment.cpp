#include "dht/attachment.hpp"

#include <algorithm>

namespace kith::dht {
namespace {

constexpr std::size_t kScanEntries = 1000;

host::ProtocolSpec spec_of(const std::vector<std::string>& protocols, bool serve) {
  host::ProtocolSpec spec;
  spec.ids = protocols;
  spec.message_bytes_max = libp2p::kKadMessageInMax;
  spec.send_queue_bytes_max = 4 * libp2p::kKadMessageInMax;
  spec.serve = serve;
  return spec;
}

}  // namespace

Attachment::Attachment(AttachmentConfig config, host::Host& host, Loop& loop, Store* store,
                       Log& log, Rng rng, std::shared_ptr<PeerBook> book)
    : config_(std::move(config)),
      host_(host),
      loop_(loop),
      store_(store),
      log_(log),
      core_(config_.dht, rng, std::move(book)) {
  protocol_ = host_.add_protocol(spec_of(config_.protocols, core_.mode() == Mode::server), *this);
  if (store_ != nullptr) family_ = store_->family(kStoreFamily);
}

Attachment::~Attachment() {
  *alive_ = false;
  loop_.arm(*this, kNever);
  if (store_ != nullptr) store_->forget(*this);
}

void Attachment::start() {
  if (store_ != nullptr) return scan({});
  loop_.post([this, alive = alive_] {
    if (*alive) on_store_read(loop_.now());
  });
}

void Attachment::scan(Bytes from) {
  StoreScan what;
  what.family = family_;
  what.from = std::move(from);
  what.entries_max = kScanEntries;
  store_->scan(std::move(what), *this, 0);
}

void Attachment::on_scanned(Now now, std::uint64_t, Result<std::vector<StoreEntry>> entries,
                            bool more) {
  if (!entries) {
    log_.warn("dht.store-unread", "records of the DHT were not read: " + entries.error().what);
    on_store_read(now);
    return;
  }
  std::size_t unreadable = 0;
  for (const StoreEntry& entry : *entries) {
    if (const Result<StoredRecord> record = decode_stored(entry.key, entry.value)) {
      core_.on_loaded(now, *record, effects_);
    } else {
      effects_.push_back(Persist{entry.key, std::nullopt});
      ++unreadable;
    }
  }
  if (unreadable > 0)
    log_.info("dht.store-dropped", std::to_string(unreadable) + " unreadable entries were dropped");
  carry_out(now);
  if (!more || entries->empty()) return on_store_read(now);
  scan(key_after(entries->back().key));
}

void Attachment::on_store_read(Now now) {
  ready_ = true;
  core_.on_started(now, effects_);
  carry_out(now);
  std::vector<Command> waiting;
  waiting.swap(waiting_);
  for (const Command& command : waiting) run(command);
}

void Attachment::later_run(Command command) {
  loop_.post([this, alive = alive_, command = std::move(command)]() mutable {
    if (!*alive) return;
    if (ready_)
      run(command);
    else
      waiting_.push_back(std::move(command));
  });
}

void Attachment::run(const Command& command) {
  const Now now = loop_.now();
  core_.set_self_addrs(host_.listen_addrs());
  command(now, effects_);
  carry_out(now);
}

void Attachment::begin_request(RequestId request, RoutingSink& sink, Command command) {
  sinks_[request] = &sink;
  later_run([this, request, command = std::move(command)](Now now, Effects& out) {
    if (sinks_.contains(request)) command(now, out);  // not cancelled meanwhile
  });
}

std::vector<PeerId> Attachment::table_peers() const {
  std::vector<PeerId> peers;
  core_.table().for_each([&](const PeerRef& peer) { peers.push_back(peer.id()); });
  return peers;
}

void Attachment::find_peer(RequestId request, const PeerId& id, RoutingSink& sink) {
  begin_request(request, sink, [this, request, id](Now now, Effects& out) {
    core_.find_peer(now, request, id, out);
  });
}
void Attachment::find_closest(RequestId request, Bytes key, RoutingSink& sink) {
  begin_request(request, sink, [this, request, key](Now now, Effects& out) {
    core_.find_closest(now, request, key, out);
  });
}
void Attachment::provide(RequestId request, const Multihash& key, RoutingSink& sink) {
  begin_request(request, sink, [this, request, key](Now now, Effects& out) {
    core_.provide(now, request, key, out);
  });
}
void Attachment::unprovide(const Multihash& key) {
  later_run([this, key](Now now, Effects& out) { core_.unprovide(now, key, out); });
}
void Attachment::find_providers(RequestId request, const Multihash& key, std::uint32_t enough,
                                RoutingSink& sink) {
  begin_request(request, sink, [this, request, key, enough](Now now, Effects& out) {
    core_.find_providers(now, request, key, enough, out);
  });
}
void Attachment::put_value(RequestId request, Bytes key, Bytes value, RoutingSink& sink) {
  begin_request(request, sink, [this, request, key, value](Now now, Effects& out) {
    core_.put_value(now, request, key, value, out);
  });
}
void Attachment::get_value(RequestId request, Bytes key, RoutingSink& sink) {
  begin_request(request, sink, [this, request, key](Now now, Effects& out) {
    core_.get_value(now, request, key, out);
  });
}
void Attachment::set_mode(Mode mode) {
  later_run([this, mode](Now, Effects& out) { core_.set_mode(mode, out); });
}
// Posted after the command that it cancels, so the core knows the request by then.
void Attachment::cancel(RequestId request) {
  later_run([this, request](Now now, Effects& out) { core_.cancel(now, request, out); });
}

bool Attachment::serves(const host::PeerFacts& facts) const {
  return std::any_of(config_.protocols.begin(), config_.protocols.end(),
                     [&](const std::string& id) { return facts.speaks(id); });
}

void Attachment::on_peer_ready(Now now, host::PeerSlot slot, const host::PeerFacts& facts) {
  core_.on_peer_ready(now, slot, {facts.id, facts.remote, facts.outbound, serves(facts)}, effects_);
  carry_out(now);
}
void Attachment::on_peer_changed(Now now, host::PeerSlot slot, const host::PeerFacts& facts) {
  core_.on_peer_changed(now, slot, serves(facts), effects_);
  carry_out(now);
}
void Attachment::on_peer_gone(Now now, host::PeerSlot slot) {
  core_.on_peer_gone(now, slot, effects_);
  carry_out(now);
}
void Attachment::on_connected(Now now, RequestId request, Result<host::PeerSlot> peer) {
  core_.on_connected(now, request, peer, effects_);
  carry_out(now);
}
void Attachment::on_stream(Now now, host::StreamSlot stream, host::PeerSlot peer,
                           std::string_view) {
  core_.on_stream(now, stream, peer, effects_);
  carry_out(now);
}
void Attachment::on_opened(Now now, host::StreamSlot stream, std::string_view) {
  core_.on_opened(now, stream, effects_);
  carry_out(now);
}
void Attachment::on_message(Now now, host::StreamSlot stream, Bytes message) {
  core_.on_message(now, stream, message, effects_);
  carry_out(now);
}
void Attachment::on_end(Now now, host::StreamSlot stream) {
  core_.on_ended(now, stream, effects_);
  carry_out(now);
}
void Attachment::on_closed(Now now, host::StreamSlot stream, const Error* error) {
  core_.on_closed(now, stream, error, effects_);
  carry_out(now);
}
// Somebody asks and does not read: what it missed cannot be made up for on that stream.
void Attachment::on_send_refused(Now, host::StreamSlot stream, std::uint64_t) {
  host_.reset(stream);
}
void Attachment::on_alarm(Now now) {
  core_.set_self_addrs(host_.listen_addrs());
  core_.on_tick(now, effects_);
  carry_out(now);
}

std::vector<Multiaddr> Attachment::addrs_of(const PeerId& id) const {
  return id == host_.self() ? host_.listen_addrs() : host_.known_addrs(id);
}

void Attachment::carry_out(Now now) {
  Effects effects;
  effects.swap(effects_);
  for (Effect& effect : effects) std::visit([&](auto& one) { carry_out(now, one); }, effect);
  commit();
  effects.clear();
  if (effects_.empty()) effects_.swap(effects);  // its room is used again
  loop_.arm(*this, core_.next_deadline(now));
}

void Attachment::carry_out(Now, Connect& it) {
  host_.connect(protocol_, it.request, it.id, it.addrs);
}
void Attachment::carry_out(Now, OpenStream& it) {
  const host::StreamSlot stream = host_.open(it.peer, protocol_, std::move(it.message));
  if (!core_.bind(it.ask, stream)) host_.reset(stream);
}
void Attachment::carry_out(Now, SendMessage& it) { host_.send(it.stream, std::move(it.message)); }
void Attachment::carry_out(Now, CloseStream& it) { host_.close(it.stream); }
void Attachment::carry_out(Now, ResetStream& it) { host_.reset(it.stream); }
void Attachment::carry_out(Now, Reply& it) {
  const host::StreamSlot stream = it.stream;
  host_.send(stream, encode_reply(std::move(it), *this, config_.dht.keep_private_addrs));
}
void Attachment::carry_out(Now, LearnAddrs& it) { host_.learn_addrs(it.id, it.addrs, it.lifetime); }
void Attachment::carry_out(Now, KeepAddrs& it) { host_.keep_addrs(it.peer.id(), it.lifetime); }
void Attachment::carry_out(Now, Persist& it) {
  batch_.writes.push_back({family_, std::move(it.key), std::move(it.value)});
}
void Attachment::carry_out(Now, PersistNeighbour& it) {
  StoredEntry entry =
      encode_stored(StoredNeighbour{it.peer.id(), it.seen, host_.known_addrs(it.peer.id())});
  batch_.put(family_, std::move(entry.key), std::move(entry.value));
}
void Attachment::carry_out(Now, SetServing& it) { host_.set_serving(protocol_, it.serve); }
void Attachment::carry_out(Now now, Progress& it) {
  const auto sink = sinks_.find(it.request);
  if (sink != sinks_.end()) sink->second->on_routing_progress(now, it.request, it.progress);
}
void Attachment::carry_out(Now now, Done& it) {
  const auto found = sinks_.find(it.request);
  if (found == sinks_.end()) return;
  RoutingSink& sink = *found->second;
  sinks_.erase(found);
  if (it.answer)
    for (PeerInfo& peer : it.answer->peers)
      if (peer.addrs.empty()) peer.addrs = addrs_of(peer.id);
  sink.on_routing_done(now, it.request, std::move(it.answer));
}

void Attachment::commit() {
  StoreBatch batch;
  batch.writes.swap(batch_.writes);
  if (store_ == nullptr || batch.writes.empty()) return;
  store_->commit(std::move(batch), Durability::buffered, *this, 0);
}

void Attachment::on_persisted(Now, std::uint64_t, Result<void> written) {
  if (written) {
    store_failed_ = false;
  } else if (!store_failed_) {
    store_failed_ = true;  // once, until it works again: peers can trigger this
    log_.warn("dht.store-failed", "records of the DHT are not stored: " + written.error().what);
  }
}

}  // namespace kith::dht
