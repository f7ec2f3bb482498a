// Conformance of Host under anything: random commands at random times, and in the end nothing is
// left. Each event is checked against what may come when.
#include "support.hpp"

namespace kith::host {
namespace {

// Knows for each stream and peer what may still come, and that messages come whole and in order.
class Judge final : public Protocol {
 public:
  struct Seen {
    bool announced = false;
    bool ended = false;
    bool closed = false;
    std::uint32_t next = 0;  // number that the next message must carry
  };

  void on_peer_ready(Now, PeerSlot peer, const PeerFacts&) override {
    EXPECT_TRUE(peers.emplace(peer, true).second) << "ready twice";
  }
  void on_peer_changed(Now, PeerSlot peer, const PeerFacts&) override { EXPECT_TRUE(peers[peer]); }
  void on_peer_gone(Now, PeerSlot peer) override {
    EXPECT_TRUE(peers[peer]) << "gone without ready, or twice";
    peers[peer] = false;
    ++gone;
    for (const auto& [slot, seen] : streams)
      EXPECT_TRUE(seen.closed || host->peer_of(slot) != peer) << "a stream outlived its peer";
  }
  void on_connected(Now, RequestId request, Result<PeerSlot> result) override {
    EXPECT_EQ(++answers[request.value], 1);
    if (result && peers.contains(*result)) ++joined;
  }
  void on_stream(Now, StreamSlot slot, PeerSlot peer, std::string_view) override {
    EXPECT_TRUE(peers[peer]) << "a stream of a peer that is not ready";
    Seen& seen = streams[slot];
    EXPECT_FALSE(seen.announced);
    seen.announced = true;
  }
  void on_opened(Now, StreamSlot slot, std::string_view) override { alive(slot); }
  void on_message(Now, StreamSlot slot, Bytes message) override {
    Seen& seen = alive(slot);
    EXPECT_FALSE(seen.ended);
    ASSERT_GE(message.size(), 4u);
    std::uint32_t number = 0;
    std::memcpy(&number, message.data(), 4);
    EXPECT_EQ(number, seen.next++);
    EXPECT_EQ(message.slice(4), filled(message.size() - 4, static_cast<std::uint8_t>(number)));
    ++messages;
    if (react) react(slot);
  }
  void on_end(Now, StreamSlot slot) override {
    Seen& seen = alive(slot);
    EXPECT_FALSE(seen.ended);
    seen.ended = true;
  }
  void on_closed(Now, StreamSlot slot, const Error*) override {
    alive(slot).closed = true;
    EXPECT_EQ(host->peer_of(slot), std::nullopt);
  }
  void on_writable(Now, StreamSlot slot) override { alive(slot); }

  Seen& alive(StreamSlot slot) {
    const auto found = streams.find(slot);
    EXPECT_NE(found, streams.end()) << "an event of a stream that was never announced";
    Seen& seen = streams[slot];
    EXPECT_FALSE(seen.closed) << "an event after on_closed";
    return seen;
  }

  Host* host = nullptr;
  std::map<PeerSlot, bool> peers;
  std::map<StreamSlot, Seen> streams;
  std::map<std::uint64_t, int> answers;
  std::uint64_t messages = 0;
  std::uint64_t gone = 0;
  std::uint64_t joined = 0;
  std::function<void(StreamSlot)> react;
};

struct Player {
  std::unique_ptr<Judge> judge;  // outlives the host
  std::unique_ptr<TestNode> node;
  ProtocolIndex protocol = 0;
  std::map<StreamSlot, std::uint32_t> sent;  // ours and theirs: the next number to send
  std::uint64_t requests = 0;
};

class RandomCommands : public HostSuite {
 protected:
  Player make_player() {
    Player player;
    NodeOptions options;
    options.limits.connections_max = 40;
    options.limits.inbound_per_prefix_max = 64;
    options.limits.connect_deadline = 3s;
    player.node = std::make_unique<TestNode>(*world_, 900 + made_++, std::move(options));
    player.judge = std::make_unique<Judge>();
    player.judge->host = player.node->host.get();
    ProtocolSpec spec{.ids = {"/test/judged/1"}};
    spec.message_bytes_max = 200'000;
    spec.send_queue_bytes_max = 300'000;
    spec.inbound_streams_per_peer_max = 30;
    player.protocol = player.node->host->add_protocol(spec, *player.judge);
    return player;
  }

