#include "dht/value_records.hpp"

#include <algorithm>

namespace kith::dht {
namespace {

bool expired(Wall now, Wall received) { return now - received >= kValueLifetime; }

}  // namespace

ValueRecords::Values::iterator ValueRecords::erase(Values::iterator at, Effects& out) {
  out.push_back(Persist{value_entry_key(at->first), std::nullopt});
  quota_.give_back(at->second.source);
  return values_.erase(at);
}

bool ValueRecords::evict_heavier(Source source, Effects& out) {
  auto heaviest = values_.end();
  std::size_t most = quota_.held(source) + 1;
  for (int draw = 0; draw < kEvictionDraws; ++draw) {
    // Keys share long prefixes, so a place is drawn by counting, not by a random key.
    auto at = values_.begin();
    std::advance(at, static_cast<long>(rng_.below(values_.size())));
    const std::size_t held = quota_.held(at->second.source);
    if (held <= most) continue;
    most = held;
    heaviest = at;
  }
  if (heaviest == values_.end()) return false;
  erase(heaviest, out);
  return true;
}

Result<void> ValueRecords::put(Wall now, ByteView key, ByteView value, Source source,
                               Effects& out) {
  if (value.size() > kStoredValueMax)
    return fail(Errc::oversized, "a value record of more than 4096 bytes");
  KITH_TRY_VOID(validators_->validate(key, value, now));
  auto at = values_.find(key);
  if (at != values_.end() && expired(now, at->second.held.received)) {
    erase(at, out);
    at = values_.end();
  }
  if (at != values_.end()) {
    const Bytes& held = at->second.held.value;
    if (!equal(held, value) && !validators_->better(key, held, value))
      return fail(Errc::refused, "a value record worse than the one held here");
    if (!equal(held, value)) at->second.held.value = Bytes::copy(value);
    at->second.held.received = now;
  } else {
    if (quota_.held(source) >= std::max<std::size_t>(1, values_max_ / kSourceShare))
      return fail(Errc::exhausted, "too many value records of one source");
    if (values_.size() >= values_max_ && !evict_heavier(source, out))
      return fail(Errc::exhausted, "no room for more value records");
    at = values_.emplace(Bytes::copy(key), Record{{Bytes::copy(value), now}, source}).first;
    quota_.take(source);
  }
  const Record& record = at->second;
  StoredEntry entry =
      encode_stored(StoredValue{at->first, record.held.received, record.source, record.held.value});
  out.push_back(Persist{std::move(entry.key), std::move(entry.value)});
  return {};
}

void ValueRecords::load(Wall now, const StoredValue& stored, Effects& out) {
  if (values_.contains(stored.key)) return;  // put since we started
  const Wall received = std::min(stored.received, now);
  const bool keep = !expired(now, received) && values_.size() < values_max_ &&
                    stored.value.size() <= kStoredValueMax &&
                    validators_->validate(stored.key, stored.value, now);
  if (!keep) {
    out.push_back(Persist{value_entry_key(stored.key), std::nullopt});
    return;
  }
  values_.emplace(stored.key, Record{{stored.value, received}, stored.source});
  quota_.take(stored.source);
}

const ValueRecords::Held* ValueRecords::find(Wall now, ByteView key) const {
  const auto at = values_.find(key);
  if (at == values_.end() || expired(now, at->second.held.received)) return nullptr;
  return &at->second.held;
}

void ValueRecords::sweep(Wall now, Effects& out) {
  auto at = values_.upper_bound(ByteView(swept_));
  for (std::size_t i = 0; i < kSweepKeys && at != values_.end(); ++i) {
    swept_ = at->first;
    at = expired(now, at->second.held.received) ? erase(at, out) : std::next(at);
  }
  if (at == values_.end()) swept_ = {};
}

}  // namespace kith::dht
