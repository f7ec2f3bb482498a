// R1fsCore: files by content, as one machine. It owns the index and the children that each do one
// thing (add, get, spread, keep, scan), routes answers to them by tag, and is the only one that
// builds batches which change why a block is held.
//
// Rules
// * The index changes when a batch is handed to the store, and batches take effect in that order: a
// later batch builds on an earlier one.
//   A refused batch is undone in the index. What must not be told before it is durable waits for
//   on_persisted.
// * Of one root, one seal or removal is under way at a time; others of that root wait. So undoing a
// refused one is taking back what it added, whatever else happened to its blocks meanwhile.
// * Blocks without a reason to be held are leftovers: of a failed add they go at once, of a crashed
// one at the next start.
// * Nothing is asked for before loading has ended: a block that is about to be dropped as a
// leftover must not be taken for held.
// * Everything is bounded by its child's maxima and kFileRequestsMax.
#pragma once

#include "services/r1fs/file_adder.hpp"
#include "services/r1fs/file_getter.hpp"
#include "services/r1fs/keeper.hpp"
#include "services/r1fs/spreader.hpp"

namespace kith::r1fs {

inline constexpr std::size_t kFileRequestsMax = 64;  // adds and gets at a time
inline constexpr std::size_t kFilesMax = 1'000'000;

struct R1fsCoreConfig {
  PeerId self;
  Families families;
  Quota quota;
  bool keep_for_others = true;
};

class R1fsCore {
 public:
  explicit R1fsCore(R1fsCoreConfig config);

  // Loading; ends with TellReady.
  void start(Effects& out);
  void on_scanned(Now, Family, Result<std::vector<StoreEntry>>, bool more, Effects& out);

  void add(RequestId, AddFile, Effects& out);
  void get(RequestId, GetFile, Effects& out);
  void list(RequestId, Effects& out);
  void stat(Now, RequestId, const Cid&, Effects& out);
  void remove(Now, RequestId, const Cid&, Effects& out);
  void cancel(RequestId, Effects& out);

  void on_input_opened(Now, RequestId, Result<std::uint64_t> bytes, Effects& out);
  void on_input_chunk(Now, RequestId, std::uint64_t index, Result<HashedChunk>, Effects& out);
  void on_input_closed(Now, RequestId, Result<void>, Effects& out);
  void on_output_opened(Now, RequestId, Result<void>, Effects& out);
  void on_output_written(Now, RequestId, std::size_t bytes, Result<void>, Effects& out);
  void on_output_finished(Now, RequestId, Result<void>, Effects& out);

  void on_persisted(Now, std::uint64_t tag, Result<void>, Effects& out);
  void on_stored(Now, std::uint64_t tag, Result<std::optional<Bytes>>, Effects& out);

  void on_fetched(Now, FetchId, const Cid&, const Bytes&, Effects& out);
  void on_unavailable(Now, FetchId, const Cid&, Effects& out);
  void on_provider(RequestId, const dht::PeerInfo&, Effects& out);
  void on_providers_done(Now, RequestId, std::uint32_t asked, Effects& out);
  void on_provider_connected(RequestId, Result<host::PeerSlot>, Effects& out);

  gossip::Verdict on_offer(Now, gossip::JudgeSlot, host::PeerSlot via, const PeerId& publisher,
                           const Bytes& data, Effects& out);
  // Another node asks whether we hold all of a file.
  bool holds(const Cid& root) const;
  void on_holds(const PeerId& peer, const Cid& root, bool complete, Effects& out);
  void on_block_given(Now, const Multihash&, Effects& out);  // the exchange read it for a neighbour

  // `listeners`: connected subscribers of the chunk topic; has_mesh: whether an offer would be
  // heard.
  void on_tick(Now, bool has_mesh, const std::vector<host::PeerSlot>& listeners, Effects& out);
  Mono next_deadline() const;

  const BlockIndex& index() const { return index_; }
  StorageStatus storage() const;

 private:
  struct AdderBatch {
    RequestId request;
    std::size_t bytes = 0;
  };
  struct AdderSeal {
    RequestId request;
    schema::FileRecord record;
    std::optional<schema::FileRecord> previous;  // of the same root
    int public_added = 0;                        // references, to each of `blocks`
    int local_added = 0;
    std::vector<Multihash> blocks;
  };
  struct PullBlock {
    FetchId fetch = 0;
    Cid cid;
    Multihash root;
    PeerId publisher;
    std::size_t bytes = 0;
  };
  struct RemoveSeal {
    RequestId request;
    FileInfo info;
    std::uint64_t freed = 0;
    schema::FileRecord record;
    std::map<Multihash, schema::BlockRecord> blocks;  // as they were
  };
  struct Housekeeping {};
  using CommitOwner = std::variant<AdderBatch, AdderSeal, PullBlock, RemoveSeal, Housekeeping>;

