// Records that the disk gives back otherwise than they were written.
#include <gtest/gtest.h>

#include "net/base/checked_value.hpp"
#include "services/r1fs/r1fs_core.hpp"

namespace kith::r1fs {
namespace {

constexpr Family kMeta = 1, kFiles = 2;

// A block that the home holds for a file of its own.
StoreEntry block() {
  schema::BlockRecord record;
  record.size = 100;
  record.public_refs = 1;
  return {Multihash::of_sha256(as_bytes("block")).bytes(),
          to_checked(schema::encode_block_record(record))};
}
StoreEntry turned(StoreEntry entry, std::size_t bit) {
  std::vector<std::uint8_t> value = entry.value.to_vector();
  value[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  entry.value = Bytes::adopt(std::move(value));
  return entry;
}

class R1fsLoad : public testing::Test {
 protected:
  R1fsLoad() { core_.start(out_); }
  Effect read(Family family, const StoreEntry& entry) {
    out_.clear();
    core_.on_scanned({}, family, std::vector<StoreEntry>{entry}, false, out_);
    return out_.at(0);
  }

  R1fsCore core_{{PeerId::of_public_key(as_bytes("peer")), {0, kMeta, kFiles}, {1000, 100}, true}};
  Effects out_;
};

TEST_F(R1fsLoad, no_turned_bit_loses_a_block_and_it_is_read_again) {
  for (std::size_t bit = 0; bit < 8 * block().value.size(); ++bit) {
    const auto again = read(kMeta, turned(block(), bit));
    ASSERT_TRUE(std::holds_alternative<ScanStored>(again)) << bit;
    ASSERT_EQ(std::get<ScanStored>(again).family, kMeta);
    ASSERT_EQ(std::get<ScanStored>(again).from, block().key);
    ASSERT_EQ(std::get<ScanStored>(read(kMeta, block())).family, kFiles) << "on to the files";
  }
  EXPECT_NE(core_.index().find(Multihash::of_sha256(as_bytes("block"))), nullptr);
}

TEST_F(R1fsLoad, a_record_that_stays_damaged_is_told) {
  for (std::uint32_t i = 0; i < kRereadsMax; ++i) (void)read(kMeta, turned(block(), 70));
  const auto told = read(kMeta, turned(block(), 70));
  ASSERT_TRUE(std::holds_alternative<TellReady>(told));
  EXPECT_EQ(std::get<TellReady>(told).result.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace kith::r1fs
