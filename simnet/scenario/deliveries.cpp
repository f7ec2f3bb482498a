#include "simnet/scenario/deliveries.hpp"

#include <algorithm>
#include <cstring>

namespace kith::simnet {
namespace {
constexpr char kMark[8] = {'k', 'i', 't', 'h', '-', 's', 'i', 'm'};
}

Deliveries::Deliveries(Town& town) : town_(town) {
  const Scenario& scenario = town.scenario();
  for (const NodeIndex node : town.members("all"))
    for (const std::string& topic : town.group_of(node).node.topics) {
      const auto [at, fresh] = topics_.emplace(topic, static_cast<std::uint32_t>(topics_.size()));
      if (fresh) subscribers_.emplace_back();
      subscribers_[at->second].push_back(node);
    }
  senders_.resize(scenario.nodes);
}

Bytes Deliveries::make_body(std::size_t size) {
  std::vector<std::uint8_t> body(std::max(size, kBodyHead), 0x2e);
  std::memcpy(body.data(), kMark, sizeof kMark);
  for (unsigned i = 0; i < 8; ++i) body[8 + i] = static_cast<std::uint8_t>(posts_ >> (8 * i));
  return Bytes::copy(body);
}

std::uint64_t Deliveries::published(NodeIndex from, const std::string& topic) {
  const std::uint64_t number = posts_++;
  ++sum_.published;
  if (number % stride_ != 0) return number;
  const std::size_t nodes = senders_.size();
  if ((kept_.size() + 1) * nodes > kDeliveryCellsMax && kept_.size() >= 2) {
    // Every second one from now on, and of those kept.
    for (std::size_t i = 0; 2 * i < kept_.size(); ++i) kept_[i] = std::move(kept_[2 * i]);
    kept_.resize((kept_.size() + 1) / 2);
    stride_ *= 2;
    if (number % stride_ != 0) return number;
  }
  Post post;
  post.from = from;
  post.at = town_.world().now();
  const auto known = topics_.find(topic);
  post.topic = known == topics_.end() ? UINT32_MAX : known->second;
  post.hops.resize(nodes);
  post.hops[from] = 1;
  kept_.push_back(std::move(post));
  return number;
}

void Deliveries::refused(std::uint64_t number) {
  if (number % stride_ == 0) kept_[number / stride_].topic = UINT32_MAX;
}

NodeIndex Deliveries::sender_of(NodeIndex node, const gossip::GossipMessage& message) {
  auto& known = senders_[node];
  if (known.size() <= message.via.index) known.resize(message.via.index + 1);
  Sender& sender = known[message.via.index];
  if (sender.generation != message.via.generation) {
    sender.generation = message.via.generation;
    const auto id = town_.home(node).peer_at(message.via);
    sender.node = id ? town_.node_of(*id).value_or(node) : node;
  }
  return sender.node;
}

void Deliveries::heard(NodeIndex node, const gossip::GossipMessage& message) {
  if (message.data.size() < kBodyHead ||
      std::memcmp(message.data.data(), kMark, sizeof kMark) != 0) {
    ++sum_.unknown;
    return;
  }
  std::uint64_t number = 0;
  for (unsigned i = 0; i < 8; ++i) number |= std::uint64_t{message.data.data()[8 + i]} << (8 * i);
  if (number >= posts_) {
    ++sum_.unknown;
    return;
  }
  ++sum_.heard_all;
  if (number % stride_ != 0) return;
  Post& post = kept_[number / stride_];
  if (post.from == node) return;  // its own, back after a crash
  const std::uint8_t before = post.hops[sender_of(node, message)];
  if (post.hops[node] != 0) {
    // One that restarted since has forgotten it.
    if (town_.up_during(node, post.at, town_.world().now())) ++sum_.twice;
    return;
  }
  post.hops[node] =
      static_cast<std::uint8_t>(std::min<unsigned>(254, std::max<unsigned>(before, 1)) + 1);
  sum_.hops.add(post.hops[node] - 1u);
  sum_.latency_us.add(static_cast<std::uint64_t>((town_.world().now() - post.at) / 1us));
}

bool Deliveries::near_cut(Mono at) const {
  for (const Span& span : cuts_)
    if (at + kInTime >= span.from && at <= later(span.to, 2 * kInTime)) return true;
  return false;
}

template <class Each>
void Deliveries::each_due(const Post& post, Each&& each) const {
  if (post.topic == UINT32_MAX) return;
  const Mono end = std::min(post.at + kInTime, town_.world().now());
  const Mono begin = post.at - std::min(kWarm, post.at.time_since_epoch());
  for (const NodeIndex node : subscribers_[post.topic])
    if (node != post.from && town_.up_during(node, begin, end)) each(node);
}

DeliverySummary Deliveries::summary() const {
  DeliverySummary sum = sum_;
  sum.followed = kept_.size();
  for (const Post& post : kept_) {
    const bool cut = near_cut(post.at);
    // A publisher that dies at once may take its message with it.
    if (!town_.up_during(post.from, post.at, std::min(post.at + kInTime, town_.world().now())))
      continue;
    each_due(post, [&](NodeIndex node) {
      const bool heard = post.hops[node] != 0;
      (cut ? sum.cut_due : sum.due) += 1;
      (cut ? sum.cut_heard : sum.heard) += heard ? 1 : 0;
    });
  }
  return sum;
}

std::vector<std::string> Deliveries::missing(std::size_t most) const {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < kept_.size() && found.size() < most; ++i) {
    if (near_cut(kept_[i].at)) continue;
    if (!town_.up_during(kept_[i].from, kept_[i].at,
                         std::min(kept_[i].at + kInTime, town_.world().now())))
      continue;
    each_due(kept_[i], [&](NodeIndex node) {
      if (kept_[i].hops[node] == 0 && found.size() < most)
        found.push_back("message " + std::to_string(i * stride_) + " of node " +
                        std::to_string(kept_[i].from) + " never reached node " +
                        std::to_string(node));
    });
  }
  return found;
}

}  // namespace kith::simnet
