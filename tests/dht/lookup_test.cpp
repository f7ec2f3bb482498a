#include "dht/lookup.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::peer_id;

class LookupTest : public ::testing::Test {
 protected:
  LookupTest() {
    for (std::uint64_t number = 1; number <= 400; ++number)
      all.push_back(book.intern(peer_id(number)));
    std::sort(all.begin(), all.end(), [this](const PeerRef& a, const PeerRef& b) {
      return nearer(target, a.key(), b.key());
    });
  }
  // The n-th nearest to the target.
  HeardPeer near(std::size_t n, std::uint64_t address = 0) {
    return {all[n], {Multiaddr::of_memory(address == 0 ? n + 1 : address)}};
  }
  std::vector<HeardPeer> range(std::size_t from, std::size_t to) {
    std::vector<HeardPeer> peers;
    for (std::size_t n = from; n < to; ++n) peers.push_back(near(n));
    return peers;
  }
  std::vector<PeerRef> ask_all() {
    std::vector<PeerRef> asked;
    while (const HeardPeer* next = lookup.next()) asked.push_back(next->peer);
    return asked;
  }
  // Second looks, none of which helps.
  void look_in_vain() {
    while (const PeerRef look = lookup.next_look()) lookup.on_look_failed(look);
  }
  std::size_t rank(const PeerRef& peer) const {
    return static_cast<std::size_t>(std::find(all.begin(), all.end(), peer) - all.begin());
  }

  PeerBook book{Rng(1)};
  PeerRef self = book.intern(peer_id(0));
  Key target = Key::of(as_bytes("target"));
  std::vector<PeerRef> all;
  Lookup lookup{self, target};
};

TEST_F(LookupTest, asks_alpha_at_once_nearest_first) {
  for (std::size_t n = 40; n-- > 0;) lookup.seed(all[n]);
  const std::vector<PeerRef> asked = ask_all();
  ASSERT_EQ(asked.size(), kParallelism);
  for (std::size_t n = 0; n < asked.size(); ++n) EXPECT_TRUE(asked[n] == all[n]);
  EXPECT_FALSE(lookup.finished());
}

TEST_F(LookupTest, ends_when_the_k_nearest_heard_of_have_answered) {
  for (std::size_t n = 0; n < 40; ++n) lookup.seed(all[n]);
  while (!lookup.finished()) {
    const std::vector<PeerRef> asked = ask_all();
    ASSERT_FALSE(asked.empty());
    for (const PeerRef& peer : asked) lookup.on_answer(peer, {});
  }
  EXPECT_EQ(lookup.answered(), kReplication);
  const std::vector<HeardPeer> found = lookup.closest();
  ASSERT_EQ(found.size(), kReplication);
  for (std::size_t n = 0; n < found.size(); ++n) EXPECT_TRUE(found[n].peer == all[n]);
}

TEST_F(LookupTest, follows_answers_to_nearer_peers) {
  lookup.seed(all[200]);
  std::size_t far = 200;
  while (!lookup.finished()) {
    for (const PeerRef& peer : ask_all()) {
      const std::size_t at = rank(peer);
      far = std::min(far, at);
      lookup.on_answer(peer, range(at / 2, at / 2 + 20));
    }
  }
  for (std::size_t n = 0; n < kReplication; ++n)
    EXPECT_TRUE(lookup.closest()[n].peer == all[n]) << n;
  EXPECT_LE(lookup.asked(), kReplication + 8 * kParallelism) << "halving 200 takes 8 rounds";
}

TEST_F(LookupTest, hops_are_those_of_the_longest_way_to_a_peer_of_the_answer) {
  lookup.seed(all[300]);
  EXPECT_EQ(lookup.hops(), 0u) << "nobody has answered";
  ASSERT_NE(lookup.next(), nullptr);
  lookup.on_answer(all[300], range(100, 101));
  EXPECT_EQ(lookup.hops(), 1u);
  ASSERT_NE(lookup.next(), nullptr);
  lookup.on_answer(all[100], range(1, 2));
  EXPECT_EQ(lookup.hops(), 2u);
  ASSERT_NE(lookup.next(), nullptr);
  lookup.on_answer(all[1], range(100, 101));  // known already, and nearer to the start
  EXPECT_EQ(lookup.hops(), 3u);
}

