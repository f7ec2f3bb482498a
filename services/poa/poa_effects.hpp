// What PoaCore asks of its attachment. Names of answers are those of PoaCore's inputs.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "net/base/store.hpp"
#include "net/host/host.hpp"
#include "services/poa/poa.hpp"

namespace kith::poa {

struct PublishBeat {
  Bytes beat;
};
struct Commit {
  StoreBatch batch;
  Durability durability = Durability::buffered;
  std::uint64_t tag = 0;
};  // on_persisted
struct ScanStored {
  Bytes from;
};  // on_scanned

// Another's question: sign the statement as ours and send it, then end the stream.
struct GiveStatement {
  host::StreamSlot stream;
  Bytes statement;
};
struct RefuseQuestion {
  host::StreamSlot stream;
};

// Our questions.
struct ConnectOwner {
  RequestId request;
  PeerId owner;
};  // on_owner_connected
struct AskPage {
  RequestId request;
  host::PeerSlot owner;
  Bytes question;
};  // on_page, or on_page_failed
struct CheckSignature {
  RequestId request;
  PeerId owner;
  schema::SignedStatement what;
};  // on_checked
struct EndAsking {
  RequestId request;
};

struct TellProgress {
  RequestId request;
  Progress progress;
};
struct TellDone {
  RequestId request;
  Result<Answer> answer;
};
struct TellReady {
  Result<void> result;
};
struct Warn {
  std::string_view code;
  std::string text;
};

using Effect =
    std::variant<PublishBeat, Commit, ScanStored, GiveStatement, RefuseQuestion, ConnectOwner,
                 AskPage, CheckSignature, EndAsking, TellProgress, TellDone, TellReady, Warn>;
using Effects = std::vector<Effect>;

}  // namespace kith::poa
