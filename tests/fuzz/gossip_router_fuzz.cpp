// Links: kith_gossip
// The gossip router under any sequence of events, with RPCs that are raw bytes or built from the
// input. Signatures are a stand-in: good when the first byte is 1.
//
// What must hold: RPCs go only to peers that are there, within the size that everybody takes;
// nothing is handed on or delivered before its judge accepted it, and nothing is delivered twice;
// meshes hold subscribers only, and at most degree_high of them after a heartbeat; deadlines lie
// ahead.
#include <algorithm>
#include <map>
#include <set>

#include "gossip/router.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;
using namespace kith::gossip;

namespace {

constexpr std::array<std::string_view, 4> kTopics{"a", "b", "c", "d"};
constexpr std::uint32_t kPeers = 24;

class Input {
 public:
  explicit Input(ByteView bytes) : rest_(bytes) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_[0];
    rest_ = rest_.subspan(1);
    return first;
  }
  ByteView take(std::size_t size) {
    const ByteView part = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(part.size());
    return part;
  }
  std::string_view topic() { return kTopics[byte() % kTopics.size()]; }

 private:
  ByteView rest_;
};

PeerId peer_id(std::uint32_t number) {
  std::array<std::uint8_t, 36> key{0x08, 0x01, 0x12, 0x20};
  key[4] = static_cast<std::uint8_t>(number);
  return PeerId::of_public_key(key);
}

class Fuzzed {
 public:
  explicit Fuzzed(std::uint64_t seed) : router_(config(), Rng(seed)) {}

  void step(Input& input) {
    const std::uint8_t what = input.byte();
    const host::PeerSlot peer = slot(input.byte() % kPeers);
    switch (what % 14) {
      case 0:
      case 1:
        come(peer, input.byte());
        break;
      case 2:
        router_.on_peer_gone(now_, peer);
        ++generations_[peer.index];
        present_.erase(peer);
        break;
      case 3:
        router_.on_rpc(now_, peer, Bytes::copy(input.take(input.byte())), out_);
        break;
      case 4:
      case 5:
        router_.on_rpc(now_, peer, control(input), out_);
        break;
      case 6:
      case 7:
        router_.on_rpc(now_, peer, message(input), out_);
        break;
      case 8:
        own_topic(input);
        break;
      case 9:
        publish(input);
        break;
      case 10:
        advance(std::chrono::milliseconds(input.byte() * (input.byte() % 2 == 0 ? 10 : 500)));
        break;
      case 11:
        if (!pending_.empty()) settle(pending_[input.byte() % pending_.size()], input.byte());
        break;
      case 12:
        stream(input.byte(), peer);
        break;
      case 13:
        answer(input.byte());
        break;
    }
    carry_out(what);
    check_meshes(false);
  }
  void finish() {
    advance(70s);
    carry_out(0);
    FUZZ_CHECK(std::none_of(pending_.begin(), pending_.end(),
                            [&](JudgeSlot judged) { return router_.waiting(judged) != nullptr; }));
  }

 private:
  static RouterConfig config() {
    RouterConfig config;
    config.self = peer_id(200);
    return config;
  }
  host::PeerSlot slot(std::uint32_t number) { return {number, generations_[number]}; }

