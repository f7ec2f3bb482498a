// PeerBook: every peer that tables, lookups and records speak of, once. A PeerRef is 8 bytes and
// counts its uses; when the last one goes, the peer is forgotten. So a routing table of 250 entries
// costs 10 KB instead of 35, and a peer's key is hashed once however many answers name it.
//
// Rules: one book a node, or one shared by all nodes of a simulation on one thread (it only
// remembers what is a function of the id, so sharing cannot be observed). Not thread-safe. A
// PeerRef may outlive the book. Two refs are equal when they are of one peer of one book; their
// order is that of the keys, which is the same in every run. Bound: the number of refs that others
// hold. Attacker: who picks peer ids so that they collide in the index; it is hashed with SipHash
// under a secret of this book.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "dht/key.hpp"
#include "net/base/rng.hpp"
#include "net/crypto/siphash.hpp"
#include "schema/base/peer_id.hpp"

namespace kith::dht {

class PeerBook;

class PeerRef {
 public:
  PeerRef() = default;  // nobody
  PeerRef(const PeerRef& other) : entry_(other.entry_) {
    if (entry_ != nullptr) ++entry_->uses;
  }
  PeerRef(PeerRef&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  PeerRef& operator=(PeerRef other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~PeerRef() {
    if (entry_ != nullptr && --entry_->uses == 0) drop();
  }

  explicit operator bool() const { return entry_ != nullptr; }
  const PeerId& id() const { return entry_->id; }
  const Key& key() const { return entry_->key; }
  friend bool operator==(const PeerRef& a, const PeerRef& b) { return a.entry_ == b.entry_; }
  friend bool operator<(const PeerRef& a, const PeerRef& b) { return a.key() < b.key(); }

 private:
  friend class PeerBook;
  struct Entry {
    PeerId id;
    Key key;
    PeerBook* book = nullptr;  // null: the book is gone
    std::uint32_t uses = 0;
  };
  explicit PeerRef(Entry* entry) : entry_(entry) { ++entry_->uses; }
  void drop();

  Entry* entry_ = nullptr;
};

class PeerBook {
 public:
  explicit PeerBook(Rng rng);
  ~PeerBook();
  PeerBook(const PeerBook&) = delete;
  PeerBook& operator=(const PeerBook&) = delete;

  PeerRef intern(const PeerId& id);  // not of an empty id
  std::size_t size() const { return entries_.size(); }

 private:
  friend class PeerRef;
  using Entry = PeerRef::Entry;
  struct Hash {
    using is_transparent = void;
    const crypto::SipHash* sip;
    std::size_t operator()(const Entry* entry) const { return (*sip)(entry->id.bytes()); }
    std::size_t operator()(const PeerId& id) const { return (*sip)(id.bytes()); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Entry* a, const Entry* b) const { return a == b; }
    bool operator()(const Entry* a, const PeerId& b) const { return a->id == b; }
    bool operator()(const PeerId& a, const Entry* b) const { return a == b->id; }
  };

  Rng rng_;
  crypto::SipHash sip_;
  std::unordered_set<Entry*, Hash, Equal> entries_;
};

}  // namespace kith::dht
