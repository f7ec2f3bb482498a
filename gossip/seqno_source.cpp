#include "gossip/seqno_source.hpp"

#include <algorithm>

#include "net/base/planted.hpp"

namespace kith::gossip {
namespace {

const std::string_view kMarkKey = "seqno-mark";

Bytes encode_mark(std::uint64_t mark) {
  return Bytes::make(8, [mark](std::span<std::uint8_t> to) {
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] = static_cast<std::uint8_t>(mark >> (8 * (to.size() - 1 - i)));
  });
}

std::optional<std::uint64_t> decode_mark(const Bytes& bytes) {
  if (bytes.size() != 8) return std::nullopt;
  std::uint64_t mark = 0;
  for (const std::uint8_t byte : bytes) mark = mark << 8 | byte;
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
  Bytes mark;
  switch (store_->try_get(family_, as_bytes(kMarkKey), mark)) {
    case Store::Got::found:
      start(&mark);
      break;
    case Store::Got::absent:
      start(nullptr);
      break;
    case Store::Got::pending:
      store_->get(family_, Bytes::copy(kMarkKey), *this, 0);
      break;
  }
}

SeqnoSource::~SeqnoSource() {
  if (store_ != nullptr) store_->forget(*this);
}

void SeqnoSource::start(const Bytes* stored) {
  const std::optional<std::uint64_t> mark = stored == nullptr ? 0 : decode_mark(*stored);
  if (!mark) {
    failure_ = fail(Errc::corrupt, "the stored high-water mark of message numbers is damaged",
                    "it has " + std::to_string(stored->size()) + " bytes or a value out of range");
    return;
  }
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
  if (next_ + kSeqnoBlock / 2 >= durable_) reserve();
  if (failure_ && next_ >= durable_) return *failure_;
  // Numbers beyond what the store was told are never given out.
  if (next_ >= std::max(reserved_, durable_))
    return fail(Errc::exhausted, "more messages than the disk keeps up with");
  return next_++;
}

void SeqnoSource::on_persisted(Now now, std::uint64_t mark, Result<void> result) {
  reserving_ = false;
  if (result) {
    failure_.reset();
    durable_ = mark;
    listener_.on_seqnos(now, nullptr);
  } else {
    failure_ = result.error();
    reserved_ = durable_;
    listener_.on_seqnos(now, &*failure_);
  }
}

void SeqnoSource::on_read(Now now, std::uint64_t, Result<std::optional<Bytes>> value) {
  if (!value) {
    failure_ = value.error();
    return;
  }
  start(value->has_value() ? &**value : nullptr);
  if (failure_) listener_.on_seqnos(now, &*failure_);
}

}  // namespace kith::gossip
