// A dag-pb node whose hash says only that it is the block that was asked for.
// Links: kith_services_r1fs
#include "services/r1fs/tree_walker.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const Bytes block = Bytes::copy(ByteView(bytes, size));
  const auto file = libp2p::decode_dag_file(block);
  if (file) {
    FUZZ_CHECK(file->links.size() <= libp2p::kDagLinksMax);
    std::uint64_t sum = file->data.size();
    for (const libp2p::DagLink& link : file->links) sum += link.file_bytes;
    FUZZ_CHECK(sum == file->file_bytes);
  }
  // The same node at every level: a walk ends, whatever it says.
  r1fs::TreeWalker walker(Cid::v1(kCodecDagPb, Multihash::of_sha256(block)));
  for (int step = 0; step < 300; ++step) {
    const auto place = walker.next();
    if (!place) break;
    if (place->is_leaf()) {
      if (!walker.on_leaf(*place, static_cast<std::size_t>(place->file_bytes))) break;
    } else if (!walker.on_node(*place, block)) {
      break;
    }
  }
  return 0;
}
