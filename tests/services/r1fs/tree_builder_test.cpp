#include "services/r1fs/tree_builder.hpp"

#include <gtest/gtest.h>
#include <sodium.h>

#include "schema/base/sha256.hpp"

namespace kith::r1fs {
namespace {

// The inputs of IPIP-499's vectors: a ChaCha20 key stream, key = SHA-256 of the seed text, zero
// nonce.
class KeyStream {
 public:
  explicit KeyStream(std::string_view seed) : key_(sha256(as_bytes(seed))) {}
  Bytes take(std::size_t bytes) {
    return Bytes::make(bytes, [&](std::span<std::uint8_t> to) {
      if (to.empty()) return;
      std::fill(to.begin(), to.end(), std::uint8_t{0});
      crypto_stream_chacha20_xor_ic(to.data(), to.data(), to.size(), nonce_.data(), block_,
                                    key_.data());
    });
  }
  Bytes next_leaf(std::size_t bytes) {
    Bytes leaf = take(bytes);
    block_ += kLeafBytes / 64;
    return leaf;
  }

 private:
  std::array<std::uint8_t, 32> key_;
  std::array<std::uint8_t, 8> nonce_{};
  std::uint64_t block_ = 0;
};

std::string cid_of_stream(std::string_view seed, std::uint64_t bytes) {
  KeyStream stream(seed);
  TreeBuilder builder;
  std::vector<Block> nodes;
  for (std::uint64_t at = 0; at < bytes || at == 0; at += kLeafBytes) {
    const Bytes leaf =
        stream.next_leaf(static_cast<std::size_t>(std::min<std::uint64_t>(kLeafBytes, bytes - at)));
    builder.add_leaf(Cid::v1(kCodecRaw, Multihash::of_sha256(leaf)), leaf.size(), nodes);
  }
  return builder.finish(nodes).text();
}

TEST(TreeBuilder, gives_the_published_cids_of_the_profile_at_every_boundary) {
  TreeBuilder hello;
  std::vector<Block> nodes;
  hello.add_leaf(Cid::v1(kCodecRaw, Multihash::of_sha256(as_bytes("hello world"))), 11, nodes);
  EXPECT_EQ(hello.finish(nodes).text(),
            "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
  EXPECT_TRUE(nodes.empty());
  constexpr std::uint64_t kMiB = 1u << 20;
  EXPECT_EQ(cid_of_stream("chunk-v1-seed", kMiB),
            "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta");
  EXPECT_EQ(cid_of_stream("chunk-v1-seed", kMiB + 1),
            "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64");
  EXPECT_EQ(cid_of_stream("v1-2025-seed", 1024 * kMiB),
            "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm");
  EXPECT_EQ(cid_of_stream("v1-2025-seed", 1024 * kMiB + 1),
            "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe");
}

TEST(TreeBuilder, an_empty_file_is_one_empty_raw_leaf) {
  EXPECT_EQ(cid_of_stream("any", 0), "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
}

// Every leaf at the same depth, sizes that add up, every node within its bounds, for three levels
// too.
TEST(TreeBuilder, builds_a_balanced_tree_whose_sizes_add_up) {
  for (const std::size_t leaves :
       {2ul, 1023ul, 1024ul, 1025ul, 2049ul, 1024ul * 1024, 1024ul * 1024 + 1}) {
    TreeBuilder builder;
    std::vector<Block> nodes;
    const Cid leaf = Cid::v1(kCodecRaw, Multihash::of_sha256(as_bytes("x")));
    for (std::size_t i = 0; i < leaves; ++i) builder.add_leaf(leaf, 1, nodes);
    const Cid root = builder.finish(nodes);
    std::map<Cid, libp2p::DagFile> by_cid;
    for (const Block& node : nodes) {
      auto file = libp2p::decode_dag_file(node.data);
      ASSERT_TRUE(file.has_value()) << file.error().what;
      EXPECT_LE(file->links.size(), kNodeLinksMax);
      by_cid.emplace(node.cid, std::move(*file));
    }
    ASSERT_EQ(by_cid.at(root).file_bytes, leaves);
    std::size_t depth = 0;
    for (const Cid* left = &root; *left != leaf; left = &by_cid.at(*left).links.front().cid)
      ++depth;
    std::size_t depth_of_last = 0;
    for (const Cid* right = &root; *right != leaf; right = &by_cid.at(*right).links.back().cid)
      ++depth_of_last;
    EXPECT_EQ(depth, depth_of_last) << leaves;
    EXPECT_EQ(depth, leaves <= 1024 ? 1u : leaves <= 1024 * 1024 ? 2u : 3u);
  }
}

}  // namespace
}  // namespace kith::r1fs
