#include "services/node/connection_keeper.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/manual_loop.hpp"

namespace kith::node {
namespace {

// Peers that come and go; who is disconnected is gone in a turn of its own.
class FakeHost final : public host::Host {
 public:
  explicit FakeHost(Loop& loop) : loop_(loop) {}
  const PeerId& self() const override { return self_; }
  std::vector<Multiaddr> listen_addrs() const override { return {}; }
  host::ProtocolIndex add_protocol(host::ProtocolSpec spec, host::Protocol& who) override {
    EXPECT_FALSE(spec.serve);
    protocol = &who;
    return 0;
  }
  void set_serving(host::ProtocolIndex, bool) override {}
  std::vector<std::string> served_protocols() const override { return {}; }
  void connect(host::ProtocolIndex, RequestId, const PeerId&, std::span<const Multiaddr>) override {
  }
  void disconnect(host::PeerSlot peer) override {
    closed.push_back(peer.index);
    loop_.post([this, peer] { protocol->on_peer_gone(loop_.now(), peer); });
  }
  bool busy(host::PeerSlot peer) const override { return in_use.contains(peer.index); }
  std::optional<host::PeerSlot> find_peer(const PeerId&) const override { return std::nullopt; }
  const host::PeerFacts* facts(host::PeerSlot) const override { return nullptr; }
  std::vector<host::PeerStatus> peers() const override { return {}; }
  void learn_addrs(const PeerId&, std::span<const Multiaddr>, Duration) override {}
  void keep_addrs(const PeerId&, Duration) override {}
  std::vector<Multiaddr> known_addrs(const PeerId&) const override { return {}; }
  host::StreamSlot open(host::PeerSlot, host::ProtocolIndex, Bytes, host::Priority) override {
    return {};
  }
  void send(host::StreamSlot, Bytes, host::Priority, std::uint64_t) override {}
  std::size_t queued_bytes(host::StreamSlot) const override { return 0; }
  void release(host::StreamSlot, std::size_t) override {}
  void close(host::StreamSlot) override {}
  void reset(host::StreamSlot) override {}
  std::optional<host::PeerSlot> peer_of(host::StreamSlot) const override { return std::nullopt; }

  host::Protocol* protocol = nullptr;
  std::vector<std::uint32_t> closed;
  std::set<std::uint32_t> in_use;

 private:
  Loop& loop_;
  PeerId self_;
};

struct ConnectionKeeperTest : ::testing::Test {
  test::ManualLoop loop;
  FakeHost host{loop};
  std::set<std::uint32_t> needed;
  ConnectionKeeper keeper{
      host, loop, {.low = 2, .high = 4, .grace = 10s}, [this](host::PeerSlot peer) {
        return needed.contains(peer.index);
      }};
  void come(std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i < to; ++i) host.protocol->on_peer_ready(loop.now(), {i, 0}, {});
  }
};

TEST_F(ConnectionKeeperTest, above_the_high_mark_the_newest_go_until_the_low_one) {
  come(0, 5);
  loop.advance(15s);
  EXPECT_EQ(host.closed, (std::vector<std::uint32_t>{4, 3, 2}));
  loop.advance(60s);
  EXPECT_EQ(host.closed.size(), 3u);
}

TEST_F(ConnectionKeeperTest, up_to_the_high_mark_nobody_goes) {
  come(0, 4);
  loop.advance(60s);
  EXPECT_TRUE(host.closed.empty());
}

TEST_F(ConnectionKeeperTest, young_connections_are_spared_and_cost_the_old_ones_nothing) {
  come(0, 3);
  loop.advance(60s);
  come(3, 50);
  loop.advance(5s);
  EXPECT_TRUE(host.closed.empty());
  loop.advance(10s);
  EXPECT_EQ(host.closed.size(), 48u);
  EXPECT_EQ(
      std::count_if(host.closed.begin(), host.closed.end(), [](auto peer) { return peer < 2; }), 0);
}

TEST_F(ConnectionKeeperTest, who_is_busy_or_needed_stays_and_goes_when_it_is_neither) {
  host.in_use = {4};
  needed = {3};
  come(0, 5);
  loop.advance(15s);
  EXPECT_EQ(host.closed, (std::vector<std::uint32_t>{2, 1, 0}));
  host.in_use.clear();
  needed.clear();
  host.closed.clear();
  come(5, 8);
  loop.advance(15s);
  EXPECT_EQ(host.closed, (std::vector<std::uint32_t>{7, 6, 5}));
}

}  // namespace
}  // namespace kith::node
