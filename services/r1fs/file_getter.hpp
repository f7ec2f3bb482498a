// FileGetter: one `file get`. What is held is read from the store, the rest is fetched; every leaf
// is written at its place as it comes, so order does not matter; the output appears under its name
// only when it is whole and on disk.
//
// Looking: everybody connected who speaks bitswap is asked, and the DHT for providers, again every
// kLookAgain while something is missing: somebody may come. It ends by success, by an error that no
// other peer can mend (a block that makes no sense), or by the caller's cancel. Bounds:
// kBlocksAhead blocks, kPlacesAhead places and kBytesAhead bytes asked for and not yet written.
#pragma once

#include <map>
#include <set>

#include "services/r1fs/block_index.hpp"
#include "services/r1fs/r1fs_effects.hpp"
#include "services/r1fs/tree_walker.hpp"

namespace kith::r1fs {

inline constexpr std::size_t kBlocksAhead = 64;
inline constexpr std::size_t kPlacesAhead = 256;  // a file may repeat one block millions of times
inline constexpr std::uint64_t kBytesAhead = 16u << 20;
inline constexpr Duration kLookAgain = 10s;
inline constexpr std::size_t kProvidersMax = 32;

class FileGetter {
 public:
  FileGetter(RequestId request, FetchId fetch, GetFile what);
  void start(Effects& out);
  // Inputs answer with an error when the get has failed; the owner then aborts the output.
  Result<void> on_output_opened(Result<void> result, const BlockIndex& index, Effects& out);
  Result<void> on_stored(std::uint64_t tag, std::optional<Bytes> data, const BlockIndex& index,
                         Effects& out);
  Result<void> on_fetched(Now now, const Cid& cid, const Bytes& data, const BlockIndex& index,
                          Effects& out);
  void on_unavailable(Now now, const Cid& cid, Effects& out);
  Result<void> on_written(std::size_t bytes, Result<void> result, const BlockIndex& index,
                          Effects& out);
  // A fetched block is also being stored: as long as that lasts its bytes count as under way, so
  // that a network faster than the disk does not fill the memory.
  void on_keeping(std::size_t bytes) { bytes_keeping_ += bytes; }
  Result<void> on_kept(std::size_t bytes, const BlockIndex& index, Effects& out);
  void on_provider(const dht::PeerInfo& peer, Effects& out);
  void on_providers_done(Now now, std::uint32_t asked, Effects& out);
  void on_provider_connected(Result<host::PeerSlot> peer, Effects& out);
  Result<void> on_finished(Result<void> result);
  void on_tick(Now now, Effects& out);
  Mono next_deadline() const { return look_again_; }

  bool finished() const { return finished_; }
  const GetFile& what() const { return what_; }
  FetchId fetch() const { return fetch_; }
  bool fetching() const { return fetching_; }
  std::uint64_t file_bytes() const { return walker_.file_bytes().value_or(0); }
  std::uint64_t blocks() const { return seen_.size(); }
  std::uint64_t bytes_fetched() const { return bytes_fetched_; }

 private:
  Result<void> advance(const BlockIndex& index, Effects& out);
  Result<void> take(const Multihash& hash, const Bytes& data, const BlockIndex& index,
                    Effects& out);
  void fetch_block(const TreePlace& place, Effects& out);
  void write(std::uint64_t offset, Bytes data, Effects& out);
  void tell(Phase phase, Effects& out);

  RequestId request_;
  FetchId fetch_;
  GetFile what_;
  TreeWalker walker_;
  // By block: one may stand at several places of the file.
  std::map<Multihash, std::vector<TreePlace>> waiting_;
  std::size_t places_ahead_ = 0;  // in waiting_
  std::map<std::uint64_t, Cid> reading_;
  std::uint64_t tags_ = 0;
  std::uint64_t bytes_ahead_ = 0;
  std::uint64_t bytes_writing_ = 0;
  std::uint64_t bytes_keeping_ = 0;
  std::uint64_t bytes_done_ = 0;
  std::uint64_t bytes_fetched_ = 0;
  std::set<Multihash> seen_;
  bool fetching_ = false;
  bool finishing_ = false;
  bool finished_ = false;
  bool looking_ = false;
  Mono look_again_ = kNever;
  std::uint32_t peers_asked_ = 0;
  std::set<PeerId> providers_;
  std::string note_;
};

}  // namespace kith::r1fs
