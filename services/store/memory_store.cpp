#include "services/store/memory_store.hpp"

#include "net/base/check.hpp"

namespace kith::store {

namespace {
constexpr std::size_t kCopiedBelow = 256;

// A small piece in a buffer of its own: it may be a slice of a large one, and one allocation is
// less than what is adopted.
Bytes compact(const Bytes& from) { return from.size() < kCopiedBelow ? Bytes::copy(from) : from; }
}  // namespace

void MemoryDisk::set(const Key& key, const std::optional<Bytes>& value) {
  if (const auto old = entries_.find(key); old != entries_.end()) {
    bytes_ -= key.second.size() + old->second.size();
    entries_.erase(old);
  }
  if (!value) return;
  bytes_ += key.second.size() + value->size();
  entries_.emplace(key, *value);
}

void MemoryDisk::set_durable(std::uint64_t end) {
  for (; undo_first_ < end && !undo_.empty(); ++undo_first_) undo_.pop_front();
}

void MemoryDisk::write_back(Mono now) {
  while (!undo_.empty() && now - undo_.front().at >= kWrittenBack) set_durable(undo_first_ + 1);
}

void MemoryDisk::apply(Mono now, const StoreWrite& write) {
  write_back(now);
  const Key key{write.family, compact(write.key)};
  const auto old = entries_.find(key);
  undo_.push_back(
      {key, old == entries_.end() ? std::nullopt : std::optional(old->second), batches_, now});
  set(key, write.value ? std::optional(compact(*write.value)) : std::nullopt);
}

void MemoryDisk::crash(Mono now) {
  write_back(now);
  std::uint64_t keep = 0;  // batches below it survive
  if (faults.torn && !undo_.empty()) {
    const std::uint64_t first = undo_.front().batch;
    keep = first + rng_.below(undo_.back().batch - first + 2);
  }
  for (; !undo_.empty() && undo_.back().batch >= keep; undo_.pop_back())
    set(undo_.back().key, undo_.back().value);
  undo_.clear();
}

Bytes MemoryDisk::read(const Bytes& value) {
  if (faults.rot_ppm == 0 || value.empty() || !rng_.chance(faults.rot_ppm)) return value;
  std::vector<std::uint8_t> rotten(value.data(), value.data() + value.size());
  const std::uint64_t bit = rng_.below(rotten.size() * 8);
  rotten[static_cast<std::size_t>(bit / 8)] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  return Bytes::copy(rotten);
}

// Answers writes in order, each after the disk's delay. A sync makes durable when it is answered,
// not before: a crash in between loses it, as it may on a real disk.
class MemoryStore::Later final : public Alarm {
 public:
  Later(MemoryStore& store, Loop& loop) : store_(store), loop_(loop) {}
  ~Later() { loop_.arm(*this, kNever); }

  void add(Duration delay, bool synced, StoreSink* sink, std::uint64_t tag, Result<void> result) {
    const Mono at = std::max(loop_.now().mono + delay, last_);
    last_ = at;
    // Undo entries up to here are durable once this is answered.
    waiting_.push_back({at, synced, store_.disk_->undo_end(), sink, tag, std::move(result)});
    arm();
  }
  void read(Loop::Task task) {
    const Duration delay = store_.disk_->faults.read_delay;
    if (delay <= Duration{} && reads_.empty()) return loop_.post(std::move(task));
    const Mono last = reads_.empty() ? Mono{} : reads_.back().first;
    reads_.emplace_back(std::max(loop_.now().mono + delay, last), std::move(task));
    arm();
  }
  void on_alarm(Now now) override {
    while (!reads_.empty() && reads_.front().first <= now.mono) {
      const Loop::Task task = std::move(reads_.front().second);
      reads_.pop_front();
      task();
    }
    while (!waiting_.empty() && waiting_.front().at <= now.mono) {
      Answer next = std::move(waiting_.front());
      waiting_.pop_front();
      if (next.synced && next.result) store_.disk_->set_durable(next.undo);
      if (store_.sinks_.count(next.sink) != 0)
        next.sink->on_persisted(now, next.tag, std::move(next.result));
    }
    arm();
  }