TEST_F(LookupTest, with_nobody_to_ask_is_over_at_once) {
  EXPECT_EQ(lookup.next(), nullptr);
  EXPECT_TRUE(lookup.finished());
  EXPECT_TRUE(lookup.closest().empty());
}

TEST_F(LookupTest, fewer_peers_than_k_are_all_asked) {
  lookup.seed(all[0]);
  ask_all();
  lookup.on_answer(all[0], range(0, 4));
  for (const PeerRef& peer : ask_all()) lookup.on_answer(peer, range(0, 4));
  EXPECT_TRUE(lookup.finished());
  EXPECT_EQ(lookup.closest().size(), 4u);
}

TEST_F(LookupTest, drops_our_own_id_and_peers_heard_before) {
  lookup.seed(all[0]);
  ask_all();
  const std::size_t fresh =
      lookup.on_answer(all[0], {{self, {}}, near(0), near(1), near(1), near(2)});
  EXPECT_EQ(fresh, 2u);
  EXPECT_EQ(lookup.heard(self), nullptr);
  EXPECT_EQ(ask_all().size(), 2u);
}

TEST_F(LookupTest, answers_of_peers_that_were_not_asked_are_ignored) {
  lookup.seed(all[0]);
  lookup.seed(all[1]);
  EXPECT_EQ(lookup.on_answer(all[5], range(10, 20)), 0u);
  EXPECT_EQ(lookup.on_answer(all[0], range(10, 20)), 0u);
  ask_all();
  lookup.on_answer(all[0], {});
  EXPECT_EQ(lookup.on_answer(all[0], range(10, 20)), 0u) << "a second answer";
}

TEST_F(LookupTest, a_dead_peer_gives_its_place_to_the_next) {
  for (std::size_t n = 0; n < 21; ++n) lookup.seed(all[n]);
  std::deque<PeerRef> asked;
  bool failed = false;
  while (!lookup.finished()) {
    for (const PeerRef& peer : ask_all()) asked.push_back(peer);
    look_in_vain();
    if (lookup.finished()) break;
    ASSERT_FALSE(asked.empty());
    const PeerRef peer = asked.front();
    asked.pop_front();
    if (rank(peer) == 3) {
      lookup.on_failed(peer);
      failed = true;
    } else {
      lookup.on_answer(peer, {});
    }
  }
  EXPECT_TRUE(failed);
  EXPECT_EQ(lookup.answered(), 20u);
  EXPECT_TRUE(lookup.closest().back().peer == all[20]);
}

TEST_F(LookupTest, late_peers_are_made_up_for_while_they_may_still_answer) {
  for (std::size_t n = 0; n < 30; ++n) lookup.seed(all[n]);
  const std::vector<PeerRef> late = ask_all();
  for (const PeerRef& peer : late) lookup.on_late(peer);
  for (int round = 0; round < 2; ++round) {
    const std::vector<PeerRef> next = ask_all();
    EXPECT_EQ(next.size(), kParallelism) << "others are asked in their stead";
    for (const PeerRef& peer : next) lookup.on_answer(peer, {});
  }
  EXPECT_FALSE(lookup.finished()) << "they may still come";
  lookup.on_answer(late[0], {});
  for (const PeerRef& peer : late) lookup.on_overdue(peer);
  look_in_vain();
  EXPECT_TRUE(lookup.finished());
  EXPECT_EQ(lookup.closest().size(), 20u);
  EXPECT_TRUE(lookup.closest()[0].peer == late[0]);
}

TEST_F(LookupTest, a_late_answer_still_counts) {
  lookup.seed(all[0]);
  lookup.seed(all[1]);
  ask_all();
  lookup.on_late(all[0]);
  lookup.on_overdue(all[0]);
  EXPECT_EQ(lookup.on_answer(all[0], range(2, 5)), 3u);
  EXPECT_EQ(ask_all().size(), 3u);
}

