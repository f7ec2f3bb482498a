// Requests, and writes of our own.
#include "services/cstore/cstore_core.hpp"

#include "net/base/check.hpp"
#include "net/base/planted.hpp"

namespace kith::cstore {
namespace {

constexpr std::size_t kEarlyRequestsMax = 1024;

const std::string& space_name_of(const Request& what) {
  return std::visit([](const auto& one) -> const std::string& { return one.space; }, what);
}

Error not_found(const Get& what) {
  return fail(Errc::not_found, "the key is not set",
              "namespace " + what.space + " holds no value for it on this node",
              "kith kv ls " + what.space);
}

}  // namespace

void CstoreCore::run(Now now, RequestId request, Request what, Effects& out) {
  const std::string& name = space_name_of(what);
  if (!schema::is_kv_space(name)) {
    out.push_back(TellDone{request, fail(Errc::usage, "this cannot be a namespace's name", {},
                                         "use 1 to 64 of a-z, 0-9, '.', '_' and '-'")});
    return;
  }
  if (!loaded_) {
    if (early_requests_.size() < kEarlyRequestsMax)
      early_requests_.emplace_back(request, std::move(what));
    else
      out.push_back(TellDone{request, fail(Errc::exhausted, "the node is still starting")});
    return;
  }
  auto space = join(now, name, out);
  if (!space) {
    out.push_back(TellDone{request, space.error()});
    return;
  }
  run_in(now, *space, request, what, out);
}

Result<SpaceIndex> CstoreCore::join(Now now, const std::string& name, Effects& out) {
  if (const auto at = by_name_.find(name); at != by_name_.end()) return at->second;
  if (spaces_.size() >= kSpacesMax)
    return fail(Errc::exhausted, "this node holds as many namespaces as it can",
                std::to_string(kSpacesMax) + " at most", "use one of those that it holds");
  const SpaceIndex index = add_space(name);
  Space& space = *spaces_[index];
  space.next_pull = now.mono;
  space.sync_deadline = later(now.mono, kFirstSyncWait);
  store_record(index, out);
  out.push_back(JoinTopic{index, name});
  return index;
}

void CstoreCore::store_record(SpaceIndex index, Effects& out) {
  Space& space = *spaces_[index];
  schema::KvSpaceRecord record;
  if (space.own) record = {space.own->started, space.own->nonce};
  Commit commit;
  commit.batch.put(config_.families.meta, Bytes::copy(space.name),
                   schema::encode_kv_space_record(record));
  commit.tag = kTagRecord + index;
  out.push_back(std::move(commit));
  space.record = Record::under_way;
}

SpaceIndex CstoreCore::add_space(std::string name) {
  const auto index = static_cast<SpaceIndex>(spaces_.size());
  spaces_.push_back(std::make_unique<Space>(name, config_.space_bytes_max));
  by_name_.emplace(std::move(name), index);
  return index;
}

void CstoreCore::run_in(Now now, SpaceIndex index, RequestId request, const Request& what,
                        Effects& out) {
  using schema::KvOpKind;
  Space& space = *spaces_[index];
  if (const auto* put = std::get_if<Put>(&what))
    return write(now, index, {request, {KvOpKind::put, put->key, put->value, 0, 0}, 0}, out);
  if (const auto* del = std::get_if<Delete>(&what))
    return write(now, index, {request, {KvOpKind::del, del->key, {}, 0, 0}, 0}, out);
  if (const auto* add = std::get_if<Increment>(&what))
    return write(now, index, {request, {KvOpKind::counter, add->key, {}, 0, 0}, add->by}, out);
  if (const auto* watch = std::get_if<Watch>(&what)) {
    if (watches_.size() >= kWatchesMax) {
      out.push_back(TellDone{request, fail(Errc::exhausted, "too many watch already")});
      return;
    }
    watches_[request] = {index, watch->prefix};
    return;
  }
  if (space.synced) return read(index, request, what, out);
  if (space.reads.size() >= kWaitingReadsMax) {
    out.push_back(TellDone{request, fail(Errc::exhausted, "the namespace is still being joined")});
    return;
  }
  space.reads.emplace_back(request, what);
}

void CstoreCore::read(SpaceIndex index, RequestId request, const Request& what, Effects& out) {
  Space& space = *spaces_[index];
  if (const auto* get = std::get_if<Get>(&what)) {
    auto item = space.state.find(get->key);
    out.push_back(TellDone{
        request, item ? Result<Answer>(Found{std::move(*item)}) : Result<Answer>(not_found(*get))});
  } else if (const auto* list = std::get_if<List>(&what)) {
    List bounded = *list;
    bounded.limit = std::min(bounded.limit, kListMax);
    out.push_back(TellDone{request, Answer(space.state.list(bounded))});
  } else {
    out.push_back(TellDone{request, Answer(info(space))});
  }
}

void CstoreCore::end_wait(Space& space, SpaceIndex index, Effects& out) {
  space.synced = true;
  space.sync_deadline = kNever;
  const auto reads = std::exchange(space.reads, {});
  for (const auto& [request, what] : reads) read(index, request, what, out);
}

SpaceInfo CstoreCore::info(Space& space) const {
  SpaceInfo info;
  info.space = space.name;
  info.root = space.state.root();
  info.keys = space.state.keys();
  info.deleted = space.state.deleted();
  info.batches = space.log.batches();
  info.bytes = space.log.bytes();
  info.bytes_max = config_.space_bytes_max;
  info.writers = space.log.writers().size();
  info.waiting = space.log.waiting();
  if (space.own) info.own_sequence = space.log.highest(*space.own);
  return info;
}

void CstoreCore::cancel(RequestId request) {
  watches_.erase(request);
  std::erase_if(early_requests_, [&](const auto& one) { return one.first == request; });
  for (const auto& space : spaces_) {
    std::erase_if(space->reads, [&](const auto& one) { return one.first == request; });
    std::erase_if(space->queue, [&](const auto& one) { return one.request == request; });
  }
}

// --- Writing

Result<void> CstoreCore::queue_write(Space& space, QueuedWrite write) {
  const schema::KvOp& op = write.op;
  if (op.key.empty() || op.key.size() > schema::kKvKeyMax)
    return fail(Errc::usage, "the key is empty or too long",
                std::to_string(op.key.size()) + " bytes, " + std::to_string(schema::kKvKeyMax) +
                    " at most");
  if (op.value.size() > schema::kKvValueMax)
    return fail(Errc::oversized, "the value is too long",
                std::to_string(op.value.size()) + " bytes, " + std::to_string(schema::kKvValueMax) +
                    " at most",
                "add it as a file and put its CID");
  if (op.kind == schema::KvOpKind::counter && space.state.is_register(op.key))
    return fail(Errc::refused, "the key holds a value, not a counter", {}, "delete it first");
  if (op.kind != schema::KvOpKind::counter && space.state.is_counter(op.key))
    return fail(Errc::refused, "the key holds a counter", "it counts for all writers for ever",
                "kith kv incr " + space.name + " KEY N, or use another key");
  const std::uint64_t bytes = op.key.size() + op.value.size() + kOpOverhead;
  const std::uint64_t under_way = space.flight ? space.flight->exact.size() : 0;
  if (!has_room(space, static_cast<std::size_t>(space.queued_bytes + under_way + bytes)))
    return fail(Errc::exhausted, "namespace " + space.name + " is full",
                std::to_string(space.log.bytes()) + " bytes of batches, " +
                    std::to_string(config_.space_bytes_max) + " at most",
                "use a new namespace: nothing is compacted yet");
  if (space.queue.size() >= kQueuedWritesMax)
    return fail(Errc::exhausted, "too many writes wait for the disk", {}, "try again");
  space.queued_bytes += bytes;
  space.queue.push_back(std::move(write));
  return {};
}

void CstoreCore::write(Now now, SpaceIndex index, QueuedWrite write, Effects& out) {
  const RequestId request = write.request;
  if (auto queued = queue_write(*spaces_[index], std::move(write)); !queued) {
    out.push_back(TellDone{request, queued.error()});
    return;
  }
  flush(now, index, out);
}

void CstoreCore::fill_batch(Space& space, Flight& flight) const {
  std::map<Bytes, Sums> sums;  // of counters that this batch touches
  std::size_t bytes = space.name.size() + flight.batch.writer.id.bytes().size() + kOpOverhead;
  while (!space.queue.empty() && flight.batch.ops.size() < schema::kKvOpsMax) {
    QueuedWrite& write = space.queue.front();
    const std::size_t own = write.op.key.size() + write.op.value.size() + kOpOverhead;
    bytes += own;
    if (bytes > kBatchBodyMax) break;
    space.queued_bytes -= own;
    if (write.op.kind == schema::KvOpKind::counter) {
      Sums before = space.state.sums_of(write.op.key, flight.batch.writer);
      if (planted(Planted::counter_starts_anew)) before = {};
      const auto fresh = sums.try_emplace(write.op.key, before);
      Sums& sum = fresh.first->second;
      std::uint64_t& side = write.by < 0 ? sum.down : sum.up;
      const auto wide = static_cast<std::uint64_t>(write.by);
      const std::uint64_t by = write.by < 0 ? std::uint64_t{0} - wide : wide;
      side = by > UINT64_MAX - side ? UINT64_MAX : side + by;
      write.op.up = sum.up;
      write.op.down = sum.down;
    }
    flight.requests.push_back(write.request);
    flight.batch.ops.push_back(std::move(write.op));
    space.queue.pop_front();
  }
}

void CstoreCore::flush(Now now, SpaceIndex index, Effects& out) {
  Space& space = *spaces_[index];
  if (space.flight || space.queue.empty()) return;
  const auto stamp = clock_.next(now.wall);
  if (!stamp) {
    for (const QueuedWrite& write : space.queue)
      out.push_back(TellDone{write.request, stamp.error()});
    space.queue.clear();
    space.queued_bytes = 0;
    return;
  }
  Flight& flight = space.flight.emplace();
  if (!space.own) {
    space.own = Writer{config_.self, *stamp >> 16, rng_.next()};
    flight.first_of_writer = true;
  }
  flight.batch.space = space.name;
  flight.batch.writer = *space.own;
  flight.batch.sequence = space.log.highest(*space.own) + 1;
  flight.batch.stamp = *stamp;
  fill_batch(space, flight);
  Bytes body = schema::encode_kv_batch(flight.batch);
  flight.id = sha256(body);
  out.push_back(Seal{index, std::move(body)});
}

void CstoreCore::on_sealed(Now, SpaceIndex index, Bytes exact, Effects& out) {
  Space& space = *spaces_[index];
  CHECK(space.flight && exact.size() <= schema::kKvSignedBytesMax);
  Flight& flight = *space.flight;
  flight.exact = std::move(exact);
  const Writer& writer = flight.batch.writer;
  Commit commit;
  commit.batch.put(config_.families.log, log_key(space.name, writer, flight.batch.sequence),
                   to_checked(flight.exact));
  if (flight.first_of_writer)
    commit.batch.put(config_.families.meta, Bytes::copy(space.name),
                     schema::encode_kv_space_record({writer.started, writer.nonce}));
  commit.tag = kTagOwnBatch + index;
  if (planted(Planted::write_not_synced)) commit.durability = Durability::buffered;
  out.push_back(std::move(commit));
  if (planted(Planted::write_acked_early))
    for (const RequestId request : flight.requests) out.push_back(TellDone{request, Written{}});
}

void CstoreCore::on_persisted(Now now, std::uint64_t tag, Result<void> result, Effects& out) {
  if (!result) ++counters_.store_failures;
  const std::uint64_t kind = tag >> 32 << 32;
  const auto index = static_cast<SpaceIndex>(tag - kind);
  Space& space = *spaces_[index];
  if (kind == kTagStored) return on_stored(now, index, result.has_value(), out);
  if (kind == kTagRecord) {
    if (!result) gate_.on_refused(now.mono);
    // Our first batch, which brings it too, may have been quicker.
    if (space.record == Record::under_way)
      space.record = result ? Record::durable : Record::refused;
    return;
  }
  CHECK(kind == kTagOwnBatch && space.flight);
  if (result) {
    land(now, index, out);
  } else {
    for (const RequestId request : space.flight->requests)
      out.push_back(TellDone{request, result.error()});
    if (space.flight->first_of_writer) space.own.reset();
    space.flight.reset();
  }
  flush(now, index, out);
}

// Our batch is durable: it is applied change by change, so that each answer says what it left.
void CstoreCore::land(Now, SpaceIndex index, Effects& out) {
  Space& space = *spaces_[index];
  const Flight flight = std::move(*space.flight);
  space.flight.reset();
  if (flight.first_of_writer) space.record = Record::durable;
  const auto bytes = static_cast<std::uint32_t>(flight.exact.size());
  const Writer* writer = space.log.hold(flight.batch.writer, {flight.id, bytes});
  const Origin origin{flight.batch.stamp, writer, flight.batch.sequence};
  for (std::uint32_t i = 0; i < flight.batch.ops.size(); ++i) {
    const schema::KvOp& op = flight.batch.ops[i];
    const bool changed = space.state.apply(op, origin, i);
    if (space.folding) space.folding->apply(op, origin, i);
    if (changed) tell_watchers(index, op.key, out);
    out.push_back(TellDone{flight.requests[i], Answer(Written{space.state.describe(op.key)})});
  }
  counters_.writes += flight.batch.ops.size();
  ++counters_.batches_own;
  out.push_back(Publish{index, flight.exact});
}

Status CstoreCore::status() const {
  Status status;
  status.spaces = static_cast<std::uint32_t>(spaces_.size());
  for (const auto& space : spaces_) {
    status.keys += space->state.keys();
    status.bytes += space->log.bytes();
  }
  status.store_refuses = !gate_.open();
  status.counters = counters_;
  return status;
}

}  // namespace kith::cstore
