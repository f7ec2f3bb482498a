#include "services/r1fs/exchange_attachment.hpp"

#include <gtest/gtest.h>

#include "tests/support/manual_loop.hpp"

namespace kith::r1fs {
namespace {

// One peer, whose streams a test ends and closes by hand.
class FakeHost final : public host::Host {
 public:
  struct Stream {
    std::vector<Bytes> sent;
    bool closed_by_us = false;
  };

  const PeerId& self() const override { return self_; }
  std::vector<Multiaddr> listen_addrs() const override { return {}; }
  host::ProtocolIndex add_protocol(host::ProtocolSpec, host::Protocol& protocol) override {
    attached = &protocol;
    return 0;
  }
  void set_serving(host::ProtocolIndex, bool) override {}
  std::vector<std::string> served_protocols() const override { return {}; }
  void connect(host::ProtocolIndex, RequestId, const PeerId&, std::span<const Multiaddr>) override {
  }
  void disconnect(host::PeerSlot) override {}
  bool busy(host::PeerSlot) const override { return false; }
  std::optional<host::PeerSlot> find_peer(const PeerId&) const override { return peer; }
  const host::PeerFacts* facts(host::PeerSlot) const override { return &peer_facts; }
  std::vector<host::PeerStatus> peers() const override { return {}; }
  void learn_addrs(const PeerId&, std::span<const Multiaddr>, Duration) override {}
  void keep_addrs(const PeerId&, Duration) override {}
  std::vector<Multiaddr> known_addrs(const PeerId&) const override { return {}; }
  host::StreamSlot open(host::PeerSlot, host::ProtocolIndex, Bytes first, host::Priority) override {
    const host::StreamSlot slot{static_cast<std::uint32_t>(streams.size()), 1};
    streams[slot].sent.push_back(std::move(first));
    return slot;
  }
  // As the contract says: after close() everything is refused.
  void send(host::StreamSlot slot, Bytes message, host::Priority, std::uint64_t tag) override {
    Stream& stream = streams.at(slot);
    if (stream.closed_by_us) return attached->on_send_refused(Now{}, slot, tag);
    stream.sent.push_back(std::move(message));
  }
  std::size_t queued_bytes(host::StreamSlot) const override { return 0; }
  void release(host::StreamSlot, std::size_t) override {}
  void close(host::StreamSlot slot) override { streams[slot].closed_by_us = true; }
  void reset(host::StreamSlot slot) override { streams[slot].closed_by_us = true; }
  std::optional<host::PeerSlot> peer_of(host::StreamSlot) const override { return peer; }

  host::Protocol* attached = nullptr;
  host::PeerSlot peer{0, 1};
  host::PeerFacts peer_facts;
  std::map<host::StreamSlot, Stream> streams;

 private:
  PeerId self_;
};

struct Bench final : BlockSupplier {
  Bench() {
    host.peer_facts.protocols = {"/ipfs/bitswap/1.2.0"};
    exchange.set_supplier(*this);
    host.attached->on_peer_ready(loop.now(), host.peer, host.peer_facts);
  }
  std::optional<std::size_t> size(const Cid& cid) const override {
    const auto at = store.find(cid);
    if (at == store.end()) return std::nullopt;
    return at->second.size();
  }
  void read(const Cid& cid, std::uint64_t tag) override {
    loop.post([this, cid, tag] { exchange.on_block_read(tag, store.at(cid)); });
  }
  Cid add(std::uint8_t seed) {
    const Bytes data = Bytes::make(
        1000, [&](std::span<std::uint8_t> to) { std::fill(to.begin(), to.end(), seed); });
    const Cid cid = Cid::v1(kCodecRaw, Multihash::of_sha256(data));
    store[cid] = data;
    return cid;
  }
  void peer_wants(const Cid& cid) {
    libp2p::BitswapMessage message;
    message.wants.push_back({cid, 1, false, libp2p::BitswapWant::Type::block, true});
    host.attached->on_message(loop.now(), theirs, libp2p::encode_bitswap(message));
    loop.settle();
  }

  test::ManualLoop loop;
  NullLog log;
  FakeHost host;
  std::map<Cid, Bytes> store;
  ExchangeAttachment exchange{host, loop, log};
  host::StreamSlot theirs{1000, 1};
  host::StreamSlot ours{0, 1};
};

// Helia ends its side of every stream that it takes, at once, and reads on.
TEST(ExchangeAttachment, a_peer_that_ended_its_side_of_our_stream_is_sent_the_rest_of_the_blocks) {
  Bench bench;
  bench.peer_wants(bench.add(1));
  ASSERT_EQ(bench.host.streams.size(), 1u);
  bench.host.attached->on_end(bench.loop.now(), bench.ours);
  bench.peer_wants(bench.add(2));
  bench.peer_wants(bench.add(3));
  EXPECT_FALSE(bench.host.streams[bench.ours].closed_by_us);
  EXPECT_EQ(bench.host.streams[bench.ours].sent.size(), 3u);
}

TEST(ExchangeAttachment, a_stream_that_the_peer_opened_ends_when_the_peer_ends_it) {
  Bench bench;
  bench.peer_wants(bench.add(1));
  bench.host.attached->on_end(bench.loop.now(), bench.theirs);
  EXPECT_TRUE(bench.host.streams[bench.theirs].closed_by_us);
  EXPECT_FALSE(bench.host.streams[bench.ours].closed_by_us);
}

// Helia resets a stream that was idle for 10 s; what is on its way then is lost without a word.
TEST(ExchangeAttachment, nothing_is_sent_on_a_stream_that_was_idle_for_ten_seconds) {
  Bench bench;
  bench.peer_wants(bench.add(1));
  bench.loop.advance(10s);
  bench.peer_wants(bench.add(2));
  ASSERT_EQ(bench.host.streams.size(), 2u);
  EXPECT_TRUE(bench.host.streams[bench.ours].closed_by_us);
  EXPECT_EQ(bench.host.streams[bench.ours].sent.size(), 1u);
  EXPECT_EQ((bench.host.streams[host::StreamSlot{1, 1}].sent.size()), 1u);
  // The end of the old one changes nothing for the new one.
  bench.host.attached->on_closed(bench.loop.now(), bench.ours, nullptr);
  bench.peer_wants(bench.add(3));
  EXPECT_EQ((bench.host.streams[host::StreamSlot{1, 1}].sent.size()), 2u);
}

}  // namespace
}  // namespace kith::r1fs
