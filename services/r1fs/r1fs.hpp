// R1fs: the front of services/r1fs: files by content. Add, get, list, stat, remove; spreading and
// keeping happen below.
//
// Rules
// * Every command carries a RequestId, yields any number of on_file_progress and exactly one
// on_file_done; cancel(id) is always
//   legal. What was acknowledged is durable.
// * add: reads the file at `path` (constant memory), stores its blocks, answers when all are
// durable. `spread`: and when that many
//   peers said that they hold every block (`--spread N`); 0 does not wait.
// * get: takes what is local, fetches the rest when `ask_others`, verifies, writes through a
// temporary name beside `path`, fsyncs,
//   renames. not_local when blocks are missing and others may not be asked; not_found when nobody
//   has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "net/base/slots.hpp"
#include "net/base/time.hpp"
#include "schema/base/cid.hpp"
#include "schema/base/peer_id.hpp"

namespace kith::r1fs {

enum class Visibility : std::uint8_t { local, public_ };

struct AddFile {
  std::string path;  // absolute
  std::string name;  // as listed; bounded to 255 bytes
  Visibility visibility = Visibility::public_;
  std::uint32_t spread = 0;
  std::optional<Bytes> content{};  // instead of what is at `path`: another service's object
};
struct GetFile {
  Cid cid;
  std::string path;  // absolute; must not exist unless `overwrite`
  bool ask_others = true;
  bool overwrite = false;
  std::size_t memory_max = 0;  // above 0: into FileAnswer::content, and `path` is not used
};

enum class Phase : std::uint8_t {
  reading,
  storing,
  spreading,
  looking,
  connecting,
  fetching,
  writing
};
std::string_view phase_name(Phase phase);

struct FileProgress {
  Phase phase = Phase::reading;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;  // 0: not known yet
  std::uint32_t providers = 0;    // found, connected and asked so far
  std::uint32_t keepers = 0;      // peers that hold every block
  std::string note;               // "asked 20 peers, 0 have it"
};

struct FileInfo {
  Cid cid;
  std::string name;
  std::uint64_t bytes = 0;
  std::uint64_t blocks = 0;  // all of the tree
  std::uint64_t blocks_held = 0;
  Visibility visibility = Visibility::public_;
  bool own = false;  // added here; never evicted
  Wall added{};
  std::uint64_t blocks_to_spread = 0;  // not yet offered and taken by any neighbour
  std::vector<PeerId> keepers;         // peers known to hold every block, at most 64
};

struct FileAnswer {
  FileInfo file;
  std::vector<FileInfo> files;  // list
  std::uint64_t bytes_fetched = 0;
  std::uint64_t bytes_freed = 0;  // remove
  Bytes content;                  // get into memory
};

class FileSink {
 public:
  virtual void on_file_progress(Now, RequestId, const FileProgress&) {}
  virtual void on_file_done(Now, RequestId, Result<FileAnswer>) = 0;

 protected:
  ~FileSink() = default;
};

struct StorageStatus {
  std::uint64_t own_bytes = 0;
  std::uint64_t kept_bytes = 0;   // of others
  std::uint64_t quota_bytes = 0;  // own and kept, hard
  std::uint64_t kept_quota_bytes = 0;
  std::uint64_t blocks = 0;
};

class R1fs {
 public:
  virtual ~R1fs() = default;
  virtual void add(RequestId request, AddFile what, FileSink& sink) = 0;
  virtual void get(RequestId request, GetFile what, FileSink& sink) = 0;
  virtual void list(RequestId request, FileSink& sink) = 0;
  virtual void stat(RequestId request, const Cid& cid, FileSink& sink) = 0;
  virtual void remove(RequestId request, const Cid& cid, FileSink& sink) = 0;
  virtual void cancel(RequestId request) = 0;
  virtual StorageStatus storage() const = 0;
};

}  // namespace kith::r1fs
