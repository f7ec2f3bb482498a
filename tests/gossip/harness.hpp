// Harness: one router, what it is told and what it says, with real signatures. Time moves when
// the test says so.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gossip/router.hpp"

namespace kith::gossip {

using host::PeerSlot;
using host::Priority;

inline crypto::Identity identity_of(std::uint64_t number) {
  Rng rng(1'000'000 + number);
  return crypto::Identity::make(rng);
}

inline Bytes subscription_rpc(std::vector<libp2p::GossipSubscription> entries) {
  libp2p::GossipControlOut out;
  out.subscriptions = std::move(entries);
  return libp2p::encode_gossip_control(out);
}
inline Bytes graft_rpc(std::string_view topic) {
  libp2p::GossipControlOut out;
  out.graft = {topic};
  return libp2p::encode_gossip_control(out);
}
inline Bytes prune_rpc(std::string_view topic, std::uint64_t backoff = 0) {
  libp2p::GossipControlOut out;
  out.prune = {{topic, backoff}};
  return libp2p::encode_gossip_control(out);
}
inline Bytes ihave_rpc(std::string_view topic, const std::vector<Bytes>& ids) {
  libp2p::GossipControlOut out;
  out.ihave = {{topic, {ids.begin(), ids.end()}}};
  return libp2p::encode_gossip_control(out);
}
inline Bytes iwant_rpc(const std::vector<Bytes>& ids) {
  libp2p::GossipControlOut out;
  out.iwant = {ids.begin(), ids.end()};
  return libp2p::encode_gossip_control(out);
}

// A sent RPC, read back.
struct Said {
  PeerSlot to;
  Bytes bytes;
  Priority priority;
  std::vector<std::string> subscribed, unsubscribed, graft, ihave_topics;
  std::vector<std::pair<std::string, std::uint64_t>> prune;
  std::vector<Bytes> ihave, iwant;
  std::vector<std::string> messages;  // data

  explicit Said(const SendRpc& effect)
      : to(effect.to), bytes(effect.rpc), priority(effect.priority) {
    libp2p::GossipRpc rpc;
    EXPECT_TRUE(libp2p::decode_gossip_rpc(bytes, rpc));
    for (const auto& entry : rpc.subscriptions)
      (entry.subscribe ? subscribed : unsubscribed).emplace_back(entry.topic);
    for (const auto topic : rpc.graft) graft.emplace_back(topic);
    for (const auto& entry : rpc.prune) prune.emplace_back(entry.topic, entry.backoff);
    for (const auto& entry : rpc.ihave) {
      ihave_topics.emplace_back(entry.topic);
      entry.ids.for_each(SIZE_MAX, [&](ByteView id) { ihave.push_back(Bytes::copy(id)); });
    }
    for (const auto& entry : rpc.iwant)
      entry.for_each(SIZE_MAX, [&](ByteView id) { iwant.push_back(Bytes::copy(id)); });
    for (const ByteView message : rpc.publish)
      messages.emplace_back(as_text(*libp2p::decode_gossip_message(message)->data));
  }
};

class Harness {
 public:
  explicit Harness(RouterConfig config = {}, std::uint64_t seed = 1,
                   std::shared_ptr<Outlines> outlines = nullptr)
      : self(identity_of(0)),
        router(with_self(std::move(config)), Rng(seed), std::move(outlines)) {}

  static PeerSlot slot(std::uint32_t number) { return {number, 0}; }

