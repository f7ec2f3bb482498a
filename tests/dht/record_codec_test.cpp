#include "dht/record_codec.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::content;
using test::kStart;
using test::peer_id;

template <class T>
T round_trip(const T& record) {
  const StoredEntry entry = encode_stored(record);
  return std::get<T>(*decode_stored(entry.key, entry.value));
}

TEST(RecordCodec, every_kind_comes_back) {
  const std::vector<Multiaddr> addrs{test::addr("/ip4/1.2.3.4/tcp/5"), Multiaddr::of_memory(9)};
  const auto provider = round_trip(StoredProvider{content(1), peer_id(2), kStart, addrs});
  EXPECT_EQ(provider.key, content(1));
  EXPECT_EQ(provider.provider, peer_id(2));
  EXPECT_EQ(provider.received, kStart);
  EXPECT_EQ(provider.addrs, addrs);
  const auto value = round_trip(StoredValue{Bytes::copy("/n/x"), kStart, 77, Bytes::copy("v")});
  EXPECT_EQ(value.key.text(), "/n/x");
  EXPECT_EQ(value.source, 77u);
  EXPECT_EQ(value.value.text(), "v");
  EXPECT_EQ(round_trip(StoredProvided{content(3), kStart}).told, kStart);
  const auto neighbour = round_trip(StoredNeighbour{peer_id(4), kStart, addrs});
  EXPECT_EQ(neighbour.peer, peer_id(4));
  EXPECT_EQ(neighbour.addrs, addrs);
}

TEST(RecordCodec, keeps_at_most_eight_addresses) {
  const std::vector<Multiaddr> many(20, Multiaddr::of_memory(1));
  EXPECT_EQ(round_trip(StoredNeighbour{peer_id(4), kStart, many}).addrs.size(), kStoredAddrsMax);
}

TEST(RecordCodec, torn_entries_are_errors) {
  const StoredEntry entry = encode_stored(
      StoredProvider{content(1), peer_id(2), kStart, {test::addr("/ip4/1.2.3.4/tcp/5")}});
  for (std::size_t cut = 0; cut < entry.value.size(); ++cut)
    EXPECT_EQ(decode_stored(entry.key, entry.value.slice(0, cut)).has_error(), cut != 8) << cut;
  for (std::size_t cut = 0; cut < entry.key.size(); ++cut)
    EXPECT_TRUE(decode_stored(entry.key.slice(0, cut), entry.value).has_error()) << cut;
  EXPECT_TRUE(decode_stored(as_bytes("z"), entry.value).has_error());
}

RC_GTEST_PROP(RecordCodec, arbitrary_entries_never_crash, ()) {
  auto key = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
  const auto value = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
  key.insert(key.begin(), *rc::gen::element<std::uint8_t>('p', 'v', 'o', 'n', 'x'));
  const Result<StoredRecord> read = decode_stored(key, value);
  if (!read) return;
  const StoredEntry again = encode_stored(*read);
  RC_ASSERT(equal(again.key, key));
}

TEST(RecordCodec, prints_time_as_js_and_go_read_it) {
  const Wall noon{std::chrono::seconds(1'795'176'000)};
  EXPECT_EQ(rfc3339(noon), "2026-11-20T12:00:00.000000000Z");
  EXPECT_EQ(rfc3339(noon + 1234567ns), "2026-11-20T12:00:00.001234567Z");
  EXPECT_EQ(rfc3339(Wall{}), "1970-01-01T00:00:00.000000000Z");
}

}  // namespace
}  // namespace kith::dht
