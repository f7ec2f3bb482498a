// What the router asks for: carried out by the attachment, in order, after the router has
// returned.
#pragma once

#include <variant>
#include <vector>

#include "gossip/message.hpp"

namespace kith::gossip {

// Control goes before messages of other streams; all else of gossip is `normal`. Nothing is
// `bulk`: a peer's RPCs share one stream, so what waits behind a bulk message would wait like
// one.
struct SendRpc {
  host::PeerSlot to;
  Bytes rpc;
  host::Priority priority = host::Priority::normal;
};
// Answer with on_verified(message, verify(part)).
struct Verify {
  JudgeSlot message;
  SignedPart part;
};
// Answer with settle(); `pending` is a legal answer, followed by another. Router::waiting() has
// the message.
struct Judge {
  JudgeSlot message;
  TopicIndex topic;
};
// Accepted, or our own on a topic with loopback.
struct Deliver {
  Message message;
};

using Effect = std::variant<SendRpc, Verify, Judge, Deliver>;
using Effects = std::vector<Effect>;

}  // namespace kith::gossip
