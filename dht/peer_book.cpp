#include "dht/peer_book.hpp"

#include "net/base/check.hpp"

namespace kith::dht {

void PeerRef::drop() {
  if (entry_->book != nullptr) entry_->book->entries_.erase(entry_);
  delete entry_;
}

PeerBook::PeerBook(Rng rng) : rng_(rng), sip_(rng_), entries_(16, Hash{&sip_}, Equal{}) {}

PeerBook::~PeerBook() {
  for (Entry* entry : entries_) entry->book = nullptr;  // the last PeerRef deletes it
}

PeerRef PeerBook::intern(const PeerId& id) {
  CHECK(!id.empty());
  const auto found = entries_.find(id);
  if (found != entries_.end()) return PeerRef(*found);
  auto* entry = new Entry{id, Key::of(id.bytes()), this, 0};
  entries_.insert(entry);
  return PeerRef(entry);
}

}  // namespace kith::dht
