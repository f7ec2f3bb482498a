#include "gossip/seqno_source.hpp"

#include <algorithm>

#include "net/base/checked_value.hpp"
#include "net/base/planted.hpp"

namespace kith::gossip {
namespace {

const std::string_view kMarkKey = "seqno-mark";

Bytes encode_mark(std::uint64_t mark) {
  return to_checked(Bytes::make(8, [mark](std::span<std::uint8_t> to) {
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] = static_cast<std::uint8_t>(mark >> (8 * (to.size() - 1 - i)));
  }));
}

std::optional<std::uint64_t> decode_mark(const Bytes& stored) {
  const auto bytes = of_checked(stored);
  if (!bytes || bytes->size() != 8) return std::nullopt;
  std::uint64_t mark = 0;
  for (const std::uint8_t byte : *bytes) mark = mark << 8 | byte;
  if (mark > kSeqnoMarkMax) return std::nullopt;
  return mark;
}

}  // namespace

SeqnoSource::SeqnoSource(Now now, Store* store, SeqnoListener& listener)
    : store_(store), listener_(listener) {
  const auto since = now.wall.time_since_epoch().count();
  next_ = since < 0 ? 0 : static_cast<std::uint64_t>(since);
  if (store_ == nullptr) {
    started_ = true;
    durable_ = UINT64_MAX;
    return;
  }
  family_ = store_->family("gossip");
  read(now);
}

SeqnoSource::~SeqnoSource() {
  if (store_ != nullptr) store_->forget(*this);
}

void SeqnoSource::read(Now now) {
  Bytes mark;
  switch (store_->try_get(family_, as_bytes(kMarkKey), mark)) {
    case Store::Got::found:
      return start(now, &mark);
    case Store::Got::absent:
      return start(now, nullptr);
    case Store::Got::pending:
      return store_->get(family_, Bytes::copy(kMarkKey), *this, 0);
  }
}

void SeqnoSource::start(Now now, const Bytes* stored) {
  const std::optional<std::uint64_t> mark = stored == nullptr ? 0 : decode_mark(*stored);
  if (!mark)
    return fail_for_now(
        now, fail(Errc::corrupt, "the stored high-water mark of message numbers is damaged",
                  "it was not read as it was written, or its value is out of range"));
  failure_.reset();
  started_ = true;
  next_ = planted(Planted::seqno_restarted) ? 0 : std::max(next_, *mark);
  reserve();
}

void SeqnoSource::reserve() {
  if (reserving_) return;
  reserving_ = true;
  reserved_ = next_ + kSeqnoBlock;
  StoreBatch batch;
  batch.put(family_, Bytes::copy(kMarkKey), encode_mark(reserved_));
  store_->commit(std::move(batch), Durability::synced, *this, reserved_);
}

Result<std::uint64_t> SeqnoSource::take() {
  if (!started_)
    return failure_ ? *failure_ : fail(Errc::refused, "the number of the last message is not read");
  if (store_ == nullptr) return next_++;
  if (!failure_ && next_ + kSeqnoBlock / 2 >= durable_) reserve();
  if (failure_ && next_ >= durable_) return *failure_;
  // Numbers beyond what the store was told are never given out.
  if (next_ >= std::max(reserved_, durable_))
    return fail(Errc::exhausted, "more messages than the disk keeps up with");
  return next_++;
}

void SeqnoSource::on_persisted(Now now, std::uint64_t mark, Result<void> result) {
  reserving_ = false;
  if (!result) {
    fail_for_now(now, fail(result.error().code, "the disk does not take the number of a message",
                           result.error().what, "free some room on it"));
    return tell_failure(now);
  }
  failure_.reset();
  told_ = false;
  durable_ = mark;
  listener_.on_seqnos(now, nullptr);
}

void SeqnoSource::on_read(Now now, std::uint64_t, Result<std::optional<Bytes>> value) {
  if (value)
    start(now, value->has_value() ? &**value : nullptr);
  else
    fail_for_now(now, value.error());
  tell_failure(now);
}

void SeqnoSource::on_tick(Now now) {
  if (now.mono < retry_at_) return;
  retry_at_ = kNever;
  if (started_)
    reserve();
  else
    read(now);
  tell_failure(now);
}

void SeqnoSource::fail_for_now(Now now, Error why) {
  wait_ = failure_ ? std::min(2 * wait_, kSeqnoRetryMax) : kSeqnoRetryMin;
  retry_at_ = later(now.mono, wait_);
  failure_ = std::move(why);
}

void SeqnoSource::tell_failure(Now now) {
  if (failure_ && !std::exchange(told_, true)) listener_.on_seqnos(now, &*failure_);
}

}  // namespace kith::gossip
