// What the cores of r1fs ask of their attachment. Names of answers are those of R1fsCore's inputs.
#pragma once

#include <variant>
#include <vector>

#include "dht/routing.hpp"
#include "gossip/gossip.hpp"
#include "net/base/store.hpp"
#include "services/r1fs/r1fs.hpp"

namespace kith::r1fs {

// One purpose for which blocks are fetched: a session of the exchange, named by the core.
using FetchId = std::uint64_t;

// Files of the user's. All I/O happens on the pool.
struct OpenInput {
  RequestId request;
  std::string path;
  std::optional<Bytes> content{};
};  // on_input_opened
struct ReadInput {
  RequestId request;
  std::uint64_t index = 0;
};  // on_input_chunk
struct CloseInput {
  RequestId request;
  bool check_unchanged = false;
};  // on_input_closed
struct OpenOutput {
  RequestId request;
  std::string path;
  bool overwrite = false;
  std::size_t memory_max = 0;
};  // on_output_opened
struct WriteOutput {
  RequestId request;
  std::uint64_t offset = 0;
  Bytes data;
};  // on_output_written
struct FinishOutput {
  RequestId request;
  std::uint64_t bytes = 0;
};  // on_output_finished
struct AbortOutput {
  RequestId request;
};

struct Commit {
  StoreBatch batch;
  Durability durability = Durability::synced;
  std::uint64_t tag = 0;
};  // on_persisted
struct ReadStored {
  std::uint64_t tag = 0;
  Multihash hash;
};  // on_stored
struct ScanStored {
  Family family = 0;
  Bytes from;
};  // on_scanned

struct StartFetch {
  FetchId fetch = 0;
  host::Priority priority = host::Priority::bulk;
};
struct FetchFrom {
  FetchId fetch = 0;
  host::PeerSlot peer;
};
struct FetchFromEveryone {
  FetchId fetch = 0;
};
struct WantBlock {
  FetchId fetch = 0;
  Cid cid;
  std::size_t bytes = 0;
};  // on_fetched, on_unavailable
struct EndFetch {
  FetchId fetch = 0;
};
struct FindProviders {
  RequestId request;
  Multihash hash;
};  // on_provider, on_providers_done
struct ConnectProvider {
  RequestId request;
  dht::PeerInfo peer;
};  // on_provider_connected
struct StopLooking {
  RequestId request;
};

struct PublishOffer {
  Bytes message;
};
struct SettleOffer {
  gossip::JudgeSlot judge;
  gossip::Verdict verdict = gossip::Verdict::accept;
};
struct ProvideRoot {
  Multihash root;
};
struct UnprovideRoot {
  Multihash root;
};
struct AskHolds {
  host::PeerSlot peer;
  Cid root;
};  // on_holds
struct AnnounceHeld {
  Cid cid;
};

struct TellProgress {
  RequestId request;
  FileProgress progress;
};
struct TellDone {
  RequestId request;
  Result<FileAnswer> answer;
};

struct TellReady {
  Result<void> result;
};

using Effect = std::variant<OpenInput, ReadInput, CloseInput, OpenOutput, WriteOutput, FinishOutput,
                            AbortOutput, Commit, ReadStored, ScanStored, StartFetch, FetchFrom,
                            FetchFromEveryone, WantBlock, EndFetch, FindProviders, ConnectProvider,
                            StopLooking, PublishOffer, SettleOffer, ProvideRoot, UnprovideRoot,
                            AskHolds, AnnounceHeld, TellProgress, TellDone, TellReady>;
using Effects = std::vector<Effect>;

// A megabyte of a file, read and hashed on the pool.
struct HashedChunk {
  Bytes data;
  Cid cid;  // raw, SHA-256
};

struct Families {
  Family blocks = 0;
  Family meta = 0;
  Family files = 0;
};

}  // namespace kith::r1fs
