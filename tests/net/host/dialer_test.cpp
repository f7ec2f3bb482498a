#include "net/host/dialer.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "net/crypto/identity.hpp"

namespace kith::host {
namespace {

Now at(Duration time) { return {Mono(time), {}}; }
Multiaddr v4(int number) {
  return Multiaddr::parse("/ip4/10.0.0." + std::to_string(number) + "/tcp/1").value();
}
Multiaddr v6(int number) {
  return Multiaddr::parse("/ip6/2001:db8::" + std::to_string(number) + "/tcp/1").value();
}
PeerId peer(std::uint64_t seed) {
  Rng rng(seed);
  return crypto::Identity::make(rng).id();
}
ConnectRequest request(std::uint64_t id) { return {0, {id}}; }

struct Seen {
  std::vector<DialStart> starts;
  std::vector<AttemptSlot> aborts;
  std::vector<DialAnswer> answers;
};
Seen sort(DialEffects& effects) {
  Seen seen;
  for (auto& effect : effects) {
    if (auto* start = std::get_if<DialStart>(&effect)) seen.starts.push_back(*start);
    if (auto* abort = std::get_if<DialAbort>(&effect)) seen.aborts.push_back(abort->attempt);
    if (auto* answer = std::get_if<DialAnswer>(&effect)) seen.answers.push_back(*answer);
  }
  effects.clear();
  return seen;
}

class DialerTest : public testing::Test {
 protected:
  Seen connect(Duration now, std::uint64_t id, const PeerId& to, std::vector<Multiaddr> addrs) {
    dialer.connect(at(now), request(id), to, addrs, {}, effects);
    return sort(effects);
  }
  Seen tick(Duration now) {
    dialer.on_tick(at(now), effects);
    return sort(effects);
  }
  Seen failed(Duration now, AttemptSlot attempt, Errc code = Errc::connection) {
    dialer.on_failed(at(now), attempt, fail(code, "no"), effects);
    return sort(effects);
  }
  HostLimits limits;
  Dialer dialer{limits};
  DialEffects effects;
};

TEST_F(DialerTest, families_alternate_starting_with_the_first) {
  const std::vector addrs = {v6(1), v6(2), v4(1), v6(3), v4(2)};
  EXPECT_EQ(alternate_families(addrs), (std::vector{v6(1), v4(1), v6(2), v4(2), v6(3)}));
}

TEST_F(DialerTest, attempts_are_staggered_up_to_four) {
  auto seen = connect(0s, 1, peer(1), {v4(1), v4(2), v4(3), v4(4), v4(5)});
  ASSERT_EQ(seen.starts.size(), 1u);
  EXPECT_EQ(seen.starts[0].addr, v4(1));
  EXPECT_EQ(seen.starts[0].expected, peer(1));
  EXPECT_EQ(dialer.next_deadline(), Mono(250ms));
  EXPECT_TRUE(tick(249ms).starts.empty());
  EXPECT_EQ(tick(250ms).starts.size(), 1u);
  EXPECT_EQ(tick(500ms).starts.size(), 1u);
  EXPECT_EQ(tick(750ms).starts.size(), 1u);
  EXPECT_TRUE(tick(1000ms).starts.empty());
  EXPECT_EQ(dialer.in_flight(), kDialsParallel);
}

TEST_F(DialerTest, a_failure_starts_the_next_at_once) {
  auto seen = connect(0s, 1, peer(1), {v4(1), v4(2)});
  seen = failed(10ms, seen.starts[0].attempt);
  ASSERT_EQ(seen.starts.size(), 1u);
  EXPECT_EQ(seen.starts[0].addr, v4(2));
  EXPECT_TRUE(seen.answers.empty());
}

TEST_F(DialerTest, an_old_attempt_gives_way_when_addresses_wait) {
  auto seen = connect(0s, 1, peer(1), {v4(1), v4(2), v4(3), v4(4), v4(5)});
  const AttemptSlot oldest = seen.starts[0].attempt;
  for (const Duration now : {250ms, 500ms, 750ms}) tick(now);
  EXPECT_EQ(dialer.next_deadline(), Mono(kDialPatience));
  seen = tick(kDialPatience);
  EXPECT_EQ(seen.aborts, std::vector{oldest});
  ASSERT_EQ(seen.starts.size(), 1u);
  EXPECT_EQ(seen.starts[0].addr, v4(5));
  // Nothing waits any more: the others keep their time.
  EXPECT_TRUE(tick(kDialPatience + 1s).aborts.empty());
}

TEST_F(DialerTest, all_that_failed_is_named_and_a_wrong_peer_wins) {
  auto seen = connect(0s, 1, peer(1), {v4(1), v4(2)});
  seen = failed(1ms, seen.starts[0].attempt, Errc::identity);
  seen = failed(2ms, seen.starts[0].attempt);
  ASSERT_EQ(seen.answers.size(), 1u);
  const Error& error = *seen.answers[0].error;
  EXPECT_EQ(error.code, Errc::identity);
  EXPECT_NE(error.why.find(v4(1).text() + ": no"), std::string::npos);
  EXPECT_NE(error.why.find(v4(2).text() + ": no"), std::string::npos);
  EXPECT_EQ(dialer.next_deadline(), kNever);
  EXPECT_EQ(dialer.requests(), 0u);
}

TEST_F(DialerTest, requests_for_a_peer_share_a_job_and_have_their_own_deadlines) {
  auto seen = connect(0s, 1, peer(1), {v4(1)});
  const AttemptSlot attempt = seen.starts[0].attempt;
  EXPECT_TRUE(connect(5s, 2, peer(1), {v4(1)}).starts.empty());
  seen = tick(10s);
  ASSERT_EQ(seen.answers.size(), 1u);
  EXPECT_EQ(seen.answers[0].to.request.value, 1u);
  EXPECT_EQ(seen.answers[0].error->code, Errc::timeout);
  EXPECT_NE(seen.answers[0].error->why.find("no answer yet"), std::string::npos);
  EXPECT_TRUE(seen.aborts.empty());
  seen = tick(15s);
  EXPECT_EQ(seen.answers.size(), 1u);
  EXPECT_EQ(seen.aborts, std::vector{attempt});
  EXPECT_EQ(dialer.in_flight(), 0u);
}

TEST_F(DialerTest, a_secured_attempt_stops_the_others_and_ready_answers_all) {
  auto seen = connect(0s, 1, peer(1), {v4(1), v4(2), v4(3)});
  const AttemptSlot first = seen.starts[0].attempt;
  const AttemptSlot second = tick(250ms).starts[0].attempt;
  dialer.on_secured(at(300ms), second, effects);
  EXPECT_EQ(sort(effects).aborts, std::vector{first});
  EXPECT_TRUE(tick(500ms).starts.empty());
  dialer.on_ready(at(600ms), peer(1), PeerSlot{3, 4}, second, effects);
  seen = sort(effects);
  ASSERT_EQ(seen.answers.size(), 1u);
  EXPECT_EQ(seen.answers[0].peer, (PeerSlot{3, 4}));
  EXPECT_FALSE(seen.answers[0].error);
  EXPECT_TRUE(seen.aborts.empty());
  EXPECT_EQ(dialer.in_flight(), 0u);
}

TEST_F(DialerTest, a_secured_attempt_that_dies_leaves_the_rest_to_be_tried) {
  auto seen = connect(0s, 1, peer(1), {v4(1), v4(2)});
  dialer.on_secured(at(1ms), seen.starts[0].attempt, effects);
  EXPECT_TRUE(tick(1s).starts.empty());
  seen = failed(2s, seen.starts[0].attempt);
  ASSERT_EQ(seen.starts.size(), 1u);
  EXPECT_EQ(seen.starts[0].addr, v4(2));
}

TEST_F(DialerTest, an_inbound_connection_answers_and_aborts) {
  auto seen = connect(0s, 1, peer(1), {v4(1)});
  dialer.on_ready(at(1ms), peer(1), PeerSlot{1, 1}, {}, effects);
  const auto after = sort(effects);
  EXPECT_EQ(after.answers.size(), 1u);
  EXPECT_EQ(after.aborts, std::vector{seen.starts[0].attempt});
}

TEST_F(DialerTest, requests_without_an_id_are_not_joined) {
  EXPECT_EQ(connect(0s, 1, {}, {v4(1)}).starts.size(), 1u);
  EXPECT_EQ(connect(0s, 2, {}, {v4(1)}).starts.size(), 1u);
}

TEST_F(DialerTest, no_address_is_not_found) {
  const auto seen = connect(0s, 1, peer(1), {});
  ASSERT_EQ(seen.answers.size(), 1u);
  EXPECT_EQ(seen.answers[0].error->code, Errc::not_found);
}

TEST_F(DialerTest, limits_of_the_node_hold) {
  limits.dials_in_flight_max = 2;
  limits.connects_max = 3;
  auto first = connect(0s, 1, peer(1), {v4(1)});
  EXPECT_EQ(connect(0s, 2, peer(2), {v4(2)}).starts.size(), 1u);
  EXPECT_TRUE(connect(0s, 3, peer(3), {v4(3)}).starts.empty());
  const auto refused = connect(0s, 4, peer(4), {v4(4)});
  ASSERT_EQ(refused.answers.size(), 1u);
  EXPECT_EQ(refused.answers[0].error->code, Errc::exhausted);
  // The one that waited starts when another ends.
  const auto after = failed(1s, first.starts[0].attempt);
  ASSERT_EQ(after.starts.size(), 1u);
  EXPECT_EQ(after.starts[0].addr, v4(3));
}

// Whatever happens, each request is answered exactly once, by its deadline, and nothing is left.
RC_GTEST_PROP(Dialer, every_request_is_answered_once, ()) {
  HostLimits limits;
  limits.dials_in_flight_max = 6;
  Dialer dialer(limits);
  DialEffects effects;
  std::vector<AttemptSlot> under_way;
  std::map<std::uint64_t, int> answered;
  Duration now = 1s;
  const auto absorb = [&] {
    Seen seen = sort(effects);
    for (const auto& start : seen.starts) under_way.push_back(start.attempt);
    for (const auto attempt : seen.aborts) std::erase(under_way, attempt);
    for (const auto& answer : seen.answers) ++answered[answer.to.request.value];
    RC_ASSERT(dialer.in_flight() <= 6u);
  };
  std::uint64_t requests = 0;
  const auto steps = *rc::gen::inRange(1, 120);
  for (int i = 0; i < steps; ++i) {
    now += std::chrono::milliseconds(*rc::gen::inRange(0, 400));
    const auto what = *rc::gen::inRange(0, 5);
    if (what == 0) {
      std::vector<Multiaddr> addrs;
      const auto count = *rc::gen::inRange(0, 6);
      for (int j = 0; j < count; ++j) addrs.push_back(v4(*rc::gen::inRange(1, 20)));
      const auto who = *rc::gen::inRange<std::uint64_t>(0, 4);
      dialer.connect(at(now), request(++requests), who == 0 ? PeerId() : peer(who), addrs, {},
                     effects);
    } else if (what == 4) {
      dialer.on_tick(at(now), effects);
    } else if (!under_way.empty()) {
      const auto index = *rc::gen::inRange<std::size_t>(0, under_way.size());
      const AttemptSlot attempt = under_way[index];
      if (what == 1) {
        dialer.on_secured(at(now), attempt, effects);
      } else {
        under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(index));
        if (what == 2)
          dialer.on_failed(at(now), attempt, fail(Errc::connection, "x"), effects);
        else
          dialer.on_ready(at(now), peer(*rc::gen::inRange<std::uint64_t>(1, 4)), {}, attempt,
                          effects);
      }
    }
    absorb();
  }
  for (int i = 0; dialer.requests() > 0 && i < 1'000; ++i) {
    RC_ASSERT(dialer.next_deadline() != kNever);
    now = std::max(now, dialer.next_deadline().time_since_epoch());
    dialer.on_tick(at(now), effects);
    absorb();
  }
  RC_ASSERT(answered.size() == requests);
  for (const auto& [id, times] : answered) RC_ASSERT(times == 1);
  RC_ASSERT(dialer.in_flight() == 0u);
  RC_ASSERT(dialer.next_deadline() == kNever);
}

}  // namespace
}  // namespace kith::host
