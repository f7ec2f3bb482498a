#include "services/r1fs/exchange_core.hpp"

#include <gtest/gtest.h>

#include "net/base/rng.hpp"

namespace kith::r1fs {
namespace {

host::PeerSlot slot(std::uint32_t i) { return {i, 1}; }
PeerId peer_id(std::uint32_t i) {
  return PeerId::of_public_key(as_bytes("peer " + std::to_string(i)));
}
Bytes content(std::size_t bytes, std::uint64_t seed) {
  return Bytes::make(bytes, [&](std::span<std::uint8_t> to) { Rng(seed).fill(to); });
}
Cid cid_of_data(const Bytes& data) { return Cid::v1(kCodecRaw, Multihash::of_sha256(data)); }
Now at(Duration time) { return {Mono(1s) + time, Wall(1s) + time}; }

template <class T>
std::vector<T> take(const ExchangeEffects& effects) {
  std::vector<T> found;
  for (const ExchangeEffect& effect : effects)
    if (const auto* one = std::get_if<T>(&effect)) found.push_back(*one);
  return found;
}
std::vector<libp2p::BitswapWant> wants_to(const ExchangeEffects& effects, host::PeerSlot peer) {
  std::vector<libp2p::BitswapWant> wants;
  for (const SendMessage& sent : take<SendMessage>(effects)) {
    if (sent.peer != peer) continue;
    auto message = libp2p::decode_bitswap(sent.message);
    EXPECT_TRUE(message.has_value());
    for (auto& want : message->wants) wants.push_back(want);
  }
  return wants;
}
Bytes block_message(const Cid& cid, const Bytes& data) {
  libp2p::BitswapMessage message;
  message.blocks.push_back(libp2p::block_of(cid, data));
  return libp2p::encode_bitswap(message);
}
Bytes presence_message(const Cid& cid, bool have) {
  libp2p::BitswapMessage message;
  message.presences.push_back({cid, have});
  return libp2p::encode_bitswap(message);
}

struct Wanting : testing::Test {
  ExchangeCore core;
  ExchangeEffects out;
  SessionSlot session = core.open(host::Priority::bulk);
  Bytes data = content(1000, 1);
  Cid cid = cid_of_data(data);
  void SetUp() override {
    for (std::uint32_t i = 0; i < 3; ++i) core.on_peer_ready(at(0s), slot(i), peer_id(i), out);
    core.add_peer(at(0s), session, slot(0), out);
    core.add_peer(at(0s), session, slot(1), out);
    core.want(at(0s), session, cid, data.size(), out);
  }
};

TEST_F(Wanting, a_block_is_asked_of_one_peer_at_a_time_and_given_once) {
  EXPECT_EQ(wants_to(out, slot(0)).size() + wants_to(out, slot(1)).size(), 1u);
  EXPECT_TRUE(wants_to(out, slot(2)).empty()) << "not of the session";
  out.clear();
  core.on_message(at(1s), slot(0), block_message(cid, data), {}, out);
  const auto given = take<GiveBlock>(out);
  ASSERT_EQ(given.size(), 1u);
  EXPECT_EQ(given[0].data, data);
  EXPECT_EQ(given[0].from, peer_id(0));
  out.clear();
  core.on_message(at(1s), slot(0), block_message(cid, data), {}, out);
  EXPECT_TRUE(take<GiveBlock>(out).empty());
  EXPECT_EQ(core.counters().blocks_in, 1u);
  EXPECT_EQ(core.counters().duplicates_in, 1u);
  EXPECT_EQ(core.wants(), 0u);
  EXPECT_EQ(core.next_deadline(), kNever);
}

TEST_F(Wanting, who_says_no_is_passed_over_and_when_all_did_it_is_told_once) {
  const host::PeerSlot first = wants_to(out, slot(0)).empty() ? slot(1) : slot(0);
  const host::PeerSlot second = first == slot(0) ? slot(1) : slot(0);
  out.clear();
  core.on_message(at(0s), first, presence_message(cid, false), {}, out);
  ASSERT_EQ(wants_to(out, second).size(), 1u);
  EXPECT_TRUE(take<TellUnavailable>(out).empty());
  out.clear();
  core.on_message(at(0s), second, presence_message(cid, false), {}, out);
  EXPECT_EQ(take<TellUnavailable>(out).size(), 1u);
  out.clear();
  core.on_message(at(0s), second, presence_message(cid, false), {}, out);
  EXPECT_TRUE(take<TellUnavailable>(out).empty());
  core.add_peer(at(1s), session, slot(2), out);
  EXPECT_EQ(wants_to(out, slot(2)).size(), 1u) << "the want stays, for who comes later";
}

TEST_F(Wanting, silence_is_passed_over_after_the_timeout_and_cancelled_there) {
  const host::PeerSlot first = wants_to(out, slot(0)).empty() ? slot(1) : slot(0);
  const host::PeerSlot second = first == slot(0) ? slot(1) : slot(0);
  out.clear();
  core.on_tick(at(kWantTimeout - 1ms), out);
  EXPECT_TRUE(out.empty());
  core.on_tick(at(kWantTimeout), out);
  ASSERT_EQ(wants_to(out, first).size(), 1u);
  EXPECT_TRUE(wants_to(out, first)[0].cancel);
  ASSERT_EQ(wants_to(out, second).size(), 1u);
  EXPECT_FALSE(wants_to(out, second)[0].cancel);
}

TEST_F(Wanting, another_block_than_asked_for_is_not_given_and_three_of_them_end_the_trust) {
  const host::PeerSlot liar = wants_to(out, slot(0)).empty() ? slot(1) : slot(0);
  const host::PeerSlot other = liar == slot(0) ? slot(1) : slot(0);
  for (std::uint64_t i = 0; i < kStrikesMax; ++i) {
    out.clear();
    const Bytes rubbish = content(500, 100 + i);
    core.on_message(at(0s), liar, block_message(cid, rubbish), {}, out);
    EXPECT_TRUE(take<GiveBlock>(out).empty());
  }
  EXPECT_EQ(core.counters().rubbish_in, kStrikesMax);
  EXPECT_EQ(wants_to(out, other).size(), 1u) << "asked of the honest one now";
}

TEST_F(Wanting, a_peer_that_goes_is_replaced_and_the_session_ends_clean) {
  const host::PeerSlot first = wants_to(out, slot(0)).empty() ? slot(1) : slot(0);
  const host::PeerSlot second = first == slot(0) ? slot(1) : slot(0);
  out.clear();
  core.on_peer_gone(at(0s), first, out);
  EXPECT_EQ(wants_to(out, second).size(), 1u);
  out.clear();
  core.close(at(0s), session, out);
  ASSERT_EQ(wants_to(out, second).size(), 1u);
  EXPECT_TRUE(wants_to(out, second)[0].cancel);
  EXPECT_EQ(core.wants(), 0u);
  EXPECT_EQ(core.next_deadline(), kNever);
}

TEST(Exchange, everyone_is_asked_by_have_and_who_has_it_becomes_a_source) {
  ExchangeCore core;
  ExchangeEffects out;
  const Bytes data = content(100, 3);
  const Cid cid = cid_of_data(data);
  for (std::uint32_t i = 0; i < 4; ++i) core.on_peer_ready(at(0s), slot(i), peer_id(i), out);
  const SessionSlot session = core.open(host::Priority::bulk);
  core.ask_everyone(at(0s), session, out);
  core.want(at(0s), session, cid, 0, out);
  for (std::uint32_t i = 0; i < 4; ++i) {
    ASSERT_EQ(wants_to(out, slot(i)).size(), 1u);
    EXPECT_EQ(wants_to(out, slot(i))[0].type, libp2p::BitswapWant::Type::have);
  }
  out.clear();
  core.on_message(at(0s), slot(2), presence_message(cid, true), {}, out);
  ASSERT_EQ(wants_to(out, slot(2)).size(), 1u);
  EXPECT_EQ(wants_to(out, slot(2))[0].type, libp2p::BitswapWant::Type::block);
}

TEST(Exchange, sessions_that_wait_for_the_same_peer_go_on_when_it_has_room) {
  ExchangeCore core;
  ExchangeEffects out;
  core.on_peer_ready(at(0s), slot(0), peer_id(0), out);
  std::vector<Bytes> blocks;
  for (std::uint64_t i = 0; i < 24; ++i) blocks.push_back(content(1u << 20, i));
  std::vector<SessionSlot> sessions;
  for (int s = 0; s < 3; ++s) {
    sessions.push_back(core.open(host::Priority::bulk));
    core.add_peer(at(0s), sessions.back(), slot(0), out);
    for (std::size_t i = 0; i < 8; ++i)
      core.want(at(0s), sessions.back(), cid_of_data(blocks[static_cast<std::size_t>(s) * 8 + i]),
                1u << 20, out);
  }
  std::size_t asked = 0, given = 0;
  for (const Bytes& block : blocks) {
    asked += wants_to(out, slot(0)).size();
    EXPECT_LE(asked - given, kWantBytesPerPeerMax >> 20) << "bounded in flight";
    out.clear();
    core.on_verified(at(0s), slot(0), cid_of_data(block), block, out);
    given += take<GiveBlock>(out).size();
  }
  EXPECT_EQ(given, blocks.size());
}

HeldBlocks holding(const std::map<Multihash, Bytes>& blocks) {
  return {[](const void* index, const Cid& cid) -> std::optional<std::size_t> {
            const auto& held = *static_cast<const std::map<Multihash, Bytes>*>(index);
            const auto at = held.find(cid.hash());
            if (at == held.end()) return std::nullopt;
            return at->second.size();
          },
          &blocks};
}

TEST(Exchange, a_peer_that_wants_everything_and_reads_nothing_costs_a_bounded_amount) {
  ExchangeCore core;
  ExchangeEffects out;
  core.on_peer_ready(at(0s), slot(0), peer_id(0), out);
  std::map<Multihash, Bytes> held;
  libp2p::BitswapMessage message;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const Bytes data = content(64, i);
    const Cid cid = cid_of_data(data);
    if (i < 40) held[cid.hash()] = content(1u << 20, i);
    message.wants.push_back({cid, 1, false, libp2p::BitswapWant::Type::block, false});
  }
  core.on_message(at(0s), slot(0), libp2p::encode_bitswap(message), holding(held), out);
  EXPECT_LE(core.served_wants(slot(0)), kLedgerEntriesMax);
  std::size_t reading = 0;
  for (const ReadBlock& read : take<ReadBlock>(out)) reading += held.at(read.cid.hash()).size();
  EXPECT_LE(reading, kReadAheadBytes);
  core.on_peer_gone(at(0s), slot(0), out);
  EXPECT_EQ(core.served_wants(slot(0)), 0u);
}

TEST(Exchange, what_comes_later_is_sent_to_who_waited_unless_it_was_told_no) {
  ExchangeCore core;
  ExchangeEffects out;
  const Bytes data = content(100, 9);
  const Cid cid = cid_of_data(data);
  for (std::uint32_t i = 0; i < 2; ++i) core.on_peer_ready(at(0s), slot(i), peer_id(i), out);
  for (std::uint32_t i = 0; i < 2; ++i) {
    libp2p::BitswapMessage message;
    message.wants.push_back({cid, 1, false, libp2p::BitswapWant::Type::block, i == 1});
    core.on_message(at(0s), slot(i), libp2p::encode_bitswap(message), {}, out);
  }
  out.clear();
  core.on_held(at(1s), cid, data.size(), out);
  EXPECT_EQ(take<ReadBlock>(out).size(), 1u);
}

// N nodes on a bus that loses peers, with liars among them: whatever an honest peer of the session
// holds arrives, once, verified.
class Bus {
 public:
  Bus(std::uint64_t seed, std::uint32_t nodes) : rng_(seed), nodes_(nodes) {
    for (std::uint32_t i = 0; i < nodes; ++i) nodes_[i].liar = i > 1 && rng_.below(4) == 0;
    for (std::uint32_t i = 0; i < nodes; ++i)
      for (std::uint32_t j = 0; j < nodes; ++j)
        if (i != j)
          run(i, [&](ExchangeCore& core, ExchangeEffects& out) {
            core.on_peer_ready(now_, slot(j), peer_id(j), out);
          });
  }
  void run_script() {
    std::vector<Bytes> blocks;
    for (std::uint64_t b = 0; b < 40; ++b) {
      blocks.push_back(content(1 + rng_.below(100'000), 1000 + b));
      // Node 1 holds all and is honest; the others some.
      for (std::uint32_t i = 1; i < nodes_.size(); ++i)
        if (i == 1 || rng_.below(3) == 0)
          nodes_[i].held[Multihash::of_sha256(blocks.back())] = blocks.back();
    }
    run(0, [&](ExchangeCore& core, ExchangeEffects& out) {
      session_ = core.open(host::Priority::bulk);
      for (std::uint32_t i = 1; i < nodes_.size(); ++i)
        if (i == 1 || rng_.below(2) == 0) core.add_peer(now_, session_, slot(i), out);
      core.ask_everyone(now_, session_, out);
      for (const Bytes& block : blocks)
        core.want(now_, session_, cid_of_data(block), rng_.below(2) ? block.size() : 0, out);
    });
    for (int step = 0; step < 20'000 && given_.size() < blocks.size(); ++step) {
      if (queue_.empty()) {
        now_ = at(now_.mono - Mono(1s) + kWantTimeout);
        run(0, [&](ExchangeCore& core, ExchangeEffects& out) { core.on_tick(now_, out); });
      } else {
        deliver();
      }
    }
    for (const Bytes& block : blocks)
      EXPECT_EQ(given_.count(Multihash::of_sha256(block)), 1u) << "every block arrives";
    run(0, [&](ExchangeCore& core, ExchangeEffects& out) { core.close(now_, session_, out); });
    EXPECT_EQ(nodes_[0].core.wants(), 0u);
    EXPECT_EQ(nodes_[0].core.next_deadline(), kNever);
  }

 private:
  struct BusNode {
    ExchangeCore core;
    std::map<Multihash, Bytes> held;
    bool liar = false;
  };
  struct Message {
    std::uint32_t from, to;
    Bytes bytes;
  };
  template <class Step>
  void run(std::uint32_t i, Step&& step) {
    ExchangeEffects out;
    step(nodes_[i].core, out);
    carry_out(i, out);
  }
  void carry_out(std::uint32_t i, ExchangeEffects& effects) {
    for (ExchangeEffect& effect : effects) {
      if (auto* sent = std::get_if<SendMessage>(&effect)) {
        // A liar answers late, with rubbish, or not at all.
        if (nodes_[i].liar && rng_.below(2) == 0) continue;
        queue_.push_back({i, sent->peer.index, sent->message});
      } else if (auto* read = std::get_if<ReadBlock>(&effect)) {
        Bytes data = nodes_[i].held.at(read->cid.hash());
        if (nodes_[i].liar) data = content(data.size(), rng_.next());
        run(i, [&](ExchangeCore& core, ExchangeEffects& out) {
          core.on_block_read(now_, read->tag, data, out);
        });
      } else if (auto* verify = std::get_if<VerifyBlock>(&effect)) {
        run(i, [&](ExchangeCore& core, ExchangeEffects& out) {
          core.on_verified(now_, verify->peer, libp2p::cid_of(verify->block), verify->block.data,
                           out);
        });
      } else if (auto* give = std::get_if<GiveBlock>(&effect)) {
        EXPECT_EQ(i, 0u);
        EXPECT_EQ(Multihash::of_sha256(give->data), give->cid.hash());
        EXPECT_TRUE(given_.insert(give->cid.hash()).second) << "given once";
      }
    }
  }
  void deliver() {
    // Any two messages may overtake each other, but for those of one pair.
    const std::size_t at_index = rng_.below(std::min<std::size_t>(queue_.size(), 5));
    std::size_t pick = 0;
    for (std::size_t i = 0; i <= at_index; ++i)
      if (queue_[i].from == queue_[at_index].from && queue_[i].to == queue_[at_index].to) {
        pick = i;
        break;
      }
    const Message message = queue_[pick];
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(pick));
    run(message.to, [&](ExchangeCore& core, ExchangeEffects& out) {
      core.on_message(now_, slot(message.from), message.bytes, holding(nodes_[message.to].held),
                      out);
    });
  }

  Rng rng_;
  Now now_ = at(0s);
  std::vector<BusNode> nodes_;
  std::deque<Message> queue_;
  std::set<Multihash> given_;
  SessionSlot session_;
};

TEST(Exchange, what_an_honest_peer_holds_arrives_once_whatever_liars_and_the_order_do) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Bus(seed, 6).run_script();
  }
}

}  // namespace
}  // namespace kith::r1fs
