#include "schema/libp2p/bitswap.hpp"

#include <array>

#include "schema/base/varint.hpp"
#include "schema/libp2p/proto.hpp"

namespace kith::libp2p {
namespace {

// Nothing: an entry to skip.
std::optional<BitswapWant> decode_want(ByteView bytes, Result<void>& failed) {
  BitswapWant want;
  bool known = false;
  failed = read_message(bytes, [&](const Field& field) {
    switch (field.key) {
      case bytes_key(1):
        if (auto cid = Cid::decode(field.bytes)) {
          want.cid = std::move(*cid);
          known = true;
        }
        break;
      case varint_key(2):
        want.priority = field.int32();
        break;
      case varint_key(3):
        want.cancel = field.flag();
        break;
      case varint_key(4):
        want.type = field.number == 1 ? BitswapWant::Type::have : BitswapWant::Type::block;
        break;
      case varint_key(5):
        want.send_dont_have = field.flag();
        break;
      default:
        break;
    }
  });
  if (!known) return std::nullopt;
  return want;
}

Result<void> decode_wantlist(ByteView bytes, BitswapMessage& into) {
  KITH_TRY_VOID(check_repeats(bytes, {{bytes_key(1), kBitswapEntriesMax}}));
  return read_message(bytes, [&](const Field& field) -> Result<void> {
    if (field.key == varint_key(2)) into.full = field.flag();
    if (field.key != bytes_key(1)) return {};
    Result<void> failed;
    auto want = decode_want(field.bytes, failed);
    if (!failed) return failed;
    if (want && into.wants.size() < kBitswapEntriesMax) into.wants.push_back(std::move(*want));
    return {};
  });
}

Result<void> decode_prefix(ByteView bytes, BitswapBlock& block) {
  for (std::uint64_t* part :
       {&block.version, &block.codec, &block.hash_function, &block.digest_bytes}) {
    const VarintRead read = read_varint(bytes);
    if (read.state != VarintRead::State::complete)
      return fail(Errc::malformed, "block prefix is not four varints");
    *part = read.value;
    bytes = bytes.subspan(read.length);
  }
  return {};
}

Result<BitswapBlock> decode_block(const Bytes& message, ByteView bytes) {
  BitswapBlock block;
  KITH_TRY_VOID(read_message(bytes, [&](const Field& field) -> Result<void> {
    if (field.key == bytes_key(1)) return decode_prefix(field.bytes, block);
    if (field.key == bytes_key(2)) block.data = slice_of(message, field.bytes);
    return {};
  }));
  if (block.data.size() > kBitswapBlockMax) return fail(Errc::oversized, "block above 2 MiB");
  return block;
}

}  // namespace

Result<BitswapMessage> decode_bitswap(const Bytes& message) {
  if (message.size() > kBitswapMessageMax) return fail(Errc::oversized, "bitswap message");
  KITH_TRY_VOID(check_repeats(
      message, {{bytes_key(3), kBitswapEntriesMax}, {bytes_key(4), kBitswapEntriesMax}}));
  BitswapMessage decoded;
  KITH_TRY_VOID(read_message(message, [&](const Field& field) -> Result<void> {
    switch (field.key) {
      case bytes_key(1):
        return decode_wantlist(field.bytes, decoded);
      case bytes_key(3): {
        KITH_TRY(BitswapBlock block, decode_block(message, field.bytes));
        decoded.blocks.push_back(std::move(block));
        return {};
      }
      case bytes_key(4): {
        BitswapPresence presence{{}, true};
        bool known = false;
        KITH_TRY_VOID(read_message(field.bytes, [&](const Field& part) {
          if (part.key == varint_key(2)) presence.have = part.number == 0;
          if (part.key != bytes_key(1)) return;
          auto cid = Cid::decode(part.bytes);
          known = cid.has_value();
          if (known) presence.cid = std::move(*cid);
        }));
        if (known) decoded.presences.push_back(std::move(presence));
        return {};
      }
      case varint_key(5):
        decoded.pending_bytes = field.int32();
        return {};
      default:
        return {};
    }
  }));
  return decoded;
}

Bytes encode_bitswap(const BitswapMessage& message) {
  return encode([&](auto& to) {
    if (!message.wants.empty() || message.full)
      to.message(1, [&](auto& list) {
        for (const BitswapWant& want : message.wants)
          list.message(1, [&](auto& entry) {
            entry.bytes(1, want.cid.bytes());
            entry.int32(2, want.priority);
            if (want.cancel) entry.flag(3, true);
            if (want.type == BitswapWant::Type::have) entry.varint(4, 1);
            if (want.send_dont_have) entry.flag(5, true);
          });
        if (message.full) list.flag(2, true);
      });
    for (const BitswapBlock& block : message.blocks)
      to.message(3, [&](auto& inner) {
        std::array<std::uint8_t, 4 * kVarintBytesMax> prefix{};
        std::size_t size = 0;
        for (const std::uint64_t part :
             {block.version, block.codec, block.hash_function, block.digest_bytes})
          size += write_varint(prefix.data() + size, part);
        inner.bytes(1, ByteView(prefix.data(), size));
        inner.bytes(2, block.data);
      });
    for (const BitswapPresence& presence : message.presences)
      to.message(4, [&](auto& inner) {
        inner.bytes(1, presence.cid.bytes());
        if (!presence.have) inner.varint(2, 1);
      });
    if (message.pending_bytes != 0) to.int32(5, message.pending_bytes);
  });
}

Result<Cid> cid_of(const BitswapBlock& block) {
  const bool whole = block.digest_bytes == 32 || block.digest_bytes == UINT64_MAX;
  Multihash hash;
  if (block.hash_function == kMultihashSha256 && whole)
    hash = Multihash::of_sha256(block.data);
  else if (block.hash_function == kMultihashIdentity && block.data.size() <= kMultihashDigestMax)
    hash = Multihash::identity(block.data);
  else
    return fail(Errc::unsupported, "block hashed by another function than SHA-256");
  if (block.version == 1) return Cid::v1(block.codec, std::move(hash));
  // Version 0 has no codec of its own: the bare multihash.
  if (block.version == 0) return Cid::decode(hash.bytes());
  return fail(Errc::unsupported, "unknown CID version");
}

BitswapBlock block_of(const Cid& cid, Bytes data) {
  return {cid.version() == 0 ? 0u : 1u, cid.codec(), cid.hash().function(),
          cid.hash().digest().size(), std::move(data)};
}

}  // namespace kith::libp2p