  void come(host::PeerSlot peer, std::uint8_t traits) {
    const auto kind = traits % 8 == 0   ? PeerKind::floodsub
                      : traits % 8 == 1 ? PeerKind::gossipsub_1_0
                                        : PeerKind::gossipsub_1_1;
    present_.insert(peer);
    router_.on_peer_ready(now_, peer, {peer_id(peer.index), (traits & 16) != 0, kind}, out_);
  }
  Bytes control(Input& input) {
    libp2p::GossipControlOut rpc;
    std::vector<Bytes> ids;
    const std::uint8_t parts = input.byte();
    if ((parts & 1) != 0) rpc.subscriptions.push_back({(parts & 64) == 0, input.topic()});
    if ((parts & 2) != 0) rpc.graft.push_back(input.topic());
    if ((parts & 4) != 0)
      rpc.prune.push_back({input.topic(), (parts & 128) == 0 ? input.byte() : UINT64_MAX});
    if ((parts & 24) != 0)
      for (int count = input.byte() % 5; count > 0; --count) ids.push_back(any_id(input));
    if ((parts & 8) != 0) rpc.ihave.push_back({input.topic(), {ids.begin(), ids.end()}});
    if ((parts & 16) != 0) rpc.iwant = {ids.begin(), ids.end()};
    return libp2p::encode_gossip_control(rpc);
  }
  Bytes any_id(Input& input) {
    std::array<std::uint8_t, kSeqnoBytes> seqno{};
    const PeerId author = peer_id(input.byte() % kPeers);
    seqno[7] = input.byte();
    return message_id(author.bytes(), seqno);
  }
  Bytes message(Input& input) {
    std::array<std::uint8_t, kSeqnoBytes> seqno{};
    const PeerId author = peer_id(input.byte() % (kPeers + 1) == kPeers ? 200 : input.byte());
    seqno[7] = input.byte();
    const std::array<std::uint8_t, 2> signature{input.byte() % 4 != 0, input.byte()};
    libp2p::GossipMessageFields fields;
    fields.from = author.bytes().view();
    fields.seqno = ByteView(seqno);
    fields.topic = input.topic();
    fields.data = input.take(input.byte() % 16);
    fields.signature = ByteView(signature);
    const Bytes one = libp2p::encode_gossip_publish(fields);
    if (input.byte() % 4 != 0) return one;
    const Bytes beside = control(input);
    std::vector<std::uint8_t> both = one.to_vector();
    both.insert(both.end(), beside.begin(), beside.end());
    return Bytes::adopt(std::move(both));
  }
  void own_topic(Input& input) {
    const std::string_view name = input.topic();
    const auto at = own_.find(name);
    if (at == own_.end()) {
      own_[name] = *router_.subscribe(now_, name, input.byte() % 2 == 0, out_);
    } else {
      FUZZ_CHECK(!router_.subscribe(now_, name, false, out_));
      router_.unsubscribe(now_, at->second, out_);
      own_.erase(at);
    }
  }
  void publish(Input& input) {
    std::array<std::uint8_t, kSeqnoBytes> seqno{};
    seqno[0] = static_cast<std::uint8_t>(++published_ >> 8);
    seqno[1] = static_cast<std::uint8_t>(published_);
    const PeerId self = peer_id(200);
    const std::string data(input.byte() * 200u, 'x');
    libp2p::GossipMessageFields fields;
    const std::string_view topic = input.topic();
    fields.from = self.bytes().view();
    fields.seqno = ByteView(seqno);
    fields.topic = topic;
    fields.data = as_bytes(data);
    fields.signature = as_bytes("x");
    Message made;
    made.rpc = libp2p::encode_gossip_publish(fields);
    made.id = message_id(self.bytes(), seqno);
    made.data = Bytes::copy(data);
    accepted_.insert(made.id);
    router_.publish(now_, topic, std::move(made), out_);
  }
  void stream(std::uint8_t what, host::PeerSlot peer) {
    if (what % 3 == 0) router_.on_send_refused(now_, peer);
    if (what % 3 == 1) router_.on_writable(now_, peer, out_);
    if (what % 3 == 2) router_.on_stream_lost(now_, peer, out_);
  }
  void settle(JudgeSlot judged, std::uint8_t verdict) {
    const Message* message = router_.waiting(judged);
    const auto chosen = static_cast<Verdict>(verdict % 4);
    if (message != nullptr && chosen == Verdict::accept && judged_.contains(judged))
      accepted_.insert(message->id);
    router_.settle(now_, judged, chosen, out_);
  }
  void answer(std::uint8_t count) {
    for (; count > 0 && !verifies_.empty(); --count) {
      const auto [message, valid] = verifies_.front();
      verifies_.erase(verifies_.begin());
      router_.on_verified(now_, message, valid, out_);
    }
  }
  void advance(Duration time) {
    const Mono end = now_.mono + time;
    while (router_.next_deadline() <= end) {
      now_.mono = std::max(now_.mono, router_.next_deadline());
      router_.on_tick(now_, out_);
      FUZZ_CHECK(router_.next_deadline() > now_.mono);
      check_meshes(true);
      carry_out(0);
    }
    now_.mono = end;
  }
  // `how`: whether signatures are answered at once, and how a judge answers.
  void carry_out(std::uint8_t how) {
    for (std::size_t i = 0; i < out_.size(); ++i) {
      Effect effect = std::move(out_[i]);
      if (auto* send = std::get_if<SendRpc>(&effect)) {
        check_rpc(*send);
      } else if (auto* check = std::get_if<Verify>(&effect)) {
        const bool valid = check->part.signature[0] == 1;
        if (how % 3 != 0) {
          router_.on_verified(now_, check->message, valid, out_);
        } else {
          verifies_.emplace_back(check->message, valid);
        }
      } else if (auto* ask = std::get_if<Judge>(&effect)) {
        FUZZ_CHECK(router_.waiting(ask->message) != nullptr);
        judged_.insert(ask->message);
        pending_.push_back(ask->message);
        settle(ask->message, how % 5 == 0 ? 3 : how % 11 == 0 ? 2 : how % 7 == 0 ? 1 : 0);
      } else {
        const Message& message = std::get<Deliver>(effect).message;
        FUZZ_CHECK(accepted_.contains(message.id));
        FUZZ_CHECK(delivered_.insert(message.id).second || forgotten());
      }
    }
    out_.clear();
  }
  // Ids are remembered for a bounded time; after it a message may come again.
  bool forgotten() const { return now_.mono - Mono(1s) > kSeenLifetime; }
  void check_rpc(const SendRpc& send) {
    FUZZ_CHECK(present_.contains(send.to));
    FUZZ_CHECK(!send.rpc.empty() && send.rpc.size() <= 64u << 10);
    libp2p::GossipRpc rpc;
    FUZZ_CHECK(libp2p::decode_gossip_rpc(send.rpc, rpc).has_value());
    FUZZ_CHECK(rpc.left_out == 0);
    for (const ByteView encoded : rpc.publish) {
      const auto fields = libp2p::decode_gossip_message(encoded);
      FUZZ_CHECK(fields && accepted_.contains(message_id(*fields->from, *fields->seqno)));
    }
  }
  void check_meshes(bool after_heartbeat) {
    for (const auto& [name, topic] : own_) {
      const std::vector<host::PeerSlot> mesh = router_.mesh(topic);
      const std::vector<host::PeerSlot> subscribers = router_.subscribers(name);
      FUZZ_CHECK(std::includes(subscribers.begin(), subscribers.end(), mesh.begin(), mesh.end()));
      if (after_heartbeat) FUZZ_CHECK(mesh.size() <= 12);
      for (const host::PeerSlot peer : subscribers) FUZZ_CHECK(present_.contains(peer));
    }
  }

  Router router_;
  Now now_{Mono(1s), Wall(1s)};
  Effects out_;
  std::map<std::uint32_t, std::uint32_t> generations_;
  std::set<host::PeerSlot> present_;
  std::map<std::string_view, TopicIndex> own_;
  std::vector<std::pair<JudgeSlot, bool>> verifies_;
  std::vector<JudgeSlot> pending_;
  std::set<JudgeSlot> judged_;
  std::set<Bytes> accepted_, delivered_;
  std::uint32_t published_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Input input(ByteView(bytes, size));
  Fuzzed fuzzed(input.byte());
  for (int steps = 0; steps < 2000 && !input.empty(); ++steps) fuzzed.step(input);
  fuzzed.finish();
  return 0;
}
