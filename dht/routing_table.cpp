#include "dht/routing_table.hpp"

#include <algorithm>
#include <array>

#include "net/base/check.hpp"
#include "net/base/planted.hpp"

namespace kith::dht {
namespace {

std::uint32_t seconds(Mono at) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

}  // namespace

RoutingTable::RoutingTable(const Key& self, std::size_t bucket_max)
    : self_(self), bucket_max_(bucket_max) {}

RoutingTable::Range RoutingTable::bucket(int prefix) const {
  const auto below = [](const Entry& entry, int wanted) { return entry.prefix < wanted; };
  const auto first = std::lower_bound(entries_.begin(), entries_.end(), prefix, below);
  const auto last = std::lower_bound(first, entries_.end(), prefix + 1, below);
  return {static_cast<std::size_t>(first - entries_.begin()),
          static_cast<std::size_t>(last - entries_.begin())};
}

std::size_t RoutingTable::find(const PeerRef& peer) const {
  const int prefix = common_prefix(self_, peer.key());
  const auto [first, last] = bucket(prefix);
  for (std::size_t i = first; i < last; ++i)
    if (entries_[i].peer == peer) return i;
  return entries_.size();
}

std::size_t RoutingTable::bucket_size(int prefix) const {
  const auto [first, last] = bucket(prefix);
  return last - first;
}

bool RoutingTable::group_full(Range in, NetworkGroup group, std::size_t leaving) const {
  if (group == 0) return false;
  std::size_t here = 0;
  std::size_t all = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].group != group || i == leaving) continue;
    ++all;
    here += i >= in.first && i < in.second;
  }
  return here >= kGroupPerBucket || all >= kGroupPerTable;
}

// Among the failing ones: who failed most, then who has been useless longest, then silent longest.
std::size_t RoutingTable::replaceable(Range in) const {
  std::size_t worst = entries_.size();
  for (std::size_t i = in.first; i < in.second; ++i) {
    const auto merit = [this](std::size_t at) {
      const Entry& entry = entries_[at];
      return std::tuple(-entry.failures, entry.useful_s, entry.alive_s);
    };
    if (entries_[i].failures == 0) continue;
    if (worst == entries_.size() || merit(i) < merit(worst)) worst = i;
  }
  return worst;
}

RoutingTable::Added RoutingTable::add(Mono now, const PeerRef& peer, NetworkGroup group,
                                      PeerRef* displaced) {
  const int prefix = common_prefix(self_, peer.key());
  if (prefix == kKeyBits) return Added::refused;  // ourselves
  if (const std::size_t known = find(peer); known < entries_.size()) {
    entries_[known].alive_s = seconds(now);
    entries_[known].failures = 0;
    return Added::known;
  }
  const Range in = bucket(prefix);
  const bool full = in.second - in.first >= bucket_max_ || entries_.size() >= kTableMax;
  const std::size_t leaving = full ? replaceable(in) : entries_.size();
  if (full && leaving == entries_.size()) return Added::bucket_full;
  if (group_full(in, group, leaving)) return Added::group_full;

  Entry entry;
  entry.peer = peer;
  entry.head = peer.key().words[0];
  entry.group = group;
  entry.alive_s = seconds(now);
  entry.prefix = static_cast<std::uint8_t>(prefix);
  const auto at = [this](std::size_t i) { return entries_.begin() + static_cast<long>(i); };
  if (entries_.size() == entries_.capacity())
    entries_.reserve(entries_.size() + entries_.size() / 8 + 4);
  entries_.insert(at(in.second), std::move(entry));
  if (!full) return Added::added;
  if (displaced != nullptr) *displaced = entries_[leaving].peer;
  entries_.erase(at(leaving));
  return Added::replaced;
}

bool RoutingTable::has_room(const PeerRef& peer, NetworkGroup group) const {
  const int prefix = common_prefix(self_, peer.key());
  if (prefix == kKeyBits || contains(peer)) return false;
  const Range in = bucket(prefix);
  const bool full = in.second - in.first >= bucket_max_ || entries_.size() >= kTableMax;
  const std::size_t leaving = full ? replaceable(in) : entries_.size();
  return !(full && leaving == entries_.size()) && !group_full(in, group, leaving);
}

bool RoutingTable::remember(Mono now, const PeerRef& peer) {
  const std::size_t at = find(peer);
  if (at == entries_.size()) return false;
  Entry& entry = entries_[at];
  const std::uint32_t now_s = std::max(seconds(now), 1u);
  if (entry.remembered_s != 0) {
    if (now_s - entry.remembered_s < seconds(Mono(kRememberAgain))) return false;
  } else {
    const auto [first, last] = bucket(entry.prefix);
    std::size_t remembered = 0;
    for (std::size_t i = first; i < last; ++i) remembered += entries_[i].remembered_s != 0;
    if (remembered >= kRememberedPerBucket) return false;
  }
  entry.remembered_s = now_s;
  return true;
}

