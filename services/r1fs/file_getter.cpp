#include "services/r1fs/file_getter.hpp"

#include "net/base/planted.hpp"

namespace kith::r1fs {

FileGetter::FileGetter(RequestId request, FetchId fetch, GetFile what)
    : request_(request), fetch_(fetch), what_(std::move(what)), walker_(what_.cid) {}

void FileGetter::start(Effects& out) {
  out.push_back(OpenOutput{request_, what_.path, what_.overwrite, what_.memory_max});
}

Result<void> FileGetter::on_output_opened(Result<void> result, const BlockIndex& index,
                                          Effects& out) {
  if (!result) return result;
  return advance(index, out);
}

// Asks for blocks while there is room for them, and ends the file when nothing is left.
Result<void> FileGetter::advance(const BlockIndex& index, Effects& out) {
  // What is written and what is kept are the same bytes in memory.
  const std::uint64_t held = std::max(bytes_writing_, bytes_keeping_);
  while (waiting_.size() < kBlocksAhead && places_ahead_ < kPlacesAhead &&
         bytes_ahead_ + held < kBytesAhead) {
    auto place = walker_.next();
    if (!place) break;
    const Multihash& hash = place->cid.hash();
    seen_.insert(hash);
    ++places_ahead_;
    if (const auto already = waiting_.find(hash); already != waiting_.end()) {
      already->second.push_back(std::move(*place));
      continue;
    }
    bytes_ahead_ += place->is_leaf() ? place->file_bytes : 0;
    if (index.held(hash)) {
      reading_[++tags_] = place->cid;
      out.push_back(ReadStored{tags_, hash});
    } else if (what_.ask_others) {
      fetch_block(*place, out);
    } else {
      return fail(Errc::not_local, "a block of " + what_.cid.text() + " is not held here",
                  place->cid.text(), "kith file get without --local-only asks others");
    }
    waiting_[hash].push_back(std::move(*place));
  }
  if (walker_.done() && waiting_.empty() && bytes_writing_ == 0 && !finishing_) {
    finishing_ = true;
    tell(Phase::writing, out);
    out.push_back(FinishOutput{request_, file_bytes()});
  }
  return {};
}

void FileGetter::fetch_block(const TreePlace& place, Effects& out) {
  if (!fetching_) {
    fetching_ = true;
    out.push_back(StartFetch{fetch_, host::Priority::bulk});
    out.push_back(FetchFromEveryone{fetch_});
    looking_ = true;
    out.push_back(FindProviders{request_, what_.cid.hash()});
    tell(Phase::looking, out);
  }
  out.push_back(WantBlock{fetch_, place.cid,
                          static_cast<std::size_t>(place.is_leaf() ? place.file_bytes : 0)});
}

Result<void> FileGetter::on_stored(std::uint64_t tag, std::optional<Bytes> data,
                                   const BlockIndex& index, Effects& out) {
  const auto at = reading_.find(tag);
  if (at == reading_.end()) return {};
  const Cid cid = at->second;
  reading_.erase(at);
  // Stored bytes are believed only as far as their hash goes: disks rot.
  const bool checked = !planted(Planted::block_not_checked);
  if (data && (!checked || Multihash::of_sha256(*data) == cid.hash()))
    return take(cid.hash(), *data, index, out);
  if (!what_.ask_others)
    return fail(Errc::corrupt, "a stored block of " + what_.cid.text() + " is damaged", cid.text(),
                "kith file get without --local-only fetches it from others");
  if (const auto waiting = waiting_.find(cid.hash()); waiting != waiting_.end())
    fetch_block(waiting->second.front(), out);
  return {};
}

Result<void> FileGetter::on_fetched(Now, const Cid& cid, const Bytes& data, const BlockIndex& index,
                                    Effects& out) {
  if (waiting_.count(cid.hash()) == 0) return {};
  bytes_fetched_ += data.size();
  return take(cid.hash(), data, index, out);
}

Result<void> FileGetter::take(const Multihash& hash, const Bytes& data, const BlockIndex& index,
                              Effects& out) {
  const auto at = waiting_.find(hash);
  if (at == waiting_.end()) return {};
  const std::vector<TreePlace> places = std::move(at->second);
  waiting_.erase(at);
  places_ahead_ -= places.size();
  bytes_ahead_ -= places.front().is_leaf() ? places.front().file_bytes : 0;
  for (const TreePlace& place : places) {
    if (place.is_leaf()) {
      KITH_TRY_VOID(walker_.on_leaf(place, data.size()));
      write(place.offset, data, out);
    } else {
      KITH_TRY(Bytes inline_data, walker_.on_node(place, data));
      if (!inline_data.empty()) write(place.offset, std::move(inline_data), out);
    }
  }
  return advance(index, out);
}

void FileGetter::write(std::uint64_t offset, Bytes data, Effects& out) {
  if (data.empty()) return;
  bytes_writing_ += data.size();
  out.push_back(WriteOutput{request_, offset, std::move(data)});
}

Result<void> FileGetter::on_written(std::size_t bytes, Result<void> result, const BlockIndex& index,
                                    Effects& out) {
  bytes_writing_ -= bytes;
  if (!result) return result;
  bytes_done_ += bytes;
  tell(fetching_ ? Phase::fetching : Phase::writing, out);
  return advance(index, out);
}

Result<void> FileGetter::on_kept(std::size_t bytes, const BlockIndex& index, Effects& out) {
  bytes_keeping_ -= bytes;
  return advance(index, out);
}

void FileGetter::on_provider(const dht::PeerInfo& peer, Effects& out) {
  if (providers_.size() >= kProvidersMax || !providers_.insert(peer.id).second) return;
  tell(Phase::connecting, out);
  out.push_back(ConnectProvider{request_, peer});
}

void FileGetter::on_providers_done(Now now, std::uint32_t asked, Effects& out) {
  looking_ = false;
  peers_asked_ += asked;
  note_ = "asked " + std::to_string(peers_asked_) + " peers for providers, " +
          std::to_string(providers_.size()) + " found";
  if (bytes_fetched_ == 0) tell(providers_.empty() ? Phase::looking : Phase::connecting, out);
  look_again_ = later(now.mono, kLookAgain);
}

void FileGetter::on_provider_connected(Result<host::PeerSlot> peer, Effects& out) {
  if (!peer || !fetching_) return;
  out.push_back(FetchFrom{fetch_, *peer});
}

void FileGetter::on_unavailable(Now now, const Cid&, Effects& out) {
  note_ = "none of the connected peers has a block; " + std::to_string(providers_.size()) +
          " providers found";
  tell(Phase::looking, out);
  if (!looking_ && look_again_ == kNever) look_again_ = later(now.mono, kLookAgain);
}

void FileGetter::on_tick(Now now, Effects& out) {
  if (look_again_ > now.mono) return;
  look_again_ = kNever;
  if (waiting_.empty() || looking_) return;
  looking_ = true;
  providers_.clear();  // who was unreachable may be back
  out.push_back(FetchFromEveryone{fetch_});
  out.push_back(FindProviders{request_, what_.cid.hash()});
}

Result<void> FileGetter::on_finished(Result<void> result) {
  finished_ = true;
  return result;
}

void FileGetter::tell(Phase phase, Effects& out) {
  FileProgress progress;
  progress.phase = phase;
  progress.bytes_done = bytes_done_;
  progress.bytes_total = file_bytes();
  progress.providers = static_cast<std::uint32_t>(providers_.size());
  progress.note = note_;
  out.push_back(TellProgress{request_, std::move(progress)});
}

}  // namespace kith::r1fs
