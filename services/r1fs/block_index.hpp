// BlockIndex: every block held here, in memory: sizes, why it is held, and what the quota allows.
// The bytes and the records are in the store; this is loaded from the records at start and changed
// only after the store acknowledged.
//
// Why a block is held: own files refer to it (public_refs, local_refs: how many), or it is kept for
// others (kept_for: the root whose offer or fetch brought it). A block with neither is a leftover
// of an unfinished add and is removed at start. Rules: own bytes are never evicted; kept roots are,
// least recently used first, whole. quota bounds own + kept + reserved; the kept quota bounds kept
// + reserved-for-keeping. Reserve first, write, then commit or release the reservation. Bounds:
// kBlocksMax blocks.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "schema/kith/r1fs_messages.hpp"

namespace kith::r1fs {

inline constexpr std::size_t kBlocksMax = 1'000'000;

struct Quota {
  std::uint64_t all_bytes = 10ull << 30;
  std::uint64_t kept_bytes = 5ull << 30;
};

class BlockIndex {
 public:
  explicit BlockIndex(Quota quota) : quota_(quota) {}

  const schema::BlockRecord* find(const Multihash& hash) const;
  // Held for good: an own file or a kept root refers to it.
  bool held(const Multihash& hash) const;
  // May be given to others.
  bool servable(const Multihash& hash) const;

  // Replaces the record of a block; one that nothing refers to is dropped.
  void set(const Multihash& hash, const schema::BlockRecord& record);
  void erase(const Multihash& hash);

  enum class Use : std::uint8_t { own, kept };
  // Room for `bytes` more, without evicting. Reserved bytes count until release().
  bool reserve(Use use, std::uint64_t bytes);
  void release(Use use, std::uint64_t bytes);
  // The kept root to evict so that `bytes` more fit; none when even evicting all would not help.
  std::optional<Multihash> eviction_candidate(Use use, std::uint64_t bytes) const;
  // Blocks that are held only because of this kept root.
  std::vector<Multihash> blocks_kept_for(const Multihash& root) const;
  void touch(const Multihash& root);  // used now: evicted last

  std::uint64_t own_bytes() const { return own_bytes_; }
  std::uint64_t kept_bytes() const { return kept_bytes_; }
  std::size_t blocks() const { return records_.size(); }
  const Quota& quota() const { return quota_; }

 private:
  void account(const Multihash& hash, const schema::BlockRecord& record, bool add);

  Quota quota_;
  std::map<Multihash, schema::BlockRecord> records_;
  struct KeptRoot {
    std::map<Multihash, bool> blocks;
    std::list<Multihash>::iterator place;
  };
  std::map<Multihash, KeptRoot> kept_roots_;
  std::list<Multihash> least_recent_;  // first to be evicted in front
  std::uint64_t own_bytes_ = 0;
  std::uint64_t kept_bytes_ = 0;
  std::uint64_t reserved_own_ = 0;
  std::uint64_t reserved_kept_ = 0;
};

}  // namespace kith::r1fs
