// What the exchange's core asks of its attachment.
#pragma once

#include <variant>
#include <vector>

#include "schema/libp2p/bitswap.hpp"
#include "services/r1fs/exchange.hpp"

namespace kith::r1fs {

struct SendMessage {
  host::PeerSlot peer;
  Bytes message;
  host::Priority priority = host::Priority::normal;
};
struct ReadBlock {  // answered by on_block_read
  std::uint64_t tag = 0;
  Cid cid;
};
struct VerifyBlock {  // hash it off the loop; answered by on_verified
  host::PeerSlot peer;
  libp2p::BitswapBlock block;
};
struct GiveBlock {
  SessionSlot session;
  Cid cid;
  Bytes data;
  PeerId from;
};
struct TellUnavailable {
  SessionSlot session;
  Cid cid;
};
using ExchangeEffect =
    std::variant<SendMessage, ReadBlock, VerifyBlock, GiveBlock, TellUnavailable>;
using ExchangeEffects = std::vector<ExchangeEffect>;

// What is held here and may be served, asked while a message is handled.
using HeldSize = std::optional<std::size_t> (*)(const void* index, const Cid& cid);
struct HeldBlocks {
  HeldSize size_of = nullptr;
  const void* index = nullptr;
  std::optional<std::size_t> size(const Cid& cid) const {
    return size_of == nullptr ? std::nullopt : size_of(index, cid);
  }
};

}  // namespace kith::r1fs
