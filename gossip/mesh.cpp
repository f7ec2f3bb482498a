#include "gossip/mesh.hpp"

namespace kith::gossip {
namespace {

constexpr auto kSlotOrder = [](const Mesh::Member& member, host::PeerSlot peer) {
  return member.peer < peer;
};

}  // namespace

bool Mesh::has(host::PeerSlot peer) const {
  const auto at = std::lower_bound(members_.begin(), members_.end(), peer, kSlotOrder);
  return at != members_.end() && at->peer == peer;
}

bool Mesh::add(host::PeerSlot peer, bool outbound) {
  const auto at = std::lower_bound(members_.begin(), members_.end(), peer, kSlotOrder);
  if (at != members_.end() && at->peer == peer) return false;
  members_.insert(at, {peer, outbound});
  return true;
}

bool Mesh::remove(host::PeerSlot peer) {
  const auto at = std::lower_bound(members_.begin(), members_.end(), peer, kSlotOrder);
  if (at == members_.end() || at->peer != peer) return false;
  members_.erase(at);
  return true;
}

std::size_t Mesh::outbound() const {
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(), [](const Member& m) { return m.outbound; }));
}

std::vector<host::PeerSlot> Mesh::peers() const {
  std::vector<host::PeerSlot> peers;
  peers.reserve(members_.size());
  for (const Member& member : members_) peers.push_back(member.peer);
  return peers;
}

std::vector<host::PeerSlot> Mesh::excess(std::size_t degree, std::size_t degree_out,
                                         Rng& rng) const {
  if (members_.size() <= degree) return {};
  std::vector<Member> order = members_;
  rng.shuffle(order);
  // The first `degree_out` outbound ones come to the front, and with them into what is kept.
  std::size_t front = 0;
  for (std::size_t i = 0; i < order.size() && front < std::min(degree_out, degree); ++i)
    if (order[i].outbound) std::swap(order[i], order[front++]);
  std::vector<host::PeerSlot> leaving;
  for (std::size_t i = degree; i < order.size(); ++i) leaving.push_back(order[i].peer);
  std::sort(leaving.begin(), leaving.end());
  return leaving;
}

const Backoffs::Entry* Backoffs::find(std::uint64_t peer) const {
  const auto at =
      std::lower_bound(entries_.begin(), entries_.end(), peer,
                       [](const Entry& entry, std::uint64_t key) { return entry.peer < key; });
  return at != entries_.end() && at->peer == peer ? &*at : nullptr;
}

// The entry of `peer`, made if need be: in a full table the one that ends first makes room.
Backoffs::Entry& Backoffs::at(std::uint64_t peer) {
  if (const Entry* found = find(peer)) return const_cast<Entry&>(*found);
  if (entries_.size() >= kBackoffsPerTopicMax)
    entries_.erase(
        std::min_element(entries_.begin(), entries_.end(),
                         [](const Entry& a, const Entry& b) { return a.until < b.until; }));
  const auto place =
      std::lower_bound(entries_.begin(), entries_.end(), peer,
                       [](const Entry& entry, std::uint64_t key) { return entry.peer < key; });
  return *entries_.insert(place, Entry{peer, {}, {}});
}

void Backoffs::set(Mono now, std::uint64_t peer, Duration length) {
  Entry& entry = at(peer);
  const Mono until = later(now, std::min(length, kBackoffMax));
  if (until <= entry.until) return;
  entry.until = until;
  entry.length = std::min(length, kBackoffMax);
}

Duration Backoffs::extend(Mono now, std::uint64_t peer) {
  const Entry* entry = find(peer);
  const Duration before = entry == nullptr ? Duration{} : entry->length;
  const Duration length = std::clamp<Duration>(2 * before, kBackoff, kBackoffMax);
  set(now, peer, length);
  return length;
}

bool Backoffs::holds(Mono now, std::uint64_t peer) const {
  const Entry* entry = find(peer);
  return entry != nullptr && now < entry->until;
}

bool Backoffs::holds_us(Mono now, std::uint64_t peer) const {
  const Entry* entry = find(peer);
  return entry != nullptr && now < later(entry->until, kBackoffSlack);
}

void Backoffs::expire(Mono now) {
  std::erase_if(entries_,
                [now](const Entry& entry) { return later(entry.until, kBackoffSlack) <= now; });
}

Duration backoff_of(std::uint64_t seconds) {
  if (seconds == 0) return kBackoff;
  const auto max = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(kBackoffMax).count());
  return std::chrono::seconds(std::min(seconds, max));
}

std::uint64_t backoff_seconds(Duration length) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(length).count());
}

}  // namespace kith::gossip
