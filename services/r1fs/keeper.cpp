#include "services/r1fs/keeper.hpp"

#include "schema/libp2p/bitswap.hpp"

namespace kith::r1fs {

Keeper::Publisher* Keeper::find(const PeerId& publisher) {
  const auto at = publishers_.find(publisher);
  if (at != publishers_.end()) return &at->second;
  if (publishers_.size() >= kPublishersMax) {
    // Forget one that has nothing here; identities are cheap, so the table is bounded.
    const auto idle = std::find_if(publishers_.begin(), publishers_.end(),
                                   [](const auto& one) { return one.second.held_bytes == 0; });
    if (idle == publishers_.end()) return nullptr;
    publishers_.erase(idle);
  }
  return &publishers_[publisher];
}

gossip::Verdict Keeper::judge(Now now, const PeerId& self, const PeerId& publisher,
                              const schema::Offer& offer, const BlockIndex& index) {
  using gossip::Verdict;
  const auto wall = static_cast<std::uint64_t>(std::max<std::int64_t>(
      0, std::chrono::duration_cast<std::chrono::seconds>(now.wall.time_since_epoch()).count()));
  if (offer.expires < wall || offer.expires > wall + kOfferLifetimeMax) return Verdict::ignore;
  for (const schema::OfferedBlock& block : offer.blocks) {
    if (block.size > libp2p::kBitswapBlockMax) return Verdict::reject;
    if (block.cid.hash().function() != kMultihashSha256) return Verdict::reject;
    if (block.body.empty()) continue;
    if (block.body.size() != block.size || Multihash::of_sha256(block.body) != block.cid.hash())
      return Verdict::reject;
  }
  if (publisher == self || !enabled_) return Verdict::accept;
  Publisher* known = find(publisher);
  if (known == nullptr || known->deaf_until > now.mono) return Verdict::accept;
  for (const schema::OfferedBlock& block : offer.blocks)
    if (!index.held(block.cid.hash())) return Verdict::pending;
  return Verdict::accept;
}

bool Keeper::allow(Now now, const PeerId& publisher, std::uint64_t bytes, std::uint64_t promised,
                   const BlockIndex& index) {
  Publisher* known = find(publisher);
  if (known == nullptr) return false;
  if (now.mono - known->minute >= 1min) {
    known->minute = now.mono;
    known->minute_bytes = 0;
  }
  if (known->minute_bytes + bytes > kPublisherBytesPerMinute) return false;
  if (known->held_bytes + promised + bytes > index.quota().kept_bytes / kPublisherShareParts)
    return false;
  known->minute_bytes += bytes;
  return true;
}

void Keeper::blame(Now now, const PeerId& publisher) {
  Publisher* known = find(publisher);
  if (known == nullptr || ++known->bad < kBadOffersMax) return;
  known->bad = 0;
  known->deaf_until = later(now.mono, kBadPublisherTime);
}

void Keeper::account(const PeerId& publisher, std::int64_t bytes) {
  if (publisher.empty()) return;
  Publisher* known = find(publisher);
  if (known == nullptr) return;
  if (bytes >= 0)
    known->held_bytes += static_cast<std::uint64_t>(bytes);
  else
    known->held_bytes -= std::min(known->held_bytes, static_cast<std::uint64_t>(-bytes));
}

}  // namespace kith::r1fs
