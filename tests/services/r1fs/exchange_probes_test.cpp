// A peer that is only asked whether it has a block, and one that wants a whole file at once: both
// as Helia does it.
#include <gtest/gtest.h>

#include "services/r1fs/exchange_core.hpp"

namespace kith::r1fs {
namespace {

using libp2p::BitswapMessage;
using libp2p::BitswapWant;

Bytes block(std::size_t size, std::uint8_t seed) {
  return Bytes::make(size,
                     [&](std::span<std::uint8_t> to) { std::fill(to.begin(), to.end(), seed); });
}
Cid cid_of(const Bytes& data) { return Cid::v1(kCodecRaw, Multihash::of_sha256(data)); }

class Probes : public testing::Test {
 protected:
  using Store = std::map<Cid, Bytes>;

  Probes() { core_.on_peer_ready(now_, peer_, PeerId(), out_); }
  void say(const BitswapMessage& message) {
    const HeldBlocks held{[](const void* index, const Cid& cid) -> std::optional<std::size_t> {
                            const auto& store = *static_cast<const Store*>(index);
                            const auto at = store.find(cid);
                            if (at == store.end()) return std::nullopt;
                            return at->second.size();
                          },
                          &store_};
    core_.on_message(now_, peer_, libp2p::encode_bitswap(message), held, out_);
  }
  void say_block(const Bytes& data) {
    BitswapMessage message;
    message.blocks.push_back(libp2p::block_of(cid_of(data), data));
    say(message);
  }
  // Takes the effects of one kind; the others stay.
  template <class Effect>
  std::vector<Effect> take() {
    std::vector<Effect> taken;
    std::erase_if(out_, [&](ExchangeEffect& effect) {
      auto* one = std::get_if<Effect>(&effect);
      if (one != nullptr) taken.push_back(std::move(*one));
      return one != nullptr;
    });
    return taken;
  }
  BitswapMessage sent() {
    const auto messages = take<SendMessage>();
    EXPECT_EQ(messages.size(), 1u);
    return messages.empty() ? BitswapMessage()
                            : libp2p::decode_bitswap(messages[0].message).value();
  }
  SessionSlot ask_everyone_for(const Bytes& data) {
    const SessionSlot session = core_.open(host::Priority::normal);
    core_.ask_everyone(now_, session, out_);
    core_.want(now_, session, cid_of(data), 0, out_);
    return session;
  }

  ExchangeCore core_;
  Now now_{Mono(1s), Wall(std::chrono::seconds(1))};
  host::PeerSlot peer_{1, 1};
  ExchangeEffects out_;
  Store store_;
};

// Helia sends a block below 1 KiB instead of HAVE.
TEST_F(Probes, whoever_is_asked_whether_it_has_a_block_may_answer_with_the_block) {
  const Bytes data = block(200, 7);
  const SessionSlot session = ask_everyone_for(data);
  EXPECT_EQ(sent().wants.at(0).type, BitswapWant::Type::have);
  say_block(data);
  EXPECT_EQ(take<GiveBlock>().size(), 1u);
  EXPECT_EQ(core_.counters().blocks_in, 1u);
  EXPECT_EQ(core_.wants(), 0u);

  // It is in the session now: what comes next is asked of it directly.
  core_.want(now_, session, cid_of(block(200, 8)), 0, out_);
  EXPECT_EQ(sent().wants.at(0).type, BitswapWant::Type::block);
}

TEST_F(Probes, nothing_is_hashed_for_a_peer_that_is_asked_nothing) {
  const Bytes data = block(200, 7);
  ask_everyone_for(data);
  BitswapMessage no;
  no.presences.push_back({cid_of(data), false});
  say(no);
  say_block(data);
  EXPECT_TRUE(take<GiveBlock>().empty());
  EXPECT_EQ(core_.counters().duplicates_in, 1u);
  EXPECT_EQ(core_.wants(), 1u);
}

TEST_F(Probes, a_probe_that_was_given_up_leaves_nothing_to_answer) {
  const Bytes data = block(200, 7);
  const SessionSlot session = ask_everyone_for(data);
  take<SendMessage>();
  core_.close(now_, session, out_);
  EXPECT_TRUE(sent().wants.at(0).cancel);
  say_block(data);
  EXPECT_EQ(core_.counters().duplicates_in, 1u);
  EXPECT_EQ(core_.counters().rubbish_in, 0u);
}

TEST_F(Probes, who_answers_a_probe_with_rubbish_is_soon_not_hashed_for_any_more) {
  ask_everyone_for(block(200, 7));
  for (std::uint8_t i = 10; i < 20; ++i) say_block(block(100, i));
  EXPECT_EQ(core_.counters().rubbish_in, kStrikesMax);
  EXPECT_EQ(core_.counters().duplicates_in, 10u - kStrikesMax);
}

TEST_F(Probes, a_peer_that_wants_a_whole_file_at_once_gets_every_block_of_it_once) {
  BitswapMessage wants;
  std::set<Cid> missing;
  for (std::uint8_t i = 0; i < 21; ++i) {
    const Bytes data = block(1u << 20, i);
    store_[cid_of(data)] = data;
    missing.insert(cid_of(data));
    wants.wants.push_back({cid_of(data), 1, false, BitswapWant::Type::block, true});
  }
  say(wants);
  while (!missing.empty()) {
    const auto reads = take<ReadBlock>();
    ASSERT_FALSE(reads.empty());
    EXPECT_LE(reads.size(), kReadAheadBytes >> 20);
    // The stream is full while they are read: nothing more is read until it has room.
    core_.on_send_room(now_, peer_, false, out_);
    for (const ReadBlock& read : reads)
      core_.on_block_read(now_, read.tag, store_.at(read.cid), out_);
    for (const SendMessage& message : take<SendMessage>())
      for (const auto& one : libp2p::decode_bitswap(message.message).value().blocks)
        EXPECT_EQ(missing.erase(libp2p::cid_of(one).value()), 1u);
    EXPECT_TRUE(take<ReadBlock>().empty());
    core_.on_send_room(now_, peer_, true, out_);
  }
  EXPECT_EQ(core_.served_wants(peer_), 0u);
  EXPECT_EQ(core_.counters().blocks_out, 21u);
}

}  // namespace
}  // namespace kith::r1fs