void RoutingTable::on_useful(Mono now, const PeerRef& peer) {
  if (const std::size_t at = find(peer); at < entries_.size()) entries_[at].useful_s = seconds(now);
}

bool RoutingTable::on_failed(Mono now, const PeerRef& peer) {
  const std::size_t at = find(peer);
  if (at == entries_.size() || planted(Planted::dead_never_evicted)) return false;
  Entry& entry = entries_[at];
  const std::uint32_t spacing = seconds(Mono(kFailureSpacing));
  if (entry.failures > 0 && seconds(now) - entry.failed_s < spacing) return false;
  entry.failed_s = seconds(now);
  if (++entry.failures < kFailuresMax) return false;
  entries_.erase(entries_.begin() + static_cast<long>(at));
  return true;
}

bool RoutingTable::remove(const PeerRef& peer) {
  const std::size_t at = find(peer);
  if (at == entries_.size()) return false;
  entries_.erase(entries_.begin() + static_cast<long>(at));
  return true;
}

void RoutingTable::take(const Key& target, Range from, std::size_t count, const PeerRef& except,
                        bool healthy, std::vector<PeerRef>& out) const {
  const std::uint64_t head = target.words[0];
  const auto before = [&](const Entry* a, const Entry* b) {
    if (a->head != b->head) return (a->head ^ head) < (b->head ^ head);
    return nearer(target, a->peer.key(), b->peer.key());
  };
  const std::size_t wanted = count - out.size();
  std::array<const Entry*, kClosestMax> best;  // the nearest so far, sorted
  std::size_t size = 0;
  for (std::size_t i = from.first; i < from.second; ++i) {
    const Entry* entry = &entries_[i];
    if (entry->peer == except || (healthy && entry->failures > 0)) continue;
    if (size == wanted && !before(entry, best[size - 1])) continue;
    std::size_t at = size < wanted ? size++ : size - 1;
    for (; at > 0 && before(entry, best[at - 1]); --at) best[at] = best[at - 1];
    best[at] = entry;
  }
  for (std::size_t i = 0; i < size; ++i) out.push_back(best[i]->peer);
}

// A peer in the target's own bucket shares one bit more with the target than a peer of any deeper
// bucket, all of which share as many as we do; and each shallower bucket is farther than the next.
// So whole buckets can be taken in that order, and only their insides need sorting.
void RoutingTable::closest(const Key& target, std::size_t count, const PeerRef& except,
                           bool healthy, std::vector<PeerRef>& out) const {
  CHECK(count > 0 && count <= kClosestMax);
  out.clear();
  const int own = std::min(common_prefix(self_, target), kKeyBits - 1) +
                  (planted(Planted::closest_off_by_one) ? 1 : 0);
  const Range in = bucket(own);
  take(target, in, count, except, healthy, out);
  if (out.size() < count) take(target, {in.second, entries_.size()}, count, except, healthy, out);
  std::size_t end = in.first;
  while (out.size() < count && end > 0) {
    const Range next = bucket(entries_[end - 1].prefix);
    take(target, next, count, except, healthy, out);
    end = next.first;
  }
}

std::uint32_t RoutingTable::wanting(Mono now) const {
  const std::uint32_t now_s = seconds(now);
  const std::uint32_t silent_s = seconds(Mono(2 * kProbeAfter));
  std::uint32_t buckets = 0;
  std::size_t first = 0;
  for (int prefix = 0; prefix < kWantingBuckets && entries_.size() - first >= bucket_max_;
       ++prefix) {
    std::size_t live = 0;
    for (; first < entries_.size() && entries_[first].prefix == prefix; ++first)
      live += entries_[first].failures == 0 && now_s - entries_[first].alive_s < silent_s;
    if (live < bucket_max_) buckets |= 1u << prefix;
  }
  return buckets;
}

PeerRef RoutingTable::to_probe(Mono now) const {
  const Entry* due = nullptr;
  const std::uint32_t now_s = seconds(now);
  for (const Entry& entry : entries_) {
    const bool failing =
        entry.failures > 0 && now_s - entry.failed_s >= seconds(Mono(kFailureSpacing));
    const bool silent = entry.failures == 0 && now_s - entry.alive_s >= seconds(Mono(kProbeAfter));
    if (!failing && !silent) continue;
    if (due == nullptr || entry.failures > due->failures ||
        (entry.failures == due->failures && entry.alive_s < due->alive_s))
      due = &entry;
  }
  return due == nullptr ? PeerRef{} : due->peer;
}

}  // namespace kith::dht
