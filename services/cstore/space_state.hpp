// SpaceState: what a namespace's batches come to: registers and counters. A fold over a set of
// batches: the order in which they come, and how often, changes nothing.
//
// * Register: the greatest (stamp, writer, sequence, place in the batch) wins; a deletion is a
// value
//   like any other (a tombstone, kept).
// * Counter: each writer's incarnation states its sums so far; the greater of two statements
// counts,
//   and sums saturate. So a statement supersedes all earlier ones, and an old batch may one day be
//   forgotten.
// * root(): SHA-256 over the keys' leaves in key order, a leaf being the hash of all that decides a
//   key's future (stamps and writers too). Leaves are kept, so a root after k changes costs k
//   leaves and one pass of 32 bytes a key, and only when somebody asks. A sum of leaves would be
//   cheaper, and could be steered by whoever chooses keys; a tree would be cheaper to repair from,
//   which the vectors of writers do here.
//
// Bounds: memory follows the bytes of the batches (kSpaceBytesMax).
#pragma once

#include <map>
#include <optional>

#include "services/cstore/cstore.hpp"
#include "services/cstore/hybrid_clock.hpp"

namespace kith::cstore {

using Writer = schema::KvWriter;

// Where a change comes from. `writer` outlives the state.
struct Origin {
  Stamp stamp = 0;
  const Writer* writer = nullptr;
  std::uint64_t sequence = 0;
};
struct Sums {
  std::uint64_t up = 0;
  std::uint64_t down = 0;
};

class SpaceState {
 public:
  // True when what is seen at the key changed.
  bool apply(const schema::KvOp& op, const Origin& origin, std::uint32_t place);

  std::optional<Item> find(const Bytes& key) const;  // none: absent or deleted
  Item describe(const Bytes& key) const;             // with `deleted` when it is not there
  bool is_register(const Bytes& key) const;          // a live one
  bool is_counter(const Bytes& key) const;
  Sums sums_of(const Bytes& key, const Writer& writer) const;
  Listing list(const List& what) const;
  std::uint64_t keys() const { return live_; }
  std::uint64_t deleted() const { return entries_.size() - live_; }
  const Sha256Digest& root();

 private:
  struct Register {
    Origin origin;
    std::uint32_t place = 0;
    bool deleted = false;
    Bytes value;
  };
  struct ByWriter {
    bool operator()(const Writer* a, const Writer* b) const { return *a < *b; }
  };
  struct Entry {
    std::optional<Register> value;
    std::map<const Writer*, Sums, ByWriter> sums;
    std::optional<Sha256Digest> leaf;
    bool live() const { return (value && !value->deleted) || !sums.empty(); }
  };
  static bool wins(const Register& challenger, const Register& holder);
  static std::int64_t count_of(const Entry& entry);
  static Item item_of(const Bytes& key, const Entry& entry);
  static Sha256Digest leaf_of(const Bytes& key, const Entry& entry);

  std::map<Bytes, Entry> entries_;
  std::uint64_t live_ = 0;
  std::optional<Sha256Digest> root_;
};

}  // namespace kith::cstore
