#include "schema/libp2p/bitswap.hpp"

#include <gtest/gtest.h>

#include "schema/libp2p/dag_pb.hpp"
#include "tests/support/fixture.hpp"

namespace kith::libp2p {
namespace {

TEST(Bitswap, reads_what_js_writes_and_names_its_blocks_by_their_bytes) {
  const auto wants = decode_bitswap(fixture("js/bitswap_wantlist.bin"));
  ASSERT_TRUE(wants.has_value());
  EXPECT_FALSE(wants->wants.empty());
  const auto blocks = decode_bitswap(fixture("js/bitswap_blocks.bin"));
  ASSERT_TRUE(blocks.has_value());
  ASSERT_FALSE(blocks->blocks.empty());
  for (const BitswapBlock& block : blocks->blocks) {
    const auto cid = cid_of(block);
    ASSERT_TRUE(cid.has_value());
    EXPECT_EQ(cid->hash(), Multihash::of_sha256(block.data));
  }
}

TEST(Bitswap, every_truncation_of_a_message_is_refused_or_means_less) {
  const Bytes whole = fixture("js/bitswap_blocks.bin");
  const auto full = decode_bitswap(whole);
  for (std::size_t size = 0; size < whole.size(); ++size)
    if (const auto part = decode_bitswap(whole.slice(0, size))) {
      EXPECT_LE(part->blocks.size() + part->wants.size() + part->presences.size(),
                full->blocks.size() + full->wants.size() + full->presences.size());
    }
}

TEST(Bitswap, more_entries_than_the_maximum_are_refused_before_they_are_stored) {
  BitswapMessage message;
  const Cid cid = Cid::v1(kCodecRaw, Multihash::of_sha256(as_bytes("x")));
  for (std::size_t i = 0; i <= kBitswapEntriesMax; ++i) message.presences.push_back({cid, true});
  EXPECT_EQ(decode_bitswap(encode_bitswap(message)).error().code, Errc::oversized);
  message.presences.pop_back();
  EXPECT_TRUE(decode_bitswap(encode_bitswap(message)).has_value());
}

TEST(Bitswap, a_block_above_two_mebibytes_is_refused) {
  BitswapMessage message;
  const Bytes large = Bytes::adopt(std::vector<std::uint8_t>(kBitswapBlockMax + 1));
  message.blocks.push_back(block_of(Cid::v1(kCodecRaw, Multihash::of_sha256(large)), large));
  EXPECT_EQ(decode_bitswap(encode_bitswap(message)).error().code, Errc::oversized);
}

TEST(Bitswap, a_block_of_another_hash_function_has_no_name_here) {
  BitswapBlock block;
  block.hash_function = 0x13;  // sha2-512
  block.digest_bytes = 64;
  EXPECT_EQ(cid_of(block).error().code, Errc::unsupported);
}

TEST(DagPb, writes_the_nodes_that_helia_writes_byte_for_byte) {
  for (const char* name : {"js/unixfs_root_3_leaves.bin", "js/unixfs_middle_1024_leaves.bin",
                           "js/unixfs_root_1025_leaves.bin"}) {
    const Bytes node = fixture(name);
    const auto file = decode_dag_file(node);
    ASSERT_TRUE(file.has_value()) << name << file.error().what;
    EXPECT_TRUE(encode_dag_file(file->links) == node) << name;
  }
}

TEST(DagPb, every_flipped_bit_is_refused_or_read_within_bounds) {
  const Bytes node = fixture("js/unixfs_root_3_leaves.bin");
  for (std::size_t bit = 0; bit < node.size() * 8; ++bit) {
    std::vector<std::uint8_t> flipped = node.to_vector();
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1u << (bit % 8)));
    if (const auto file = decode_dag_file(Bytes::adopt(std::move(flipped)))) {
      std::uint64_t sum = file->data.size();
      for (const DagLink& link : file->links) sum += link.file_bytes;
      EXPECT_EQ(sum, file->file_bytes);
    }
  }
}

}  // namespace
}  // namespace kith::libp2p
