#include "dht/provided.hpp"

#include <algorithm>

namespace kith::dht {
namespace {

Persist put(const Multihash& key, Wall told) {
  StoredEntry entry = encode_stored(StoredProvided{key, told});
  return {std::move(entry.key), std::move(entry.value)};
}

}  // namespace

void Provided::schedule(Keys::iterator key, Wall at) {
  if (key->second.due != Wall::max()) due_.erase({key->second.due, key->first});
  key->second.due = at;
  if (at != Wall::max()) due_.insert({at, key->first});
}

bool Provided::add(Wall, const Multihash& key, Effects& out) {
  const auto known = keys_.find(key);
  if (known != keys_.end()) {
    schedule(known, Wall::max());
    return true;
  }
  if (keys_.size() >= kProvidedMax) return false;
  keys_.emplace(key, State{});
  out.push_back(put(key, Wall{}));
  return true;
}

void Provided::remove(const Multihash& key, Effects& out) {
  const auto known = keys_.find(key);
  if (known == keys_.end()) return;
  schedule(known, Wall::max());
  keys_.erase(known);
  out.push_back(Persist{provided_entry_key(key), std::nullopt});
}

void Provided::load(Wall now, const StoredProvided& stored) {
  if (keys_.size() >= kProvidedMax) return;
  const auto [at, fresh] = keys_.emplace(stored.key, State{});
  if (!fresh) return;  // added again since we started
  const bool sane = stored.told <= now && now - stored.told < kReprovideInterval;
  const auto spread = static_cast<std::uint64_t>(kCatchUpSpread.count());
  const Wall soon = now + Duration(static_cast<std::int64_t>(rng_.below(spread)));
  schedule(at, sane ? std::max(soon, stored.told + kReprovideInterval) : soon);
}

std::optional<Multihash> Provided::take_due(Wall now) {
  if (due_.empty() || due_.begin()->first > now) return std::nullopt;
  const Multihash key = due_.begin()->second;
  schedule(keys_.find(key), Wall::max());
  return key;
}

void Provided::on_told(Wall now, const Multihash& key, std::uint32_t stored, Effects& out) {
  const auto known = keys_.find(key);
  if (known == keys_.end()) return;  // no longer provided
  if (stored > 0) {
    known->second.retry = kRetryFirst;
    schedule(known, now + kReprovideInterval);
    out.push_back(put(key, now));
    return;
  }
  schedule(known, now + known->second.retry);
  known->second.retry = std::min(known->second.retry * 2, kRetryMax);
}

void Provided::on_network(Wall now) {
  for (auto key = keys_.begin(); key != keys_.end(); ++key) {
    if (key->second.retry == kRetryFirst || key->second.due == Wall::max()) continue;
    key->second.retry = kRetryFirst;
    schedule(key, now);
  }
}

}  // namespace kith::dht