 private:
  struct Answer {
    Mono at;
    bool synced = false;
    std::uint64_t undo = 0;
    StoreSink* sink = nullptr;
    std::uint64_t tag = 0;
    Result<void> result;
  };
  void arm() {
    const Mono write = waiting_.empty() ? kNever : waiting_.front().at;
    loop_.arm(*this, reads_.empty() ? write : std::min(write, reads_.front().first));
  }
  MemoryStore& store_;
  Loop& loop_;
  std::deque<Answer> waiting_;
  std::deque<std::pair<Mono, Loop::Task>> reads_;
  Mono last_{};
};

MemoryStore::MemoryStore(std::shared_ptr<MemoryDisk> disk, Loop& loop)
    : disk_(std::move(disk)), loop_(loop), later_(std::make_unique<Later>(*this, loop)) {}

MemoryStore::~MemoryStore() { *alive_ = false; }

Family MemoryStore::family(std::string_view name) const {
  for (std::size_t i = 0; i < disk_->names_.size(); ++i)
    if (disk_->names_[i] == name) return static_cast<Family>(i);
  check_failed("a family that was not named when the store was opened", __FILE__, __LINE__);
}

Result<void> MemoryStore::try_commit(Mono now, const StoreBatch& batch, Durability durability) {
  MemoryFaults& faults = disk_->faults;
  const bool synced = durability == Durability::synced;
  if (synced && faults.fail_sync != 0 && --faults.fail_sync == 0) broken_ = true;
  if (faults.fail_commit != 0 && --faults.fail_commit == 0) broken_ = true;
  if (broken_) return fail(Errc::io, "the store failed");
  std::uint64_t bytes = 0;
  for (const StoreWrite& write : batch.writes)
    bytes += write.key.size() + (write.value ? write.value->size() : 0);
  const bool refused = faults.refuse_commit != 0 && --faults.refuse_commit == 0;
  if (refused || disk_->bytes_ + bytes > faults.bytes_max)
    return fail(Errc::disk_full, "no room left for the store");
  ++disk_->batches_;
  for (const StoreWrite& write : batch.writes) {
    CHECK(write.family < disk_->names_.size());
    disk_->apply(now, write);
  }
  return {};
}

void MemoryStore::commit(StoreBatch batch, Durability durability, StoreSink& sink,
                         std::uint64_t tag) {
  sinks_.insert(&sink);
  later_->add(disk_->faults.write_delay, durability == Durability::synced, &sink, tag,
              try_commit(loop_.now().mono, batch, durability));
}

Store::Got MemoryStore::try_get(Family family, ByteView key, Bytes& value) {
  if (disk_->faults.forget_cache || disk_->faults.read_delay > Duration{}) return Got::pending;
  const auto found = disk_->entries_.find({family, Bytes::copy(key)});
  if (found == disk_->entries_.end()) return Got::absent;
  value = disk_->read(found->second);
  return Got::found;
}

void MemoryStore::get(Family family, Bytes key, StoreSink& sink, std::uint64_t tag) {
  sinks_.insert(&sink);
  const auto found = disk_->entries_.find({family, std::move(key)});
  std::optional<Bytes> value;
  if (found != disk_->entries_.end()) value = disk_->read(found->second);
  later_->read([this, alive = alive_, target = &sink, tag, value = std::move(value)] {
    if (*alive && sinks_.count(target) != 0) target->on_read(loop_.now(), tag, value);
  });
}

void MemoryStore::scan(StoreScan what, StoreSink& sink, std::uint64_t tag) {
  sinks_.insert(&sink);
  std::vector<StoreEntry> entries;
  bool more = false;
  std::size_t bytes = 0;
  for (auto at = disk_->entries_.lower_bound({what.family, what.from});
       at != disk_->entries_.end() && at->first.first == what.family; ++at) {
    if (!what.to.empty() && at->first.second >= what.to) break;
    if (entries.size() == what.entries_max || bytes >= what.bytes_max) {
      more = true;
      break;
    }
    entries.push_back({at->first.second, what.keys_only ? Bytes() : disk_->read(at->second)});
    bytes += entries.back().key.size() + entries.back().value.size();
  }
  later_->read([this, alive = alive_, target = &sink, tag, more, entries = std::move(entries)] {
    if (*alive && sinks_.count(target) != 0) target->on_scanned(loop_.now(), tag, entries, more);
  });
}

StoreUsage MemoryStore::usage() const {
  StoreUsage usage;
  usage.bytes_used = disk_->bytes_;
  usage.bytes_free = disk_->faults.bytes_max - std::min(disk_->faults.bytes_max, disk_->bytes_);
  usage.writable = !broken_;
  return usage;
}

}  // namespace kith::store
