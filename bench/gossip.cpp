// What one gossip message costs the router that receives it and sends it on to five mesh peers,
// beside the least that the machine could do for it: one Ed25519 check, one hash of its id, one
// copy of its bytes. The signature is nine tenths and more, so all else is measured apart too:
// with signatures taken as good, and for the copies that other mesh peers send of the same
// message.
//
// Each slice runs a new router through the same messages, with a heartbeat every kPerHeartbeat.
#include <sodium.h>

#include "bench/timing.hpp"
#include "gossip/router.hpp"
#include "net/base/check.hpp"

namespace kith::bench {
namespace {

using namespace gossip;

constexpr std::uint32_t kPeers = 6;
constexpr std::size_t kPerHeartbeat = 120;  // the evaluation of gossipsub v1.1 runs at 120 a second
constexpr int kRounds = 12;
constexpr std::string_view kTopic = "/kith/bench-00000000/chunk/offer/1";

struct Work {
  std::vector<Bytes> rpcs;
  std::vector<Bytes> ids;
  std::vector<SignedPart> parts;
};

Work make_work(const crypto::Identity& author, std::size_t count, std::size_t bytes) {
  Work work;
  std::vector<std::uint8_t> data(bytes);
  for (std::size_t i = 0; i < count; ++i) {
    data[0] = static_cast<std::uint8_t>(i);
    Message message = make_message(author, i + 1, kTopic, Bytes::copy(data));
    libp2p::GossipRpc rpc;
    CHECK(libp2p::decode_gossip_rpc(message.rpc, rpc));
    const auto fields = libp2p::decode_gossip_message(rpc.publish[0]);
    work.parts.push_back(receive(message.rpc, rpc.publish[0], *fields, message.id, true).part);
    work.ids.push_back(message.id);
    work.rpcs.push_back(std::move(message.rpc));
  }
  return work;
}

enum class Check : std::uint8_t { real, none };

// Receives everything from peer 0, and `copies` of it from other mesh peers.
class Receiver {
 public:
  explicit Receiver(const PeerId& self) : router_(config(self), Rng(7)) {
    CHECK(router_.subscribe(now_, kTopic, false, out_));
    Rng rng(9);
    libp2p::GossipControlOut hello;
    hello.subscriptions = {{true, kTopic}};
    hello.graft = {kTopic};
    const Bytes rpc = libp2p::encode_gossip_control(hello);
    for (std::uint32_t i = 0; i < kPeers; ++i) {
      const crypto::Identity peer = crypto::Identity::make(rng);
      router_.on_peer_ready(now_, {i, 0}, {peer.id(), true, PeerKind::gossipsub_1_1}, out_);
      router_.on_rpc(now_, {i, 0}, rpc, out_);
    }
    carry_out(Check::none);
  }
  void run(const Work& work, Check check, std::uint32_t copies) {
    std::size_t count = 0;
    for (const Bytes& rpc : work.rpcs) {
      if (++count % kPerHeartbeat == 0) {
        now_.mono += 1s;
        router_.on_tick(now_, out_);
      }
      for (std::uint32_t peer = 0; peer <= copies; ++peer) {
        router_.on_rpc(now_, {peer, 0}, rpc, out_);
        carry_out(check);
      }
    }
    CHECK(delivered_ == work.rpcs.size() && sent_ >= 5 * work.rpcs.size());
  }

 private:
  static RouterConfig config(const PeerId& self) {
    RouterConfig config;
    config.self = self;
    return config;
  }
  void carry_out(Check check) {
    for (std::size_t i = 0; i < out_.size(); ++i) {
      Effect effect = std::move(out_[i]);
      if (std::holds_alternative<SendRpc>(effect)) {
        ++sent_;
      } else if (auto* asked = std::get_if<Verify>(&effect)) {
        const bool valid = check == Check::none || verify(asked->part);
        router_.on_verified(now_, asked->message, valid, out_);
      } else if (auto* judge = std::get_if<Judge>(&effect)) {
        router_.settle(now_, judge->message, Verdict::accept, out_);
      } else {
        ++delivered_;
      }
    }
    out_.clear();
  }

  Router router_;
  Now now_{Mono(1s), Wall{}};
  Effects out_;
  std::size_t delivered_ = 0;
  std::size_t sent_ = 0;
};

void kernel(const Work& work, const crypto::Identity& author, const crypto::SipHash& hash,
            Check check) {
  const Bytes& key = author.public_key().encoded();
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < work.rpcs.size(); ++i) {
    const SignedPart& part = work.parts[i];
    if (check == Check::real)
      CHECK(crypto_sign_verify_detached(part.signature.data(), part.content.data(),
                                        part.content.size(), key.data() + key.size() - 32) == 0);
    sum += hash(work.ids[i]);
    sum += Bytes::copy(work.rpcs[i])[3];
  }
  CHECK(sum != 0);
}

void measure(std::size_t bytes, std::size_t count) {
  Rng rng(1);
  const crypto::Identity author = crypto::Identity::make(rng);
  const crypto::Identity self = crypto::Identity::make(rng);
  const crypto::SipHash hash(rng);
  const Work work = make_work(author, count, bytes);
  std::vector<Rival> rivals{
      {"kernel: verify, hash, copy", [&] { kernel(work, author, hash, Check::real); }},
      {"router, signed", [&] { Receiver(self.id()).run(work, Check::real, 0); }},
      {"kernel: hash, copy", [&] { kernel(work, author, hash, Check::none); }},
      {"router, all but the signature", [&] { Receiver(self.id()).run(work, Check::none, 0); }},
      {"router, the same and 4 copies", [&] { Receiver(self.id()).run(work, Check::none, 4); }},
  };
  compete(rivals, kRounds);
  const std::string size = std::to_string(bytes) + " B  ";
  for (const Rival& rival : rivals)
    print_row(size + rival.name, rival.best.cpu / static_cast<double>(count) * 1e6, "us/message");
  print_row(size + "signed, beside its kernel", rivals[1].best.cpu / rivals[0].best.cpu, "x");
  print_row(size + "one copy more",
            (rivals[4].best.cpu - rivals[3].best.cpu) / static_cast<double>(4 * count) * 1e6,
            "us/copy");
}

}  // namespace
}  // namespace kith::bench

int main() {
  kith::bench::measure(1024, 4000);
  kith::bench::measure(256, 4000);
}
