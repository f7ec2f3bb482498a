#include "dht/value_poll.hpp"

#include <gtest/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

class ValuePollTest : public ::testing::Test {
 protected:
  ValuePollTest() { validators.add("n", greater); }
  PeerRef peer(std::uint64_t number) { return book.intern(test::peer_id(number)); }
  bool says(std::uint64_t who, std::string_view value, std::string_view key = "/n/x") {
    return poll.on_value(test::kStart, peer(who), as_bytes(key), as_bytes(value));
  }
  std::vector<PeerRef> stale(std::vector<std::uint64_t> closest) {
    std::vector<HeardPeer> near;
    for (const std::uint64_t number : closest) near.push_back({peer(number), {}});
    std::vector<PeerRef> found;
    for (const HeardPeer& one : poll.stale(near)) found.push_back(one.peer);
    return found;
  }

  test::GreaterWins greater;
  Validators validators;
  PeerBook book{Rng(1)};
  ValuePoll poll{validators, Bytes::copy("/n/x"), 3};
};

TEST_F(ValuePollTest, settles_with_the_quorum_of_valid_values) {
  EXPECT_TRUE(says(1, "v1"));
  EXPECT_TRUE(says(2, "v1"));
  EXPECT_FALSE(poll.settled());
  EXPECT_TRUE(says(3, "v0"));
  EXPECT_TRUE(poll.settled());
}

TEST_F(ValuePollTest, keeps_the_best_whatever_the_order) {
  says(1, "v2");
  says(2, "v3");
  says(3, "v1");
  EXPECT_EQ(poll.best().text(), "v3");
}

TEST_F(ValuePollTest, records_of_another_key_or_invalid_ones_do_not_count) {
  EXPECT_FALSE(says(1, "v9", "/n/y"));
  EXPECT_FALSE(says(2, "rubbish"));
  EXPECT_FALSE(says(3, "v9", ""));
  EXPECT_FALSE(poll.found());
}

TEST_F(ValuePollTest, corrects_holders_of_worse_values_and_near_peers_without_one) {
  says(1, "v1");
  says(2, "v2");
  says(3, "v1");
  poll.on_nothing(peer(4));
  poll.on_nothing(peer(5));
  says(6, "rubbish");
  EXPECT_EQ(stale({4, 2, 6}), (std::vector<PeerRef>{peer(1), peer(3), peer(4), peer(6)}));
}

TEST_F(ValuePollTest, our_own_record_counts_and_is_not_told_to_anybody) {
  poll.on_value(test::kStart, {}, as_bytes("/n/x"), as_bytes("v1"));
  says(2, "v2");
  EXPECT_EQ(poll.best().text(), "v2");
  EXPECT_TRUE(stale({2}).empty());
}

TEST_F(ValuePollTest, a_quorum_of_zero_means_one) {
  ValuePoll one(validators, Bytes::copy("/n/x"), 0);
  EXPECT_FALSE(one.settled());
}

}  // namespace
}  // namespace kith::dht
