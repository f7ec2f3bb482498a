// Gossip: the front of gossip/. A service subscribes to topics, judges what arrives, and publishes;
// mesh, scores, caches and signatures are below it.
//
// Rules
// * on_judge is asked once for each new message, after its signature verified and before it is
// delivered or forwarded. `pending` keeps
//   the message (at most kJudgeTime) until settle(): the mesh gets it only after `accept`. So a
//   keeper forwards an offer when it can serve what the offer names.
// * `accept`: deliver (on_message) and forward. `ignore`: neither, no blame. `reject`: neither, and
// the sender is to blame.
// * Own messages are not judged; they are delivered locally only when subscribed with `loopback`.
// * publish: data <= kGossipDataMax; more, or a full queue, is refused with an error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/host/host.hpp"

namespace kith::gossip {

inline constexpr std::size_t kGossipDataMax = 60u << 10;
inline constexpr Duration kJudgeTime = 60s;

struct TopicTag;
using TopicIndex = Handle<TopicTag>;
// A message under judgement; stale after settle() or kJudgeTime.
struct JudgeTag;
using JudgeSlot = Handle<JudgeTag>;

struct GossipMessage {
  PeerId from;  // the signer
  Bytes id;     // from ++ seqno: the message id
  Bytes data;
  host::PeerSlot via;  // who handed it to us; none for our own
};

enum class Verdict : std::uint8_t { accept, ignore, reject, pending };

class TopicHandler {
 public:
  virtual Verdict on_judge(Now, TopicIndex, JudgeSlot, const GossipMessage&) {
    return Verdict::accept;
  }
  virtual void on_message(Now, TopicIndex, const GossipMessage&) = 0;

 protected:
  ~TopicHandler() = default;
};

// One of our topics, as a person sees it.
struct TopicView {
  std::string name;
  std::uint32_t mesh = 0;
  std::uint32_t subscribers = 0;  // ready peers that said so
};

class Gossip {
 public:
  virtual ~Gossip() = default;
  // At most one handler a topic; a second subscribe of the same topic is Errc::in_use.
  virtual Result<TopicIndex> subscribe(std::string topic, TopicHandler& handler,
                                       bool loopback = false) = 0;
  virtual void unsubscribe(TopicIndex topic) = 0;
  virtual void settle(JudgeSlot message, Verdict verdict) = 0;  // not `pending`
  // Subscribed or not (fanout). Answers with the message id.
  virtual Result<Bytes> publish(std::string_view topic, Bytes data) = 0;
  virtual std::vector<host::PeerSlot> mesh(TopicIndex topic) const = 0;
  virtual std::vector<host::PeerSlot> subscribers(
      std::string_view topic) const = 0;              // ready peers that said so
  virtual std::vector<TopicView> topics() const = 0;  // ours, by name
};

}  // namespace kith::gossip