TEST_F(LookupTest, waits_for_overdue_peers_while_nobody_has_answered) {
  lookup.seed(all[0]);
  ask_all();
  lookup.on_late(all[0]);
  lookup.on_overdue(all[0]);
  EXPECT_FALSE(lookup.finished());
  lookup.on_failed(all[0]);
  EXPECT_TRUE(lookup.finished());
}

TEST_F(LookupTest, wrong_addresses_of_a_live_peer_are_corrected_by_another_source) {
  lookup.seed(all[100]);
  lookup.seed(all[101]);
  ask_all();
  lookup.on_answer(all[100], {near(0, 666)});
  ask_all();
  lookup.on_failed(all[0]);
  lookup.on_answer(all[101], {near(0, 1)});
  const HeardPeer* again = lookup.next();
  ASSERT_NE(again, nullptr);
  EXPECT_TRUE(again->peer == all[0]);
  EXPECT_EQ(again->addrs.back(), Multiaddr::of_memory(1));
}

TEST_F(LookupTest, new_addresses_of_a_peer_under_way_are_tried_when_it_is_late) {
  lookup.seed(all[100]);
  lookup.seed(all[101]);
  ask_all();
  lookup.on_answer(all[100], {near(0, 666)});
  ask_all();
  lookup.on_answer(all[101], {near(0, 1)});
  EXPECT_EQ(lookup.next(), nullptr) << "the first attempt may still succeed";
  lookup.on_late(all[0]);
  const HeardPeer* again = lookup.next();
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->attempt, 1u);
  lookup.on_failed(all[0], 0);
  EXPECT_FALSE(lookup.finished()) << "what becomes of the first attempt no longer counts";
  lookup.on_answer(all[0], {});
  EXPECT_TRUE(lookup.finished());
}

TEST_F(LookupTest, an_answer_counts_whichever_attempt_it_is_of) {
  lookup.seed(all[100]);
  lookup.seed(all[101]);
  ask_all();
  lookup.on_answer(all[100], {near(0, 666)});
  ask_all();
  lookup.on_answer(all[101], {near(0, 1)});
  lookup.on_late(all[0]);
  EXPECT_EQ(lookup.on_answer(all[0], range(1, 3)), 2u) << "before the second was sent";
}

TEST_F(LookupTest, live_peers_behind_dead_ones_are_seen_by_a_second_look) {
  // Everybody names the 20 nearest, of which 5 are dead; ranks 20 to 24 are named by nobody.
  for (std::size_t n = 0; n < 20; ++n) lookup.seed(all[n]);
  for (std::size_t n = 25; n < 60; ++n) lookup.seed(all[n]);
  const auto dead = [&](const PeerRef& peer) { return rank(peer) < 20 && rank(peer) % 4 == 1; };
  std::size_t looks = 0;
  for (int round = 0; round < 100 && !lookup.finished(); ++round) {
    for (const PeerRef& peer : ask_all())
      dead(peer) ? lookup.on_failed(peer, lookup.heard(peer)->attempt)
                 : (void)lookup.on_answer(peer, {});
    while (const PeerRef look = lookup.next_look()) {
      ++looks;
      EXPECT_FALSE(lookup.finished());
      const std::size_t at = rank(look);
      lookup.on_look(look, range(at - std::min<std::size_t>(at, 10), at + 10));
    }
  }
  ASSERT_TRUE(lookup.finished());
  EXPECT_GE(looks, 1u);
  EXPECT_LE(looks, kLooksMax);
  EXPECT_TRUE(lookup.closest().back().peer == all[24]);
}

TEST_F(LookupTest, without_dead_peers_there_is_no_second_look) {
  for (std::size_t n = 0; n < 40; ++n) lookup.seed(all[n]);
  while (!lookup.finished()) {
    for (const PeerRef& peer : ask_all()) lookup.on_answer(peer, {});
    EXPECT_FALSE(lookup.next_look());
  }
}