  // Peer `number` comes, and subscribes to `topics`.
  void ready(std::uint32_t number, std::vector<std::string> topics = {}, bool outbound = false,
             PeerKind kind = PeerKind::gossipsub_1_1) {
    router.on_peer_ready(now, slot(number), {identity_of(number).id(), outbound, kind}, out);
    carry_out();
    std::vector<libp2p::GossipSubscription> entries;
    for (const std::string& topic : topics) entries.push_back({true, topic});
    if (!entries.empty()) hear(number, subscription_rpc(entries));
  }
  void gone(std::uint32_t number) { router.on_peer_gone(now, slot(number)); }
  void hear(std::uint32_t number, const Bytes& rpc) {
    router.on_rpc(now, slot(number), rpc, out);
    carry_out();
  }
  // `via` hands us a message of `author`. Answers with its id.
  Bytes hear_message(std::uint32_t via, std::uint64_t author, std::string_view topic,
                     std::string data) {
    const Message message = make(author, topic, std::move(data));
    hear(via, message.rpc);
    return message.id;
  }
  Message make(std::uint64_t author, std::string_view topic, std::string data) {
    return make_message(identity_of(author), ++seqno, topic, Bytes::adopt(std::move(data)));
  }
  TopicIndex subscribe(std::string_view topic, bool loopback = false) {
    const Result<TopicIndex> index = router.subscribe(now, topic, loopback, out);
    EXPECT_TRUE(index);
    carry_out();
    return index ? *index : TopicIndex{};
  }
  void unsubscribe(TopicIndex topic) {
    router.unsubscribe(now, topic, out);
    carry_out();
  }
  Bytes publish(std::string_view topic, std::string data) {
    Message message = make_message(self, ++seqno, topic, Bytes::adopt(std::move(data)));
    const Bytes id = message.id;
    router.publish(now, topic, std::move(message), out);
    carry_out();
    return id;
  }
  void settle(JudgeSlot message, Verdict verdict) {
    router.settle(now, message, verdict, out);
    carry_out();
  }
  void advance(Duration time) {
    const Mono end = now.mono + time;
    while (router.next_deadline() <= end) {
      step_to(router.next_deadline());
      router.on_tick(now, out);
      carry_out();
    }
    step_to(end);
  }
  // To just behind the next heartbeat.
  void beat() {
    ASSERT_NE(router.next_deadline(), kNever);
    advance(router.next_deadline() - now.mono);
  }

  std::vector<Said> take_said() { return std::exchange(said, {}); }
  std::vector<PeerSlot> told_message(std::string_view data) const {
    std::vector<PeerSlot> to;
    for (const Said& rpc : said)
      if (std::find(rpc.messages.begin(), rpc.messages.end(), data) != rpc.messages.end())
        to.push_back(rpc.to);
    std::sort(to.begin(), to.end());
    return to;
  }
  std::vector<PeerSlot> grafted() const { return told(&Said::graft); }
  std::vector<PeerSlot> pruned() const { return told(&Said::prune); }
  std::vector<PeerSlot> offered() const { return told(&Said::ihave); }
  std::vector<PeerSlot> asked() const { return told(&Said::iwant); }
  std::uint64_t backoff_told(std::uint32_t number) const {
    for (const Said& rpc : said)
      if (rpc.to == slot(number) && !rpc.prune.empty()) return rpc.prune.front().second;
    return 0;
  }

  crypto::Identity self;
  Now now{Mono(100s), Wall(std::chrono::seconds(1'800'000'000))};
  Router router;
  Effects out;
  std::uint64_t seqno = 1;
  // How the topic's handler judges; accept when not set.
  std::function<Verdict(JudgeSlot, const Message&)> judge;
  // Whether Verify is answered at once; else it waits here.
  bool verify_at_once = true;
  std::vector<Verify> verifies;
  std::size_t verified = 0;  // signatures that were really checked
  std::vector<Said> said;
  std::vector<std::string> delivered;  // data

 private:
  RouterConfig with_self(RouterConfig config) {
    config.self = self.id();
    return config;
  }
  void step_to(Mono at) {
    now.wall += at - now.mono;
    now.mono = at;
  }
  template <class Field>
  std::vector<PeerSlot> told(Field field) const {
    std::vector<PeerSlot> to;
    for (const Said& rpc : said)
      if (!(rpc.*field).empty()) to.push_back(rpc.to);
    std::sort(to.begin(), to.end());
    return to;
  }

 public:
  void carry_out() {
    for (std::size_t i = 0; i < out.size(); ++i) {
      Effect effect = std::move(out[i]);
      if (auto* send = std::get_if<SendRpc>(&effect)) {
        said.emplace_back(*send);
      } else if (auto* check = std::get_if<Verify>(&effect)) {
        if (verify_at_once) {
          answer(*check);
        } else {
          verifies.push_back(std::move(*check));
        }
      } else if (auto* ask = std::get_if<Judge>(&effect)) {
        const Message* message = router.waiting(ask->message);
        const Verdict verdict =
            judge && message != nullptr ? judge(ask->message, *message) : Verdict::accept;
        router.settle(now, ask->message, verdict, out);
      } else {
        delivered.emplace_back(std::get<Deliver>(effect).message.data.text());
      }
    }
    out.clear();
  }
  void answer(const Verify& check) {
    if (router.waiting(check.message) == nullptr) return;
    ++verified;
    router.on_verified(now, check.message, verify(check.part), out);
  }
};

}  // namespace kith::gossip
