// What CstoreCore asks of its attachment. Names of answers are those of CstoreCore's inputs.
#pragma once

#include <variant>
#include <vector>

#include "gossip/gossip.hpp"
#include "net/base/store.hpp"
#include "schema/kith/cstore_messages.hpp"
#include "services/cstore/cstore.hpp"

namespace kith::cstore {

using SpaceIndex = std::uint32_t;
struct VerifyTag;
using VerifySlot = Handle<VerifyTag>;

struct JoinTopic {
  SpaceIndex space = 0;
  std::string name;
};
struct Commit {
  StoreBatch batch;
  std::uint64_t tag = 0;
  Durability durability = Durability::synced;
};  // on_persisted
struct Scan {
  StoreScan what;
  std::uint64_t tag = 0;
};  // on_scanned
struct Seal {
  SpaceIndex space = 0;
  Bytes body;
};  // on_sealed
struct Verify {
  VerifySlot slot;
  PeerId writer;
  schema::KvSigned message;
};  // on_verified
struct Publish {
  SpaceIndex space = 0;
  Bytes message;
};
struct Settle {
  gossip::JudgeSlot judge;
  gossip::Verdict verdict = gossip::Verdict::accept;
};
struct AskHolders {
  SpaceIndex space = 0;
};  // on_holders
struct SendAsk {
  std::uint64_t pull = 0;
  host::PeerSlot peer;
  Bytes ask;
};  // on_page or on_pull_lost
struct EndPull {
  std::uint64_t pull = 0;
};
struct Serve {
  host::StreamSlot stream;
  schema::KvPage page;      // without its batches:
  std::vector<Bytes> keys;  // of the log, to be read into it until one is missing
};
struct Refuse {
  host::StreamSlot stream;
};
struct TellProgress {
  RequestId request;
  Progress progress;
};
struct TellDone {
  RequestId request;
  Result<Answer> answer;
};
struct TellDamaged {
  SpaceIndex space = 0;
};
struct TellReady {
  Result<void> result;
};

using Effect =
    std::variant<JoinTopic, Commit, Scan, Seal, Verify, Publish, Settle, AskHolders, SendAsk,
                 EndPull, Serve, Refuse, TellProgress, TellDone, TellDamaged, TellReady>;
using Effects = std::vector<Effect>;

struct Families {
  Family meta = 0;
  Family log = 0;
};

}  // namespace kith::cstore
