#include "services/cstore/batch_log.hpp"

#include "net/base/check.hpp"

namespace kith::cstore {
namespace {

Sha256Digest chain(const Sha256Digest& before, const Sha256Digest& id) {
  std::array<std::uint8_t, 2 * kSha256Size> both{};
  std::copy(before.begin(), before.end(), both.begin());
  std::copy(id.begin(), id.end(), both.begin() + kSha256Size);
  return sha256(both);
}

}  // namespace

const BatchLog::Writings* BatchLog::find(const Writer& writer) const {
  const auto at = writers_.find(writer);
  return at == writers_.end() ? nullptr : &at->second;
}

const BatchLog::Writer* BatchLog::key_of(const Writer& writer) const {
  const auto at = writers_.find(writer);
  return at == writers_.end() ? nullptr : &at->first;
}

std::uint64_t BatchLog::highest(const Writer& writer) const {
  const Writings* writings = find(writer);
  return writings == nullptr ? 0 : writings->highest();
}

Place BatchLog::place(const Writer& writer, std::uint64_t sequence, const Sha256Digest& id,
                      std::size_t bytes) const {
  const Writings* writings = find(writer);
  if (writings == nullptr && writers_.size() >= kWritersMax) return Place::full;
  const std::uint64_t highest = writings == nullptr ? 0 : writings->highest();
  if (sequence <= highest) {
    const Sha256Digest& held = writings->held[static_cast<std::size_t>(sequence - 1)].id;
    if (held == id) return Place::known;
    return id < held ? Place::fork_wins : Place::fork_loses;
  }
  const std::uint64_t reached = writings == nullptr ? 0 : writings->reached();
  if (sequence <= reached) {
    // Of a fork's halves the one that came first is stored: the catch-up settles it.
    const bool same = writings->storing[static_cast<std::size_t>(sequence - highest - 1)].id == id;
    return same ? Place::known : Place::fork_loses;
  }
  if (!has_room(bytes)) return Place::full;
  if (sequence == reached + 1) return Place::next;
  if (writings != nullptr) {
    const auto waiting = writings->early.find(sequence);
    if (waiting != writings->early.end() && waiting->second.id == id) return Place::known;
    // Which of two halves of a fork waits does not matter: the catch-up brings the other.
    if (waiting != writings->early.end() || writings->early.size() >= kEarlyPerWriterMax)
      return Place::too_early;
  }
  if (sequence - reached > kEarlyPerWriterMax || early_bytes_ + bytes > kEarlyBytesMax)
    return Place::too_early;
  return Place::early;
}

const BatchLog::Writer* BatchLog::hold(const Writer& writer, const HeldBatch& batch) {
  const auto at = writers_.try_emplace(writer).first;
  Writings& writings = at->second;
  CHECK(writings.storing.empty());
  writings.held.push_back(batch);
  writings.digest = chain(writings.digest, batch.id);
  bytes_ += batch.bytes;
  ++batches_;
  return &at->first;
}

void BatchLog::store(const Writer& writer, const HeldBatch& batch) {
  writers_[writer].storing.push_back(batch);
  storing_bytes_ += batch.bytes;
}

const BatchLog::Writer* BatchLog::stored(const Writer& writer, std::uint64_t sequence,
                                         const Sha256Digest& id) {
  const auto at = writers_.find(writer);
  if (at == writers_.end()) return nullptr;
  Writings& writings = at->second;
  if (sequence != writings.highest() + 1 || writings.storing.empty() ||
      writings.storing.front().id != id)
    return nullptr;
  const HeldBatch batch = writings.storing.front();
  writings.storing.erase(writings.storing.begin());
  storing_bytes_ -= batch.bytes;
  writings.held.push_back(batch);
  writings.digest = chain(writings.digest, batch.id);
  bytes_ += batch.bytes;
  ++batches_;
  return &at->first;
}

void BatchLog::not_stored(const Writer& writer, std::uint64_t sequence, const Sha256Digest& id) {
  const auto at = writers_.find(writer);
  if (at == writers_.end()) return;
  Writings& writings = at->second;
  if (sequence <= writings.highest() || sequence > writings.reached()) return;
  const auto place = static_cast<std::ptrdiff_t>(sequence - writings.highest() - 1);
  const auto first = writings.storing.begin() + place;
  if (first->id != id) return;
  for (auto one = first; one != writings.storing.end(); ++one) storing_bytes_ -= one->bytes;
  writings.storing.erase(first, writings.storing.end());
  // A writer of whom there is nothing takes no place of another.
  if (writings.reached() == 0 && writings.early.empty()) writers_.erase(at);
}

void BatchLog::early(EarlyBatch batch) {
  Writings& writings = writers_[batch.batch.writer];
  early_bytes_ += batch.exact.size();
  ++waiting_;
  const std::uint64_t sequence = batch.batch.sequence;
  const bool fresh = writings.early.emplace(sequence, std::move(batch)).second;
  CHECK(fresh);
}

void BatchLog::drop_early(Writings& writings, std::uint64_t up_to) {
  while (!writings.early.empty() && writings.early.begin()->first <= up_to) {
    early_bytes_ -= writings.early.begin()->second.exact.size();
    --waiting_;
    writings.early.erase(writings.early.begin());
  }
}

std::optional<EarlyBatch> BatchLog::take_next(const Writer& writer) {
  const auto at = writers_.find(writer);
  if (at == writers_.end()) return std::nullopt;
  Writings& writings = at->second;
  drop_early(writings, writings.reached());
  if (writings.early.empty() || writings.early.begin()->first != writings.reached() + 1)
    return std::nullopt;
  if (!has_room(writings.early.begin()->second.exact.size())) return std::nullopt;
  std::optional<EarlyBatch> next = std::move(writings.early.begin()->second);
  early_bytes_ -= next->exact.size();
  --waiting_;
  writings.early.erase(writings.early.begin());
  return next;
}

void BatchLog::replace(const Writer& writer, std::uint64_t sequence, const HeldBatch& batch) {
  Writings& writings = writers_.at(writer);
  HeldBatch& held = writings.held[static_cast<std::size_t>(sequence - 1)];
  bytes_ = bytes_ - held.bytes + batch.bytes;
  held = batch;
  writings.digest = {};
  for (const HeldBatch& one : writings.held) writings.digest = chain(writings.digest, one.id);
}

std::vector<schema::KvMark> BatchLog::marks() const {
  std::vector<schema::KvMark> marks;
  marks.reserve(writers_.size());
  for (const auto& [writer, writings] : writers_)
    if (writings.highest() > 0) marks.push_back({writer, writings.highest(), writings.digest});
  return marks;
}

}  // namespace kith::cstore