  struct ForStat {
    RequestId request;
  };
  struct ForRemove {
    RequestId request;
  };
  struct ForSpread {};
  struct ForKept {};
  struct Scan {
    Cid root;
    std::variant<ForStat, ForRemove, ForSpread, ForKept> purpose;
    TreeScan scan;
  };
  struct GetterRead {
    RequestId request;
    std::uint64_t tag = 0;
  };
  struct ScanRead {
    std::uint64_t scan = 0;
  };
  struct OfferBody {
    Multihash root;
    std::uint32_t offer = 0;
    Multihash hash;
  };
  using ReadOwner = std::variant<GetterRead, ScanRead, OfferBody>;
  struct OfferBodies {
    std::size_t missing = 0;
    std::map<Multihash, Bytes> bodies;
  };
  struct Waiter {
    RequestId request;
    std::uint32_t keepers = 0;
  };
  struct Kept {
    std::set<Multihash> have;
    bool complete = false;
  };

  // r1fs_core.cpp
  void commit(StoreBatch batch, Durability durability, CommitOwner owner, Effects& out);
  void route(Now, Effects& from_child, Effects& out);
  FileInfo info_of(const schema::FileRecord& record) const;
  void put_file(StoreBatch& batch, const schema::FileRecord& record);
  void put_block_record(StoreBatch& batch, const Multihash&, const schema::BlockRecord&);
  // Takes the record out of the index and the batch, and the bytes too unless an add still counts
  // on them.
  std::uint64_t drop_block(StoreBatch& batch, const Multihash&);
  bool make_room(BlockIndex::Use use, std::uint64_t bytes, Effects& out);
  void evict(const Multihash& root, Effects& out);
  void start_scan(Now, Cid root, decltype(Scan::purpose) purpose, Effects& out);
  void advance_scan(Now, std::uint64_t id, Effects& out);
  void scan_done(Now, Scan scan, Effects& out);
  bool load(Family, const StoreEntry&);
  void after_load(Now, Effects& out);

  // r1fs_files.cpp
  void fail_add(RequestId, Error, Effects& out);
  void drop_leftovers(const FileAdder&, Effects& out);
  bool adding(const Multihash&) const;  // an add counts on this block and has not sealed it
  void after_adder(Now, RequestId, Result<void>, Effects& from_child, Effects& out);
  void seal(Now, RequestId, Effects& out);
  void on_sealed(Now, AdderSeal, Result<void>, Effects& out);
  void undo_seal(const AdderSeal&, Effects& out);
  void after_getter(Now, RequestId, Result<void>, Effects& from_child, Effects& out);
  void end_getter(RequestId, Effects& out);
  void on_kept(Now, const PullBlock&, Result<void>, Effects& out);
  void unkeep(const PullBlock&, Effects& out);
  void keep_block(FetchId, const Multihash& root, const PeerId& publisher, const Cid&, const Bytes&,
                  const schema::FileRecord& record, Durability, Effects& out);

  // r1fs_remove.cpp
  void finish_remove(Now, RequestId, const Cid& root, ScanResult, Effects& out);
  void on_removed(Now, RemoveSeal, Result<void>, Effects& out);
  void settle_root(Now, const Multihash& root, Effects& out);
  bool still_loading(RequestId, Effects& out) const;

  // r1fs_offers.cpp
  void start_pull(Now, FetchId, Effects& out);
  void pull_block(Now, Pull&, const Cid&, const Bytes&, Effects& out);
  void end_pull(Now, FetchId, gossip::Verdict, Effects& out);
  void note_held(Now, const schema::Offer&, const PeerId& publisher, Effects& out);
  void start_spread(Now, const schema::FileRecord&, ScanResult, Effects& out);
  void prepare_offer(Now, Spreader&, std::uint32_t offer, Effects& out);
  void publish(Now, Spreader&, std::uint32_t offer, const std::map<Multihash, Bytes>&, Effects&);
  void tell_waiters(const Multihash& root, Effects& out);
  std::uint32_t keepers_waited_for(const Multihash& root) const;

  R1fsCoreConfig config_;
  BlockIndex index_;
  Keeper keeper_;
  std::map<Multihash, schema::FileRecord> files_;
  std::map<Multihash, Kept> kept_;
  std::vector<std::pair<Multihash, schema::BlockRecord>> leftovers_;  // found while loading
  std::uint32_t rereads_ = 0;  // of the record that loading has come to
  std::map<RequestId, FileAdder> adders_;
  std::map<RequestId, FileGetter> getters_;
  std::map<FetchId, RequestId> getter_fetches_;
  std::map<Multihash, Spreader> spreaders_;
  std::map<Multihash, std::vector<Waiter>> waiters_;
  std::map<FetchId, Pull> pulls_;
  std::deque<FetchId> waiting_pulls_;
  std::size_t active_pulls_ = 0;
  std::map<std::pair<Multihash, std::uint32_t>, OfferBodies> offer_bodies_;
  std::map<std::uint64_t, Scan> scans_;
  std::map<std::uint64_t, CommitOwner> commits_;
  std::map<std::uint64_t, ReadOwner> reads_;
  std::set<Multihash> settling_;  // roots with a seal or a removal under way
  std::vector<std::pair<RequestId, Cid>> removals_waiting_;
  std::uint64_t tags_ = 0;
  bool loaded_ = false;
};

}  // namespace kith::r1fs