TEST_F(LookupTest, a_second_look_that_fails_does_not_hold_up_the_end) {
  for (std::size_t n = 0; n < 40; ++n) lookup.seed(all[n]);
  for (int round = 0; round < 100 && !lookup.finished(); ++round) {
    for (const PeerRef& peer : ask_all())
      rank(peer) == 3 ? lookup.on_failed(peer) : (void)lookup.on_answer(peer, {});
    while (const PeerRef look = lookup.next_look()) lookup.on_look_failed(look);
  }
  EXPECT_TRUE(lookup.finished());
}

TEST_F(LookupTest, the_same_addresses_again_do_not_revive_a_dead_peer) {
  lookup.seed(all[100]);
  lookup.seed(all[101]);
  ask_all();
  lookup.on_answer(all[100], {near(0)});
  ask_all();
  lookup.on_failed(all[0]);
  lookup.on_answer(all[101], {near(0)});
  EXPECT_EQ(lookup.next(), nullptr);
  look_in_vain();
  EXPECT_TRUE(lookup.finished());
}

TEST_F(LookupTest, a_peer_is_retried_twice_at_most) {
  for (std::size_t n = 100; n < 110; ++n) lookup.seed(all[n]);
  ask_all();
  for (std::size_t n = 100; n < 110; ++n) {
    lookup.on_answer(all[n], {near(0, 1000 + n)});
    for (const PeerRef& peer : ask_all()) lookup.on_failed(peer, lookup.heard(peer)->attempt);
  }
  EXPECT_EQ(lookup.failed(), 1u + kRetriesMax);
}

TEST_F(LookupTest, starves_when_whoever_it_began_with_is_late_or_dead) {
  EXPECT_TRUE(lookup.starved());
  lookup.seed(all[0]);
  lookup.seed(all[1]);
  EXPECT_FALSE(lookup.starved()) << "they are to be asked";
  ask_all();
  lookup.on_failed(all[0]);
  EXPECT_FALSE(lookup.starved()) << "one is asked and may answer";
  lookup.on_late(all[1]);
  EXPECT_TRUE(lookup.starved());
  EXPECT_FALSE(lookup.seed(all[1])) << "no news";
  EXPECT_TRUE(lookup.seed(all[50]));
  EXPECT_FALSE(lookup.starved());
  ask_all();
  lookup.on_answer(all[50], range(2, 2 + kReplication));
  EXPECT_FALSE(lookup.starved());
  for (std::size_t n = 0; n < 3; ++n)
    for (const PeerRef& peer : ask_all()) lookup.on_answer(peer, {});
  EXPECT_FALSE(lookup.starved()) << "k have answered";
  EXPECT_TRUE(lookup.closest()[0].peer == all[2]);
}

// What a source named that is distrusted is asked all the same when we know it ourselves.
TEST_F(LookupTest, our_own_knowledge_does_not_depend_on_a_source) {
  lookup.seed(all[300]);
  ask_all();
  lookup.on_answer(all[300], range(0, 40));
  for (const PeerRef& peer : ask_all()) lookup.on_failed(peer);
  EXPECT_TRUE(ask_all().empty());
  EXPECT_TRUE(lookup.starved());
  EXPECT_FALSE(lookup.seed(all[30])) << "it was heard of";
  const std::vector<PeerRef> asked = ask_all();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_TRUE(asked[0] == all[30]);
  lookup.on_answer(all[30], {});
  EXPECT_FALSE(ask_all().empty()) << "its source named one that lives, and is trusted again";
}

TEST_F(LookupTest, a_source_of_only_dead_peers_is_distrusted) {
  lookup.seed(all[300]);
  lookup.seed(all[301]);
  ask_all();
  lookup.on_answer(all[300], range(0, 20));     // rubbish, all of it
  lookup.on_answer(all[301], range(100, 110));  // honest
  std::size_t wasted = 0;
  while (!lookup.finished()) {
    for (const PeerRef& peer : ask_all()) {
      if (rank(peer) < 20) {
        lookup.on_failed(peer);
        ++wasted;
      } else {
        lookup.on_answer(peer, {});
      }
    }
    look_in_vain();
  }
  EXPECT_LE(wasted, kParallelism) << "what was asked at once before the first failure";
  EXPECT_EQ(lookup.closest().size(), 12u);
}

