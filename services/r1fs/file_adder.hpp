// FileAdder: one `file add` from the first byte to the durable record.
//
// Chunks are read and hashed on the pool, a few at a time, and taken in order; blocks go to the
// store in batches while reading goes on, with records that nothing refers to yet. The last batch,
// synced, makes them the file's: it refers to every block and holds the file's record. So a crash
// before it leaves only leftovers, which are removed at start, and an acknowledged file is whole.
// Bounds: kReadsAhead chunks being read, kCommitBytesAhead being written: constant memory, but for
// 80 bytes a block.
#pragma once

#include <map>
#include <set>

#include "services/r1fs/block_index.hpp"
#include "services/r1fs/r1fs_effects.hpp"
#include "services/r1fs/tree_builder.hpp"

namespace kith::r1fs {

inline constexpr std::uint64_t kReadsAhead = 4;
inline constexpr std::size_t kCommitBytes = 4u << 20;
inline constexpr std::size_t kCommitBytesAhead = 16u << 20;

class FileAdder {
 public:
  enum class State : std::uint8_t { opening, reading, closing, sealing, done };

  FileAdder(RequestId request, AddFile what, Families families);
  void start(Effects& out);
  // Each answers with an error when the add has failed: the owner then undoes with leftovers().
  Result<void> on_opened(Result<std::uint64_t> bytes, Effects& out);
  Result<void> on_chunk(std::uint64_t index, Result<HashedChunk> chunk, Effects& out);
  Result<void> on_persisted(std::size_t bytes, Result<void> result, Effects& out);
  Result<void> on_closed(Result<void> unchanged, Effects& out);

  State state() const { return state_; }
  // Ready to be sealed: the store has taken every block (a batch that a full disk refused must not
  // be followed by one that refers to its blocks). The owner builds the last batch from these.
  bool sealable() const { return state_ == State::sealing && committing_ == 0; }
  void sealed() { state_ = State::done; }
  const Cid& root() const { return root_; }
  std::uint64_t bytes() const { return file_bytes_; }
  std::uint64_t reserved() const { return reserved_; }
  void set_reserved(std::uint64_t bytes) { reserved_ = bytes; }
  const std::map<Multihash, schema::BlockRecord>& blocks() const { return blocks_; }
  const AddFile& what() const { return what_; }
  // Batches that are under way: the owner tags them and tells on_persisted their size.
  std::vector<std::pair<StoreBatch, std::size_t>> take_batches() {
    return std::exchange(batches_, {});
  }

 private:
  void read_more(Effects& out);
  void put(const Cid& cid, const Bytes& data);
  void flush(bool all);
  void tell(Phase phase, Effects& out) const;

  RequestId request_;
  AddFile what_;
  Families families_;
  State state_ = State::opening;
  TreeBuilder builder_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t chunks_ = 0;  // of the file
  std::uint64_t next_read_ = 0;
  std::uint64_t next_take_ = 0;
  std::map<std::uint64_t, HashedChunk> early_;  // read before their turn
  std::map<Multihash, schema::BlockRecord> blocks_;
  StoreBatch batch_;
  std::size_t batch_bytes_ = 0;
  std::vector<std::pair<StoreBatch, std::size_t>> batches_;
  std::size_t committing_ = 0;
  std::uint64_t reserved_ = 0;
  Cid root_;
};

}  // namespace kith::r1fs
