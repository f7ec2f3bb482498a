#include "dht/peer_book.hpp"

#include <gtest/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::peer_id;

TEST(PeerBook, gives_one_entry_for_one_peer) {
  PeerBook book{Rng(1)};
  const PeerRef a = book.intern(peer_id(1));
  const PeerRef again = book.intern(peer_id(1));
  const PeerRef b = book.intern(peer_id(2));
  EXPECT_TRUE(a == again);
  EXPECT_FALSE(a == b);
  EXPECT_EQ(book.size(), 2u);
  EXPECT_EQ(a.id(), peer_id(1));
  EXPECT_EQ(a.key(), Key::of(peer_id(1).bytes()));
}

TEST(PeerBook, forgets_a_peer_with_its_last_use) {
  PeerBook book{Rng(1)};
  {
    const PeerRef a = book.intern(peer_id(1));
    PeerRef copy = a;
    PeerRef moved = std::move(copy);
    EXPECT_FALSE(copy);  // NOLINT: moved from
    copy = moved;
    EXPECT_EQ(book.size(), 1u);
  }
  EXPECT_EQ(book.size(), 0u);
}

TEST(PeerBook, is_outlived_by_its_refs) {
  PeerRef kept;
  {
    PeerBook book{Rng(1)};
    kept = book.intern(peer_id(7));
  }
  EXPECT_EQ(kept.id(), peer_id(7));
}

TEST(PeerBook, finds_each_of_many) {
  PeerBook book{Rng(2)};
  std::vector<PeerRef> refs;
  for (std::uint64_t i = 0; i < 3000; ++i) refs.push_back(book.intern(peer_id(i)));
  for (std::uint64_t i = 0; i < 3000; ++i) ASSERT_TRUE(book.intern(peer_id(i)) == refs[i]);
  EXPECT_EQ(book.size(), 3000u);
}

TEST(PeerBook, orders_refs_by_key) {
  PeerBook book{Rng(1)};
  const PeerRef a = book.intern(peer_id(1));
  const PeerRef b = book.intern(peer_id(2));
  EXPECT_EQ(a < b, a.key() < b.key());
}

}  // namespace
}  // namespace kith::dht