TEST_F(LookupTest, a_source_is_trusted_again_when_one_that_it_named_answers_late) {
  lookup.seed(all[300]);
  lookup.seed(all[301]);
  ask_all();
  lookup.on_answer(all[300], range(0, 30));  // the slow and the dead ones are met first
  lookup.on_answer(all[301], range(100, 105));
  const std::vector<PeerRef> slow = ask_all();
  for (const PeerRef& peer : slow) lookup.on_late(peer);
  for (const PeerRef& peer : slow) lookup.on_overdue(peer);
  for (const PeerRef& peer : ask_all()) {
    EXPECT_GE(rank(peer), 100u) << "what it alone named is not asked";
    lookup.on_answer(peer, {});
  }
  lookup.on_answer(slow.back(), {});
  std::size_t asked = 0;
  while (!lookup.finished()) {
    for (const PeerRef& peer : ask_all()) {
      lookup.on_answer(peer, {});
      if (rank(peer) < 30) ++asked;
    }
    look_in_vain();
  }
  EXPECT_GE(asked, 15u) << "the rest of what it named is asked after all";
}

TEST_F(LookupTest, naming_peers_that_have_answered_already_speaks_for_a_source) {
  for (const std::size_t n : {0u, 1u, 300u}) lookup.seed(all[n]);
  ask_all();
  lookup.on_answer(all[0], {});
  lookup.on_answer(all[1], {});
  lookup.on_answer(all[300], range(1, 30));  // one that answered, and then many dead ones
  for (const PeerRef& peer : ask_all()) lookup.on_failed(peer);
  EXPECT_EQ(ask_all().size(), kParallelism) << "the rest of what it named is asked nevertheless";
}

TEST_F(LookupTest, what_an_honest_source_also_named_survives_distrust) {
  lookup.seed(all[300]);
  lookup.seed(all[301]);
  ask_all();
  lookup.on_answer(all[301], {near(15)});
  lookup.on_answer(all[300], range(0, 20));
  for (const PeerRef& peer : ask_all())
    if (rank(peer) != 15) lookup.on_failed(peer);
  const HeardPeer* heard = lookup.heard(all[15]);
  ASSERT_NE(heard, nullptr);
  std::vector<PeerRef> asked = ask_all();
  for (const PeerRef& peer : asked) EXPECT_EQ(rank(peer), 15u);
}

TEST_F(LookupTest, endless_new_peers_end_at_the_limit_of_asks) {
  std::uint64_t number = 10'000;
  lookup.seed(all[0]);
  std::size_t asked = 0;
  while (!lookup.finished()) {
    const std::vector<PeerRef> now = ask_all();
    ASSERT_FALSE(now.empty());
    for (const PeerRef& peer : now) {
      ++asked;
      std::vector<HeardPeer> invented;
      // Every answer names peers that are nearer than all before.
      while (invented.size() < 20) {
        const PeerRef made = book.intern(peer_id(++number));
        if (common_prefix(made.key(), target) >= 3) invented.push_back({made, {}});
      }
      lookup.on_answer(peer, std::move(invented));
    }
  }
  EXPECT_LE(asked, kAsksMax);
}

TEST_F(LookupTest, keeps_a_bounded_number_of_addresses) {
  lookup.seed(all[300]);
  lookup.seed(all[301]);
  ask_all();
  for (std::size_t source = 300; source < 302; ++source) {
    std::vector<Multiaddr> many;
    for (std::uint64_t i = 0; i < 20; ++i) many.push_back(Multiaddr::of_memory(source * 100 + i));
    lookup.on_answer(all[source], {{all[0], many}});
  }
  EXPECT_EQ(lookup.heard(all[0])->addrs.size(), 2 * kAddrsPerSource)
      << "one source cannot use up the room of the next";
}

}  // namespace
}  // namespace kith::dht
