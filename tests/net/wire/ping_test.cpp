#include "net/wire/ping.hpp"

#include <gtest/gtest.h>

namespace kith::wire {
namespace {

Now at(Duration since_start) { return Now{Mono{} + 1h + since_start, Wall{}}; }

template <class Effect>
const Effect* single(const PingEffects& effects) {
  return effects.size() == 1 ? std::get_if<Effect>(&effects[0]) : nullptr;
}

Bytes start(PingDialler& dialler, Duration when = 0s) {
  PingEffects effects;
  dialler.ping(at(when), effects);
  const auto* send = single<PingSend>(effects);
  return send == nullptr ? Bytes() : send->data;
}

TEST(Ping, round_trip_is_measured_from_ping_to_the_last_byte_of_its_echo) {
  PingDialler dialler{Rng(1)};
  PingEcho echo(at(0s));
  const Bytes sent = start(dialler);
  ASSERT_EQ(sent.size(), kPingBytes);
  PingEffects effects;
  echo.on_data(at(10ms), sent, 0, effects);
  const auto* back = single<PingSend>(effects);
  ASSERT_NE(back, nullptr);
  EXPECT_EQ(back->data, sent);
  const Bytes answer = back->data;
  effects.clear();
  dialler.on_data(at(20ms), answer.slice(0, 31), effects);
  EXPECT_TRUE(effects.empty());
  dialler.on_data(at(25ms), answer.slice(31), effects);
  const auto* answered = single<PingAnswered>(effects);
  ASSERT_NE(answered, nullptr);
  EXPECT_EQ(answered->round_trip, 25ms);
}

TEST(Ping, rounds_loop_on_one_stream_with_new_bytes_each) {
  PingDialler dialler{Rng(1)};
  PingEffects effects;
  const Bytes first = start(dialler);
  EXPECT_TRUE(start(dialler).empty()) << "one round at a time";
  dialler.on_data(at(0s), first, effects);
  const Bytes second = start(dialler, 1s);
  ASSERT_EQ(second.size(), kPingBytes);
  EXPECT_NE(first, second);
}

TEST(Ping, echo_that_differs_in_one_bit_fails) {
  for (std::size_t i = 0; i < kPingBytes; ++i) {
    PingDialler dialler{Rng(1)};
    auto answer = start(dialler).to_vector();
    answer[i] ^= 0x80;
    PingEffects effects;
    dialler.on_data(at(0s), answer, effects);
    const auto* failed = single<PingFailed>(effects);
    ASSERT_NE(failed, nullptr);
    EXPECT_EQ(failed->code, Errc::malformed);
  }
}

TEST(Ping, echo_that_is_too_long_or_was_not_asked_for_fails) {
  PingDialler longer{Rng(1)};
  auto answer = start(longer).to_vector();
  answer.push_back(0);
  PingEffects effects;
  longer.on_data(at(0s), answer, effects);
  EXPECT_NE(single<PingFailed>(effects), nullptr);
  PingDialler idle{Rng(1)};
  effects.clear();
  idle.on_data(at(0s), answer, effects);
  EXPECT_NE(single<PingFailed>(effects), nullptr);
  effects.clear();
  idle.on_data(at(0s), answer, effects);
  EXPECT_TRUE(effects.empty()) << "it fails once";
}

TEST(Ping, round_without_an_answer_fails_at_its_deadline) {
  PingDialler dialler{Rng(1)};
  EXPECT_EQ(dialler.next_deadline(), kNever);
  start(dialler);
  EXPECT_EQ(dialler.next_deadline(), at(kPingDeadline).mono);
  PingEffects effects;
  dialler.on_tick(at(kPingDeadline - 1ns), effects);
  EXPECT_TRUE(effects.empty());
  dialler.on_tick(at(kPingDeadline), effects);
  const auto* failed = single<PingFailed>(effects);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->code, Errc::timeout);
}

TEST(Ping, dialler_closes_between_rounds_and_fails_if_the_peer_ends_first) {
  PingDialler dialler{Rng(1)};
  PingEffects effects;
  dialler.close(effects);
  EXPECT_NE(single<PingClose>(effects), nullptr);
  effects.clear();
  dialler.on_end(effects);
  EXPECT_TRUE(effects.empty());
  PingDialler other{Rng(1)};
  other.on_end(effects);
  EXPECT_NE(single<PingFailed>(effects), nullptr);
}

TEST(Ping, echo_answers_whole_rounds_in_any_cut) {
  std::vector<std::uint8_t> input(kPingBytes * 4);
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<std::uint8_t>(i);
  for (std::size_t cut = 1; cut <= input.size(); ++cut) {
    PingEcho echo(at(0s));
    std::vector<std::uint8_t> answered;
    for (std::size_t from = 0; from < input.size(); from += cut) {
      PingEffects effects;
      echo.on_data(at(0s), ByteView(input).subspan(from, std::min(cut, input.size() - from)), 0,
                   effects);
      for (const PingEffect& effect : effects) {
        const Bytes& data = std::get<PingSend>(effect).data;
        EXPECT_EQ(data.size() % kPingBytes, 0u);
        answered.insert(answered.end(), data.begin(), data.end());
      }
    }
    EXPECT_EQ(answered, input) << "cut " << cut;
  }
}

TEST(Ping, echo_ends_when_the_other_side_did_and_fails_inside_a_round) {
  PingEcho echo(at(0s));
  PingEffects effects;
  echo.on_end(effects);
  EXPECT_NE(single<PingClose>(effects), nullptr);
  PingEcho cut(at(0s));
  effects.clear();
  cut.on_data(at(0s), std::vector<std::uint8_t>(31), 0, effects);
  cut.on_end(effects);
  const auto* failed = single<PingFailed>(effects);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->code, Errc::truncated);
}

TEST(Ping, peer_that_sends_without_reading_is_cut_off) {
  PingEcho echo(at(0s));
  PingEffects effects;
  const std::vector<std::uint8_t> round(kPingBytes);
  echo.on_data(at(0s), round, kPingEchoQueueMax - kPingBytes, effects);
  EXPECT_NE(single<PingSend>(effects), nullptr);
  effects.clear();
  echo.on_data(at(0s), round, kPingEchoQueueMax, effects);
  const auto* failed = single<PingFailed>(effects);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->code, Errc::exhausted);
}

TEST(Ping, silent_inbound_stream_is_not_kept) {
  PingEcho echo(at(0s));
  PingEffects effects;
  echo.on_data(at(30s), std::vector<std::uint8_t>(kPingBytes), 0, effects);
  effects.clear();
  EXPECT_EQ(echo.next_deadline(), at(30s + kPingIdleMax).mono);
  echo.on_tick(at(30s + kPingIdleMax), effects);
  EXPECT_NE(single<PingFailed>(effects), nullptr);
}

}  // namespace
}  // namespace kith::wire
