// Deliveries: who heard what that was published, when, over how many hops, and how often. The
// oracle of gossip: it sees what no node sees.
//
// A subscriber is due a message when it was up from kWarm before the publication until kInTime
// behind it (or the end of the run). Messages published while a fault cuts the net, or too short
// before or after, are counted apart: gossip does not promise them to the other side.
// Bounds: kDeliveryCellsMax (message, node) pairs are followed; beyond it every second message,
// every fourth, and so on.
#pragma once

#include <map>
#include <vector>

#include "simnet/scenario/histogram.hpp"
#include "simnet/scenario/town.hpp"

namespace kith::simnet {

inline constexpr Duration kWarm = 15s;
inline constexpr Duration kInTime = 30s;
inline constexpr std::size_t kDeliveryCellsMax = 1u << 28;
inline constexpr std::size_t kBodyHead = 16;  // bytes of a message that name it

struct DeliverySummary {
  std::uint64_t published = 0;
  std::uint64_t followed = 0;  // of those
  std::uint64_t due = 0;       // (message, subscriber)
  std::uint64_t heard = 0;     // of those due
  std::uint64_t cut_due = 0;   // the same, near a cut
  std::uint64_t cut_heard = 0;
  std::uint64_t heard_all = 0;  // by whomever
  std::uint64_t twice = 0;      // delivered again to one that had it
  std::uint64_t unknown = 0;    // not one of ours
  Histogram latency_us;         // of each first delivery
  Histogram hops;
};

class Deliveries {
 public:
  explicit Deliveries(Town& town);

  // The body of the next message, which published() numbers.
  Bytes make_body(std::size_t size);
  std::uint64_t published(NodeIndex from, const std::string& topic);
  void refused(std::uint64_t number);  // the node answered that it did not take it: due to nobody
  void heard(NodeIndex node, const gossip::GossipMessage& message);
  std::uint64_t count() const { return posts_; }
  void cut(Mono from, Mono to) { cuts_.push_back({from, to}); }
  DeliverySummary summary() const;
  // First few that were due and not heard, for people.
  std::vector<std::string> missing(std::size_t most) const;

 private:
  struct Post {
    NodeIndex from = 0;
    Mono at{};
    std::uint32_t topic = 0;
    std::vector<std::uint8_t> hops;  // by node: 0 not heard, else hops + 1
  };
  struct Span {
    Mono from{}, to{};
  };
  bool near_cut(Mono at) const;
  template <class Each>
  void each_due(const Post& post, Each&& each) const;
  NodeIndex sender_of(NodeIndex node, const gossip::GossipMessage& message);

  Town& town_;
  std::map<std::string, std::uint32_t> topics_;
  std::vector<std::vector<NodeIndex>> subscribers_;  // by topic
  std::uint64_t posts_ = 0;
  std::uint64_t stride_ = 1;
  std::vector<Post> kept_;  // post i is kept_[i / stride_], when it divides
  std::vector<Span> cuts_;
  // By node, then by its PeerSlot's index: who that is, for the generation.
  struct Sender {
    std::uint32_t generation = UINT32_MAX;
    NodeIndex node = 0;
  };
  std::vector<std::vector<Sender>> senders_;
  DeliverySummary sum_;
  Bytes filler_;
};

}  // namespace kith::simnet
