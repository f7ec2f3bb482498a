#include "services/cstore/space_state.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "net/base/planted.hpp"

namespace kith::cstore {
namespace {

std::uint64_t add_saturating(std::uint64_t a, std::uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void hash_number(Sha256& hash, std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  hash.update(bytes);
}

void hash_bytes(Sha256& hash, ByteView bytes) {
  hash_number(hash, bytes.size());
  hash.update(bytes);
}

void hash_writer(Sha256& hash, const Writer& writer) {
  hash_bytes(hash, writer.id.bytes());
  hash_number(hash, writer.started);
  hash_number(hash, writer.nonce);
}

}  // namespace

bool SpaceState::wins(const Register& challenger, const Register& holder) {
  if (planted(Planted::tie_not_broken)) return holder.origin.stamp < challenger.origin.stamp;
  const auto rank = [](const Register& one) {
    return std::tie(one.origin.stamp, *one.origin.writer, one.origin.sequence, one.place);
  };
  return rank(holder) < rank(challenger);
}

bool SpaceState::apply(const schema::KvOp& op, const Origin& origin, std::uint32_t place) {
  Entry& entry = entries_[op.key];
  const bool lived = entry.live();
  const std::int64_t count = count_of(entry);
  bool changed = false;
  if (op.kind == schema::KvOpKind::counter) {
    Sums& sums = entry.sums[origin.writer];
    sums.up = std::max(sums.up, op.up);
    sums.down = std::max(sums.down, op.down);
    changed = !lived || count_of(entry) != count;
  } else {
    Register made{origin, place, op.kind == schema::KvOpKind::del, op.value};
    changed = !entry.value || wins(made, *entry.value);
    if (changed) entry.value = std::move(made);
  }
  if (entry.live() != lived) live_ += lived ? std::uint64_t(-1) : std::uint64_t{1};
  entry.leaf.reset();
  root_.reset();
  return changed;
}

std::int64_t SpaceState::count_of(const Entry& entry) {
  Sums total;
  for (const auto& [writer, sums] : entry.sums) {
    total.up = add_saturating(total.up, sums.up);
    total.down = add_saturating(total.down, sums.down);
  }
  constexpr auto kMax = static_cast<std::uint64_t>(INT64_MAX);
  if (total.up >= total.down)
    return static_cast<std::int64_t>(std::min(total.up - total.down, kMax));
  return -static_cast<std::int64_t>(std::min(total.down - total.up, kMax));
}

Item SpaceState::item_of(const Bytes& key, const Entry& entry) {
  Item item;
  item.key = key;
  item.deleted = !entry.live();
  if (entry.value) {
    item.written = HybridClock::wall_of(entry.value->origin.stamp);
    item.writer = entry.value->origin.writer->id;
    item.value = entry.value->value;
  }
  if (!entry.value || entry.value->deleted) {
    item.kind = entry.sums.empty() ? Kind::value : Kind::counter;
    item.count = count_of(entry);
  }
  return item;
}

std::optional<Item> SpaceState::find(const Bytes& key) const {
  const auto at = entries_.find(key);
  if (at == entries_.end() || !at->second.live()) return std::nullopt;
  return item_of(key, at->second);
}

Item SpaceState::describe(const Bytes& key) const {
  const auto at = entries_.find(key);
  if (at != entries_.end()) return item_of(key, at->second);
  Item item;
  item.key = key;
  item.deleted = true;
  return item;
}

bool SpaceState::is_register(const Bytes& key) const {
  const auto at = entries_.find(key);
  return at != entries_.end() && at->second.value && !at->second.value->deleted;
}
bool SpaceState::is_counter(const Bytes& key) const {
  const auto at = entries_.find(key);
  return at != entries_.end() && !at->second.sums.empty() && !is_register(key);
}

Sums SpaceState::sums_of(const Bytes& key, const Writer& writer) const {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return {};
  const auto sums = at->second.sums.find(&writer);
  return sums == at->second.sums.end() ? Sums{} : sums->second;
}

Listing SpaceState::list(const List& what) const {
  Listing listing;
  std::size_t bytes = 0;
  const bool resumed = !what.after.empty() && what.after >= what.prefix;
  auto at = resumed ? entries_.upper_bound(what.after) : entries_.lower_bound(what.prefix);
  for (; at != entries_.end() && at->first.text().starts_with(what.prefix.text()); ++at) {
    if (!at->second.live()) continue;
    if (listing.items.size() >= what.limit || bytes >= kListBytesMax) {
      listing.more = true;
      break;
    }
    listing.items.push_back(item_of(at->first, at->second));
    bytes += at->first.size() + listing.items.back().value.size();
  }
  return listing;
}

Sha256Digest SpaceState::leaf_of(const Bytes& key, const Entry& entry) {
  Sha256 hash;
  hash_bytes(hash, key);
  hash_number(hash, entry.value ? 1 : 0);
  if (entry.value) {
    hash_number(hash, entry.value->origin.stamp);
    hash_writer(hash, *entry.value->origin.writer);
    hash_number(hash, entry.value->origin.sequence);
    hash_number(hash, entry.value->place);
    hash_number(hash, entry.value->deleted ? 1 : 0);
    hash_bytes(hash, entry.value->value);
  }
  hash_number(hash, entry.sums.size());
  for (const auto& [writer, sums] : entry.sums) {
    hash_writer(hash, *writer);
    hash_number(hash, sums.up);
    hash_number(hash, sums.down);
  }
  return hash.finish();
}

const Sha256Digest& SpaceState::root() {
  if (root_) return *root_;
  Sha256 hash;
  hash_number(hash, entries_.size());
  for (auto& [key, entry] : entries_) {
    if (!entry.leaf) entry.leaf = leaf_of(key, entry);
    hash.update(*entry.leaf);
  }
  root_ = hash.finish();
  return *root_;
}

}  // namespace kith::cstore