  void send(Player& player, StreamSlot stream, Rng& rng) {
    const std::size_t size = rng.chance(100'000) ? rng.below(150'000) : rng.below(2'000);
    Host& host = *player.node->host;
    const std::size_t before = host.queued_bytes(stream);
    host.send(stream, numbered(player.sent[stream], size), Priority::normal, 0);
    // Taken or not is seen by the queue: a refused message must not use up its number.
    if (host.queued_bytes(stream) > before) ++player.sent[stream];
  }
  static Bytes numbered(std::uint32_t number, std::size_t size) {
    return Bytes::make(4 + size, [&](std::span<std::uint8_t> to) {
      std::memcpy(to.data(), &number, 4);
      const Bytes body = filled(size, static_cast<std::uint8_t>(number));
      std::copy(body.begin(), body.end(), to.begin() + 4);
    });
  }
  static std::optional<StreamSlot> pick(const Player& player, Rng& rng) {
    std::vector<StreamSlot> open;
    for (const auto& [slot, seen] : player.judge->streams)
      if (!seen.closed) open.push_back(slot);
    if (open.empty()) return std::nullopt;
    return open[rng.below(open.size())];
  }

  void act(std::vector<Player>& players, Player& self, Rng& rng) {
    Host& host = *self.node->host;
    Player& other = players[rng.below(players.size())];
    const auto peer = host.find_peer(other.node->id());
    const std::uint64_t what = rng.below(100);
    if (what < 12) {
      host.connect(self.protocol, {++self.requests}, other.node->id(),
                   std::vector{other.node->addr});
    } else if (what < 15) {
      if (peer) host.disconnect(*peer);
    } else if (what < 35) {
      if (!peer) return;
      const StreamSlot slot = host.open(*peer, self.protocol, numbered(0, rng.below(500)));
      self.judge->streams[slot].announced = true;
      self.sent[slot] = 1;
    } else if (what < 85) {
      if (const auto slot = pick(self, rng)) send(self, *slot, rng);
    } else if (what < 93) {
      if (const auto slot = pick(self, rng)) host.close(*slot);
    } else if (what < 98) {
      if (const auto slot = pick(self, rng)) host.reset(*slot);
    } else {
      host.set_serving(self.protocol, rng.chance(700'000));
    }
  }

  void expect_nothing_left(std::vector<Player>& players) {
    for (Player& player : players) player.node->host->stop();
    EXPECT_TRUE(until(
        [&] {
          return std::all_of(players.begin(), players.end(),
                             [](const Player& player) { return player.node->is_empty(); });
        },
        40s));
    for (const Player& player : players) {
      EXPECT_EQ(player.judge->answers.size(), player.requests);
      for (const auto& [slot, seen] : player.judge->streams) EXPECT_TRUE(seen.closed);
      for (const auto& [slot, ready] : player.judge->peers) EXPECT_FALSE(ready);
    }
  }
  std::size_t made_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Worlds, RandomCommands,
                         testing::Values(World{"memory", make_memory_harness},
                                         World{"sim", make_sim_harness},
                                         World{"sockets", make_asio_harness}),
                         [](const auto& world) { return world.param.name; });

TEST_P(RandomCommands, leave_nothing_behind_and_break_no_rule) {
  std::uint64_t messages = 0;
  const std::uint64_t seeds = world_->is_virtual() ? 25 : 4;
  for (std::uint64_t seed = 1; seed <= seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world_ = GetParam().make(seed);
    Rng rng(seed);
    std::vector<Player> players;
    for (int i = 0; i < 4; ++i) players.push_back(make_player());
    for (Player& player : players)
      player.judge->react = [&](StreamSlot slot) {
        // Now and then from inside a handler, where the books are open.
        if (rng.chance(300'000)) act(players, player, rng);
        if (rng.chance(200'000)) send(player, slot, rng);
      };
    for (int step = 0; step < 600; ++step) {
      act(players, players[rng.below(players.size())], rng);
      if (rng.chance(400'000)) world_->run_for(std::chrono::milliseconds(rng.below(30)));
    }
    world_->run_for(500ms);
    for (Player& player : players) {
      messages += player.judge->messages;
      player.judge->react = nullptr;
    }
    expect_nothing_left(players);
  }
  EXPECT_GT(messages, 100 * seeds) << "the run was about nothing";
}

TEST_P(RandomCommands, twenty_peers_come_and_go) {
  std::vector<Player> players;
  for (int i = 0; i < 20; ++i) players.push_back(make_player());
  Rng rng(42);
  const int rounds = world_->is_virtual() ? 40 : 12;
  for (int round = 0; round < rounds; ++round) {
    for (Player& player : players) {
      Player& other = players[rng.below(players.size())];
      const auto peer = player.node->host->find_peer(other.node->id());
      if (!peer)
        player.node->host->connect(player.protocol, {++player.requests}, other.node->id(),
                                   std::vector{other.node->addr});
      else if (rng.chance(250'000))
        player.node->host->disconnect(*peer);
    }
    world_->run_for(std::chrono::milliseconds(20 + rng.below(200)));
  }
  world_->run_for(4s);
  std::uint64_t joined = 0;
  for (const Player& player : players) joined += player.judge->joined;
  EXPECT_GT(joined, 100u);
  expect_nothing_left(players);
}

}  // namespace
}  // namespace kith::host
