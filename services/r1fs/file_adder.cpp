#include "services/r1fs/file_adder.hpp"

#include "net/base/check.hpp"

namespace kith::r1fs {

FileAdder::FileAdder(RequestId request, AddFile what, Families families)
    : request_(request), what_(std::move(what)), families_(families) {}

void FileAdder::start(Effects& out) {
  out.push_back(OpenInput{request_, what_.path, what_.content});
}

Result<void> FileAdder::on_opened(Result<std::uint64_t> bytes, Effects& out) {
  if (!bytes) return bytes.error();
  file_bytes_ = *bytes;
  // An empty file is one empty leaf.
  chunks_ = std::max<std::uint64_t>(1, (file_bytes_ + kLeafBytes - 1) / kLeafBytes);
  state_ = State::reading;
  read_more(out);
  return {};
}

void FileAdder::read_more(Effects& out) {
  if (state_ != State::reading) return;
  while (next_read_ < chunks_ && next_read_ - next_take_ < kReadsAhead &&
         committing_ + batch_bytes_ < kCommitBytesAhead)
    out.push_back(ReadInput{request_, next_read_++});
}

Result<void> FileAdder::on_chunk(std::uint64_t index, Result<HashedChunk> chunk, Effects& out) {
  if (!chunk) return chunk.error();
  const std::uint64_t expected =
      std::min<std::uint64_t>(kLeafBytes, file_bytes_ - index * kLeafBytes);
  if (chunk->data.size() != expected)
    return fail(Errc::io, what_.path + " changed while it was read", "it became shorter",
                "add it again when nothing writes to it");
  early_.emplace(index, std::move(*chunk));
  while (!early_.empty() && early_.begin()->first == next_take_) {
    const HashedChunk next = std::move(early_.begin()->second);
    early_.erase(early_.begin());
    ++next_take_;
    put(next.cid, next.data);
    std::vector<Block> nodes;
    builder_.add_leaf(next.cid, next.data.size(), nodes);
    for (const Block& node : nodes) put(node.cid, node.data);
  }
  flush(false);
  tell(Phase::reading, out);
  if (next_take_ == chunks_) {
    std::vector<Block> nodes;
    root_ = builder_.finish(nodes);
    for (const Block& node : nodes) put(node.cid, node.data);
    flush(true);
    state_ = State::closing;
    out.push_back(CloseInput{request_, true});
  } else {
    read_more(out);
  }
  return {};
}

void FileAdder::put(const Cid& cid, const Bytes& data) {
  schema::BlockRecord record;
  record.size = static_cast<std::uint32_t>(data.size());
  record.codec = static_cast<std::uint32_t>(cid.codec());
  if (!blocks_.emplace(cid.hash(), record).second) return;  // the file repeats itself
  batch_.put(families_.blocks, cid.hash().bytes(), data);
  batch_bytes_ += data.size();
}

void FileAdder::flush(bool all) {
  if (batch_.writes.empty() || (!all && batch_bytes_ < kCommitBytes)) return;
  committing_ += batch_bytes_;
  batches_.emplace_back(std::exchange(batch_, {}), std::exchange(batch_bytes_, 0));
}

Result<void> FileAdder::on_persisted(std::size_t bytes, Result<void> result, Effects& out) {
  CHECK(committing_ >= bytes);
  committing_ -= bytes;
  if (!result) return result;
  read_more(out);
  return {};
}

Result<void> FileAdder::on_closed(Result<void> unchanged, Effects& out) {
  if (!unchanged) return unchanged;
  state_ = State::sealing;
  tell(Phase::storing, out);
  return {};
}

void FileAdder::tell(Phase phase, Effects& out) const {
  FileProgress progress;
  progress.phase = phase;
  progress.bytes_done = builder_.file_bytes();
  progress.bytes_total = file_bytes_;
  out.push_back(TellProgress{request_, std::move(progress)});
}

}  // namespace kith::r1fs
