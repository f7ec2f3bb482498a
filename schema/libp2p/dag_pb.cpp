#include "schema/libp2p/dag_pb.hpp"

#include <optional>

#include "schema/libp2p/proto.hpp"

namespace kith::libp2p {
namespace {

constexpr std::uint64_t kTypeRaw = 0;
constexpr std::uint64_t kTypeFile = 2;

Result<DagLink> decode_link(ByteView bytes) {
  DagLink link;
  bool named = false;
  KITH_TRY_VOID(read_message(bytes, [&](const Field& field) -> Result<void> {
    switch (field.key) {
      case bytes_key(1): {
        KITH_TRY(link.cid, Cid::decode(field.bytes));
        break;
      }
      case bytes_key(2):
        named = !field.bytes.empty();
        break;
      case varint_key(3):
        link.tree_bytes = field.number;
        break;
      default:
        break;
    }
    return {};
  }));
  if (link.cid.empty()) return fail(Errc::malformed, "dag-pb link without a CID");
  if (named) return fail(Errc::unsupported, "dag-pb node with named links is not a file");
  return link;
}

struct UnixFs {
  std::optional<std::uint64_t> type;
  ByteView data;
  std::uint64_t file_bytes = 0;
  std::vector<std::uint64_t> block_bytes;
};

Result<void> add_packed(ByteView packed, std::vector<std::uint64_t>& to) {
  const char* at = reinterpret_cast<const char*>(packed.data());
  const char* end = at + packed.size();
  while (at < end) {
    if (to.size() == kDagLinksMax) return fail(Errc::oversized, "too many block sizes");
    try {
      to.push_back(protozero::decode_varint(&at, end));
    } catch (const protozero::exception&) {
      return fail(Errc::malformed, "block sizes that are not varints");
    }
  }
  return {};
}

Result<UnixFs> decode_unixfs(ByteView bytes) {
  UnixFs data;
  KITH_TRY_VOID(check_repeats(bytes, {{varint_key(4), kDagLinksMax}}));
  KITH_TRY_VOID(read_message(bytes, [&](const Field& field) -> Result<void> {
    switch (field.key) {
      case varint_key(1):
        data.type = field.number;
        break;
      case bytes_key(2):
        data.data = field.bytes;
        break;
      case varint_key(3):
        data.file_bytes = field.number;
        break;
      case varint_key(4):
        data.block_bytes.push_back(field.number);
        break;
      case bytes_key(4):
        return add_packed(field.bytes, data.block_bytes);
      default:
        break;
    }
    return {};
  }));
  if (!data.type) return fail(Errc::malformed, "UnixFS data without a type");
  return data;
}

}  // namespace

Result<DagFile> decode_dag_file(const Bytes& block) {
  if (block.size() > kDagNodeBytesMax) return fail(Errc::oversized, "dag-pb node too large");
  KITH_TRY_VOID(check_repeats(block, {{bytes_key(2), kDagLinksMax}}));
  DagFile file;
  std::optional<ByteView> data;
  KITH_TRY_VOID(read_message(block, [&](const Field& field) -> Result<void> {
    if (field.key == bytes_key(1)) data = field.bytes;
    if (field.key == bytes_key(2)) {
      KITH_TRY(DagLink link, decode_link(field.bytes));
      file.links.push_back(std::move(link));
    }
    return {};
  }));
  if (!data) return fail(Errc::unsupported, "dag-pb node without UnixFS data");
  KITH_TRY(const UnixFs unixfs, decode_unixfs(*data));
  if (*unixfs.type != kTypeFile && *unixfs.type != kTypeRaw)
    return fail(Errc::unsupported, "UnixFS node that is not a file");
  if (unixfs.block_bytes.size() != file.links.size())
    return fail(Errc::corrupt, "UnixFS node whose block sizes do not match its links");
  file.data = slice_of(block, unixfs.data);
  std::uint64_t sum = unixfs.data.size();
  for (std::size_t i = 0; i < file.links.size(); ++i) {
    file.links[i].file_bytes = unixfs.block_bytes[i];
    if (__builtin_add_overflow(sum, unixfs.block_bytes[i], &sum))
      return fail(Errc::corrupt, "UnixFS block sizes overflow");
  }
  if (sum != unixfs.file_bytes)
    return fail(Errc::corrupt, "UnixFS file size is not the sum of its parts");
  file.file_bytes = sum;
  return file;
}

Bytes encode_dag_file(const std::vector<DagLink>& links) {
  std::uint64_t sum = 0;
  for (const DagLink& link : links) sum += link.file_bytes;
  return encode([&](auto& to) {
    for (const DagLink& link : links)
      to.message(2, [&](auto& inner) {
        inner.bytes(1, link.cid.bytes());
        inner.text(2, "");
        inner.varint(3, link.tree_bytes);
      });
    to.message(1, [&](auto& inner) {
      inner.varint(1, kTypeFile);
      inner.varint(3, sum);
      for (const DagLink& link : links) inner.varint(4, link.file_bytes);
    });
  });
}

}  // namespace kith::libp2p
