#include "services/r1fs/spreader.hpp"

#include "net/base/planted.hpp"

namespace kith::r1fs {

Spreader::Spreader(Cid root, std::uint64_t file_bytes, std::vector<ScannedBlock> blocks,
                   std::uint32_t offers_done)
    : root_(std::move(root)),
      file_bytes_(file_bytes),
      blocks_(std::move(blocks)),
      offers_done_(offers_done),
      recorded_(offers_done),
      next_(offers_done) {
  Range range;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const bool full = range.count == kOfferBlocks || bytes + blocks_[i].size > kOfferBytes;
    if (range.count > 0 && full) {
      offers_.push_back(range);
      range = {i, 0};
      bytes = 0;
    }
    ++range.count;
    bytes += blocks_[i].size;
  }
  if (range.count > 0) offers_.push_back(range);
  // A record from another cut of the file would point beyond the end.
  offers_done_ = std::min(offers_done_, static_cast<std::uint32_t>(offers_.size()));
  recorded_ = next_ = offers_done_;
}

void Spreader::advance(Now now) {
  while (!out_.empty() && out_.begin()->first == offers_done_ &&
         (out_.begin()->second.untaken.empty() || out_.begin()->second.patience <= now.mono)) {
    out_.erase(out_.begin());
    ++offers_done_;
  }
}

// Whether a new round begins. Which blocks a neighbour lacks is not known, and those that it holds
// cost it nothing, so a round is the whole file.
bool Spreader::offer_again(Now now) {
  if (planted(Planted::offered_once)) return false;
  if (again_at_ == kNever) again_at_ = later(now.mono, again_wait_);
  if (!lacking_ || again_at_ > now.mono) return false;
  if (keepers_.size() >= std::max<std::size_t>(expected_, 1)) return false;
  again_at_ = kNever;
  again_wait_ = std::min<Duration>(2 * again_wait_, kOfferAgainMax);
  lacking_ = false;
  again_ = true;
  offers_done_ = next_ = 0;
  return true;
}

void Spreader::on_tick(Now now, bool has_mesh, std::vector<std::uint32_t>& ready) {
  advance(now);
  deadline_ = kNever;
  if (all_offered() && !(has_mesh && offer_again(now))) {
    deadline_ = ask_at_;
    return;
  }
  if (!has_mesh) {
    deadline_ = later(now.mono, kMeshWait);
    return;
  }
  while (next_ < offers_.size() && out_.size() < kOffersOut) {
    ready.push_back(next_);
    Out out;
    const Range& range = offers_[next_];
    for (std::size_t i = range.first; i < range.first + range.count; ++i)
      out.untaken.insert(blocks_[i].cid.hash());
    out.patience = later(now.mono, again_ ? kOfferAgainPatience : kOfferPatience);
    out_.emplace(next_++, std::move(out));
  }
  for (const auto& [offer, out] : out_) deadline_ = std::min(deadline_, out.patience);
}

std::vector<Multihash> Spreader::small_blocks(std::uint32_t offer) const {
  std::vector<Multihash> small;
  std::size_t bytes = 0;
  const Range& range = offers_.at(offer);
  for (std::size_t i = range.first; i < range.first + range.count; ++i) {
    if (blocks_[i].size > kInlineBodyMax || bytes + blocks_[i].size > kInlineBodiesMax) continue;
    bytes += blocks_[i].size;
    small.push_back(blocks_[i].cid.hash());
  }
  return small;
}

schema::Offer Spreader::make_offer(std::uint32_t offer, Wall now,
                                   const std::map<Multihash, Bytes>& bodies) const {
  schema::Offer made;
  made.root = root_;
  made.file_bytes = file_bytes_;
  made.blocks_total = static_cast<std::uint32_t>(blocks_.size());
  made.expires = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>((now + kOfferLifetime).time_since_epoch())
          .count());
  const Range& range = offers_.at(offer);
  for (std::size_t i = range.first; i < range.first + range.count; ++i) {
    schema::OfferedBlock block{blocks_[i].cid, blocks_[i].size, {}};
    if (const auto body = bodies.find(block.cid.hash()); body != bodies.end())
      block.body = body->second;
    made.blocks.push_back(std::move(block));
  }
  return made;
}

void Spreader::on_published(Now now, std::uint32_t offer) {
  // Inlined blocks need no reading.
  const auto at = out_.find(offer);
  if (at == out_.end()) return;
  for (const Multihash& small : small_blocks(offer)) at->second.untaken.erase(small);
  if (at->second.untaken.empty()) deadline_ = now.mono;
}

bool Spreader::on_block_given(const Multihash& hash) {
  bool completed = false;
  for (auto& [offer, out] : out_)
    if (out.untaken.erase(hash) != 0 && out.untaken.empty()) completed = true;
  if (completed) deadline_ = Mono();  // the next offer may go out now
  return completed;
}

bool Spreader::take_progress(std::uint32_t& offers_done) {
  if (recorded_ == offers_done_) return false;
  recorded_ = offers_done = offers_done_;
  return true;
}

std::uint64_t Spreader::blocks_to_spread() const {
  std::uint64_t blocks = 0;
  for (std::size_t offer = offers_done_; offer < offers_.size(); ++offer)
    blocks += offers_[offer].count;
  return blocks;
}

bool Spreader::asks_now(Now now) {
  if (!all_offered() || ask_at_ > now.mono) return false;
  const bool waited_for = keepers_.size() < expected_;
  lacking_ = false;
  lack_counts_ = again_at_ <= now.mono;
  ask_at_ = later(now.mono, waited_for ? kAskHoldsEvery : kAskHoldsIdle);
  deadline_ = ask_at_;
  return true;
}

void Spreader::on_holds(const PeerId& peer, bool complete) {
  if (!complete) {
    lacking_ = lacking_ || lack_counts_;
    keepers_.erase(peer);
  } else if (keepers_.size() < kKeepersMax) {
    keepers_.insert(peer);
  }
}

}  // namespace kith::r1fs
