// A bitswap message from a hostile peer: bounded, and what was understood means the same when it is
// said again.
// Links: kith_schema_libp2p
#include "schema/libp2p/bitswap.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto message = libp2p::decode_bitswap(Bytes::copy(ByteView(bytes, size)));
  if (!message) return 0;
  FUZZ_CHECK(message->wants.size() <= libp2p::kBitswapEntriesMax);
  FUZZ_CHECK(message->blocks.size() <= libp2p::kBitswapEntriesMax);
  FUZZ_CHECK(message->presences.size() <= libp2p::kBitswapEntriesMax);
  const auto again = libp2p::decode_bitswap(libp2p::encode_bitswap(*message));
  if (!again) return 0;  // longer than the maximum once written out
  FUZZ_CHECK(again->wants.size() == message->wants.size());
  for (std::size_t i = 0; i < message->wants.size(); ++i) {
    FUZZ_CHECK(again->wants[i].cid == message->wants[i].cid);
    FUZZ_CHECK(again->wants[i].cancel == message->wants[i].cancel);
    FUZZ_CHECK(again->wants[i].type == message->wants[i].type);
  }
  FUZZ_CHECK(again->blocks.size() == message->blocks.size());
  for (std::size_t i = 0; i < message->blocks.size(); ++i) {
    FUZZ_CHECK(again->blocks[i].data == message->blocks[i].data);
    (void)libp2p::cid_of(message->blocks[i]);
  }
  return 0;
}
