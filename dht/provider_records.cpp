#include "dht/provider_records.hpp"

#include <algorithm>

namespace kith::dht {
namespace {

bool expired(Wall now, Wall received) { return now - received >= kProviderLifetime; }

Persist put(const Multihash& key, const PeerRef& provider, Wall received,
            const std::vector<Multiaddr>& addrs) {
  StoredEntry entry = encode_stored(StoredProvider{key, provider.id(), received, addrs});
  return {std::move(entry.key), std::move(entry.value)};
}

}  // namespace

void ProviderRecords::erase(Keys::iterator key, std::size_t at, Effects& out) {
  const Record& record = key->second[at];
  out.push_back(Persist{provider_entry_key(key->first, record.provider.id()), std::nullopt});
  quota_.give_back(record.source);
  --size_;
  key->second.erase(key->second.begin() + static_cast<long>(at));
}

void ProviderRecords::drop_expired(Wall now, Keys::iterator key, Effects& out) {
  for (std::size_t i = key->second.size(); i-- > 0;)
    if (expired(now, key->second[i].received)) erase(key, i, out);
}

bool ProviderRecords::evict_heavier(Source source, Effects& out) {
  const std::size_t own = quota_.held(source) + 1;
  auto heaviest = keys_.end();
  std::size_t heaviest_at = 0;
  std::size_t most = own;
  for (int draw = 0; draw < kEvictionDraws; ++draw) {
    std::array<std::uint8_t, 32> random{};
    rng_.fill(random);
    auto key = keys_.lower_bound(Multihash::sha256(random));
    if (key == keys_.end()) key = keys_.begin();
    for (std::size_t i = 0; i < key->second.size(); ++i) {
      const std::size_t held = quota_.held(key->second[i].source);
      if (held <= most) continue;
      most = held;
      heaviest = key;
      heaviest_at = i;
    }
  }
  if (heaviest == keys_.end()) return false;
  erase(heaviest, heaviest_at, out);
  if (heaviest->second.empty()) keys_.erase(heaviest);
  return true;
}

// For one record more of `source`: false, and nothing done, when there is none to be had.
bool ProviderRecords::make_room(const Records& of_key, Source source, Effects& out) {
  const auto here = std::count_if(of_key.begin(), of_key.end(),
                                  [&](const Record& record) { return record.source == source; });
  if (static_cast<std::size_t>(here) >= kSourcePerKey) return false;
  if (quota_.held(source) >= std::max<std::size_t>(1, providers_max_ / kSourceShare)) return false;
  if (of_key.size() >= kProvidersPerKey || size_ < providers_max_) return true;
  return evict_heavier(source, out);
}

bool ProviderRecords::add(Wall now, const Multihash& key, const PeerRef& provider, Source source,
                          const std::vector<Multiaddr>& addrs, Effects& out) {
  auto at = keys_.find(key);
  if (at != keys_.end()) drop_expired(now, at, out);
  static const Records kNone;
  const Records& before = at == keys_.end() ? kNone : at->second;
  const auto known = std::find_if(before.begin(), before.end(), [&](const Record& record) {
    return record.provider == provider;
  });
  if (known != before.end()) {
    // Told again: it becomes the newest, and keeps the source that it was booked under.
    Records& records = at->second;
    const auto place = records.begin() + (known - before.begin());
    place->received = now;
    std::rotate(place, place + 1, records.end());
  } else {
    if (!make_room(before, source, out)) {
      if (at != keys_.end() && at->second.empty()) keys_.erase(at);
      return false;
    }
    at = keys_.try_emplace(key).first;  // making room may have dropped it
    if (at->second.size() >= kProvidersPerKey) erase(at, 0, out);
    at->second.push_back({provider, now, source});
    quota_.take(source);
    ++size_;
  }
  out.push_back(put(key, provider, now, addrs));
  return true;
}

void ProviderRecords::load(Wall now, const StoredProvider& stored, const PeerRef& provider,
                           Effects& out) {
  const Wall received = std::min(stored.received, now);
  Records* records = nullptr;
  if (!expired(now, received) && size_ < providers_max_) records = &keys_[stored.key];
  const bool known = records != nullptr &&
                     std::any_of(records->begin(), records->end(),
                                 [&](const Record& record) { return record.provider == provider; });
  if (known) return;  // told again since we started: newer than what was stored
  if (records == nullptr || records->size() >= kProvidersPerKey) {
    out.push_back(Persist{provider_entry_key(stored.key, stored.provider), std::nullopt});
    return;
  }
  const Source source = source_of(provider, 0);
  const auto after =
      std::upper_bound(records->begin(), records->end(), received,
                       [](Wall time, const Record& record) { return time < record.received; });
  records->insert(after, {provider, received, source});
  quota_.take(source);
  ++size_;
}

std::vector<PeerRef> ProviderRecords::find(Wall now, const Multihash& key) const {
  std::vector<PeerRef> found;
  const auto at = keys_.find(key);
  if (at == keys_.end()) return found;
  for (auto record = at->second.rbegin(); record != at->second.rend(); ++record)
    if (!expired(now, record->received)) found.push_back(record->provider);
  return found;
}

void ProviderRecords::sweep(Wall now, Effects& out) {
  auto at = keys_.upper_bound(swept_);
  for (std::size_t i = 0; i < kSweepKeys && at != keys_.end(); ++i) {
    swept_ = at->first;
    drop_expired(now, at, out);
    at = at->second.empty() ? keys_.erase(at) : std::next(at);
  }
  if (at == keys_.end()) swept_ = {};
}

}  // namespace kith::dht
