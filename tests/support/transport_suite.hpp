// The rules of net/host/transport.hpp as tests, for every implementation.
//
//   struct MyPair {                    // two machines that reach each other
//     Transport& a(); Transport& b();
//     bool run_until(std::function<bool()>, Duration within);
//     Multiaddr listen_on();           // for b, with port 0
//     Multiaddr nobody_listens();      // of the machine of b
//     static bool available();         // optional: false skips
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(MyName, TransportSuite, MyPair);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <numeric>
#include <string>

#include "net/base/loop.hpp"
#include "net/host/transport.hpp"

namespace kith::test {

// Remembers what came, and checks the order that every pipe must keep.
class RecordingSink final : public host::TransportSink {
 public:
  struct Pipe {
    bool accepted = false, dialed = false, dial_failed = false, ended = false, closed = false;
    Multiaddr local, remote;
    std::string received;
    std::size_t reads = 0, writables = 0, read_max = 0;
    Error why;
  };
  std::map<host::PipeSlot, Pipe> pipes;
  std::vector<host::PipeSlot> accepted;
  std::function<void(host::PipeSlot)> after_data, after_accept, after_end, after_writable;
  bool inside_call = false;  // set by tests around calls to the transport
  std::uint64_t bytes = 0;   // received in all
  bool keep = true;          // remember what was received

  void on_accept(Now, host::PipeSlot slot, const Multiaddr& local,
                 const Multiaddr& remote) override {
    Pipe& pipe = fresh(slot);
    pipe.accepted = true;
    pipe.local = local;
    pipe.remote = remote;
    accepted.push_back(slot);
    if (after_accept) after_accept(slot);
  }
  void on_dialed(Now, host::PipeSlot slot, const Multiaddr& local,
                 const Multiaddr& remote) override {
    Pipe& pipe = fresh(slot);
    pipe.dialed = true;
    pipe.local = local;
    pipe.remote = remote;
  }
  void on_dial_failed(Now, host::PipeSlot slot, Error why) override {
    Pipe& pipe = fresh(slot);
    pipe.dial_failed = true;
    pipe.why = std::move(why);
  }
  void on_data(Now, host::PipeSlot slot, Bytes data) override {
    Pipe& pipe = open(slot);
    EXPECT_FALSE(data.empty());
    EXPECT_FALSE(pipe.ended) << "data after the end";
    ++pipe.reads;
    bytes += data.size();
    pipe.read_max = std::max(pipe.read_max, data.size());
    if (keep) pipe.received += data.text();
    if (after_data) after_data(slot);
  }
  void on_writable(Now, host::PipeSlot slot) override {
    ++open(slot).writables;
    if (after_writable) after_writable(slot);
  }
  void on_end(Now, host::PipeSlot slot) override {
    Pipe& pipe = open(slot);
    EXPECT_FALSE(pipe.ended) << "two ends";
    pipe.ended = true;
    if (after_end) after_end(slot);
  }
  void on_closed(Now, host::PipeSlot slot, Error why) override {
    Pipe& pipe = open(slot);
    pipe.closed = true;
    pipe.why = std::move(why);
  }

 private:
  Pipe& fresh(host::PipeSlot slot) {
    EXPECT_FALSE(inside_call) << "an event from inside a call";
    Pipe& pipe = pipes[slot];
    EXPECT_FALSE(pipe.accepted || pipe.dialed || pipe.dial_failed) << "a slot began twice";
    return pipe;
  }
  Pipe& open(host::PipeSlot slot) {
    EXPECT_FALSE(inside_call) << "an event from inside a call";
    Pipe& pipe = pipes[slot];
    EXPECT_TRUE(pipe.accepted || pipe.dialed) << "an event before the pipe began";
    EXPECT_FALSE(pipe.closed) << "an event after on_closed";
    return pipe;
  }
};

inline std::string pattern(std::size_t size, unsigned seed = 1) {
  std::string text(size, '\0');
  std::uint32_t state = seed * 2654435761u + 1;
  for (char& c : text) {
    state = state * 1664525u + 1013904223u;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

template <class Pair>
class TransportSuite : public ::testing::Test {
 protected:
  void SetUp() override {
    if constexpr (requires { Pair::available(); })
      if (!Pair::available()) GTEST_SKIP() << "not on this machine";
    a().set_sink(sink_a);
    b().set_sink(sink_b);
    auto bound = b().listen(pair.listen_on());
    ASSERT_TRUE(bound) << bound.error().what;
    bound_ = *bound;
  }
  host::Transport& a() { return pair.a(); }
  host::Transport& b() { return pair.b(); }
  Multiaddr reachable() { return b().listen_addrs().at(0); }

  // Dials b from a; both ends in `near` and `far`.
  void connect() {
    near = a().dial(reachable());
    const std::size_t before = sink_b.accepted.size();
    ASSERT_TRUE(pair.run_until(
        [&] { return sink_a.pipes[near].dialed && sink_b.accepted.size() > before; }, 5s));
    far = sink_b.accepted.back();
  }
  bool runs_until(const std::function<bool()>& reached, Duration within = 5s) {
    return pair.run_until(reached, within);
  }
  void let_pass(Duration time) {
    pair.run_until([] { return false; }, time);
  }

  Pair pair;
  RecordingSink sink_a, sink_b;
  Multiaddr bound_;
  host::PipeSlot near, far;
};

TYPED_TEST_SUITE_P(TransportSuite);

TYPED_TEST_P(TransportSuite, dial_reaches_the_listener_and_both_know_the_addresses) {
  this->connect();
  EXPECT_EQ(this->sink_a.pipes[this->near].remote, this->reachable());
  EXPECT_EQ(this->sink_b.pipes[this->far].local, this->reachable());
  EXPECT_EQ(this->sink_a.pipes[this->near].local, this->sink_b.pipes[this->far].remote);
}

TYPED_TEST_P(TransportSuite, listener_on_port_0_answers_with_the_port_that_it_got) {
  const auto port = this->bound_.find(proto::tcp);
  ASSERT_TRUE(port);
  EXPECT_NE(port->value[0] << 8 | port->value[1], 0);
}

TYPED_TEST_P(TransportSuite, bytes_arrive_whole_and_in_order_both_ways) {
  this->connect();
  const std::string there = pattern(300'000, 1);
  const std::string back = pattern(3'000'000, 2);
  this->a().write(this->near, Bytes::copy(there));
  for (std::size_t at = 0; at < back.size(); at += 77'777)
    this->b().write(this->far, Bytes::copy(back.substr(at, 77'777)));
  ASSERT_TRUE(this->runs_until([&] {
    return this->sink_b.pipes[this->far].received.size() == there.size() &&
           this->sink_a.pipes[this->near].received.size() == back.size();
  }));
  EXPECT_EQ(this->sink_b.pipes[this->far].received, there);
  EXPECT_EQ(this->sink_a.pipes[this->near].received, back);
  EXPECT_LE(this->sink_a.pipes[this->near].read_max, host::kPipeReadMax);
}

TYPED_TEST_P(TransportSuite, dial_that_nobody_takes_fails_by_event_once) {
  this->sink_a.inside_call = true;
  const auto pipe = this->a().dial(this->pair.nobody_listens());
  this->sink_a.inside_call = false;
  ASSERT_TRUE(this->runs_until([&] { return this->sink_a.pipes[pipe].dial_failed; }));
  EXPECT_EQ(this->sink_a.pipes[pipe].why.code, Errc::connection);
  EXPECT_NE(this->sink_a.pipes[pipe].why.what.find("refused"), std::string::npos);
}

TYPED_TEST_P(TransportSuite, address_of_another_kind_fails_by_event) {
  const Multiaddr udp = *Multiaddr::parse("/ip4/127.0.0.1/udp/4001");
  EXPECT_FALSE(this->a().can_dial(udp));
  this->sink_a.inside_call = true;
  const auto pipe = this->a().dial(udp);
  this->sink_a.inside_call = false;
  ASSERT_TRUE(this->runs_until([&] { return this->sink_a.pipes[pipe].dial_failed; }));
  EXPECT_EQ(this->sink_a.pipes[pipe].why.code, Errc::unsupported);
}

TYPED_TEST_P(TransportSuite, aborted_dial_fails_once_and_stays_dead) {
  const auto pipe = this->a().dial(this->reachable());
  this->sink_a.inside_call = true;
  this->a().abort(pipe);
  this->sink_a.inside_call = false;
  ASSERT_TRUE(this->runs_until([&] { return this->sink_a.pipes[pipe].dial_failed; }));
  this->let_pass(300ms);
  EXPECT_EQ(this->sink_a.pipes.size(), 1u);
  for (const auto& [slot, accepted] : this->sink_b.pipes) EXPECT_TRUE(accepted.closed);
}

TYPED_TEST_P(TransportSuite, what_was_written_before_the_dial_succeeded_is_sent) {
  const auto pipe = this->a().dial(this->reachable());
  this->a().write(pipe, Bytes::copy("early"));
  EXPECT_EQ(this->a().backlog(pipe), 5u);
  ASSERT_TRUE(this->runs_until([&] {
    return !this->sink_b.accepted.empty() &&
           this->sink_b.pipes[this->sink_b.accepted[0]].received == "early";
  }));
}

TYPED_TEST_P(TransportSuite, close_sends_everything_and_ends_when_both_sides_did) {
  this->connect();
  const std::string last = pattern(2'000'000);
  this->a().write(this->near, Bytes::copy(last));
  this->a().close(this->near);
  this->a().write(this->near, Bytes::copy("too late"));
  ASSERT_TRUE(this->runs_until([&] { return this->sink_b.pipes[this->far].ended; }));
  EXPECT_EQ(this->sink_b.pipes[this->far].received, last);
  EXPECT_FALSE(this->sink_a.pipes[this->near].closed);
  // The other direction still works.
  this->b().write(this->far, Bytes::copy("answer"));
  this->b().close(this->far);
  ASSERT_TRUE(this->runs_until([&] {
    return this->sink_a.pipes[this->near].closed && this->sink_b.pipes[this->far].closed;
  }));
  EXPECT_EQ(this->sink_a.pipes[this->near].received, "answer");
  EXPECT_TRUE(this->sink_a.pipes[this->near].ended);
  EXPECT_EQ(this->sink_a.pipes[this->near].why.code, Errc::closed);
  EXPECT_EQ(this->sink_b.pipes[this->far].why.code, Errc::closed);
}

TYPED_TEST_P(TransportSuite,
             closed_pipe_is_gone_after_the_linger_when_the_other_side_does_not_end) {
  this->connect();
  this->a().close(this->near);
  ASSERT_TRUE(this->runs_until([&] { return this->sink_b.pipes[this->far].ended; }));
  this->let_pass(host::kPipeLingerMax - 1s);
  EXPECT_FALSE(this->sink_a.pipes[this->near].closed);
  ASSERT_TRUE(this->runs_until([&] { return this->sink_a.pipes[this->near].closed; }, 2s));
  EXPECT_EQ(this->sink_a.pipes[this->near].why.code, Errc::timeout);
}

TYPED_TEST_P(TransportSuite, abort_closes_at_once_and_resets_the_other_side) {
  this->connect();
  this->sink_a.inside_call = true;
  this->a().abort(this->near);
  this->sink_a.inside_call = false;
  ASSERT_TRUE(this->runs_until([&] {
    return this->sink_a.pipes[this->near].closed && this->sink_b.pipes[this->far].closed;
  }));
  EXPECT_EQ(this->sink_a.pipes[this->near].why.code, Errc::cancelled);
  EXPECT_EQ(this->sink_b.pipes[this->far].why.code, Errc::connection);
  EXPECT_FALSE(this->sink_b.pipes[this->far].ended) << "a reset is not an end";
  // A dead slot is ignored.
  this->a().write(this->near, Bytes::copy("x"));
  this->a().close(this->near);
  this->a().abort(this->near);
  this->a().read_paused(this->near, true);
  EXPECT_EQ(this->a().backlog(this->near), 0u);
  this->let_pass(50ms);
}

TYPED_TEST_P(TransportSuite, paused_pipe_delivers_nothing_and_goes_on_where_it_stopped) {
  this->connect();
  this->b().read_paused(this->far, true);
  this->a().write(this->near, Bytes::copy("held"));
  this->let_pass(200ms);
  EXPECT_EQ(this->sink_b.pipes[this->far].received, "");
  this->sink_b.inside_call = true;
  this->b().read_paused(this->far, false);
  this->sink_b.inside_call = false;
  ASSERT_TRUE(this->runs_until([&] { return this->sink_b.pipes[this->far].received == "held"; }));
}

TYPED_TEST_P(TransportSuite, pausing_from_within_on_data_takes_effect_at_once) {
  this->connect();
  this->sink_b.after_data = [&](host::PipeSlot slot) { this->b().read_paused(slot, true); };
  this->a().write(this->near, Bytes::copy(pattern(2'000'000)));
  this->let_pass(300ms);
  EXPECT_EQ(this->sink_b.pipes[this->far].reads, 1u);
  this->sink_b.after_data = nullptr;
  this->b().read_paused(this->far, false);
  ASSERT_TRUE(
      this->runs_until([&] { return this->sink_b.pipes[this->far].received.size() == 2'000'000; }));
  EXPECT_EQ(this->sink_b.pipes[this->far].received, pattern(2'000'000));
}

TYPED_TEST_P(TransportSuite, paused_reader_stops_the_senders_backlog_from_draining) {
  this->connect();
  this->b().read_paused(this->far, true);
  const std::size_t size = 32u << 20;  // more than any kernel buffers
  this->a().write(this->near, Bytes::copy(std::string(size, 'x')));
  this->let_pass(1s);
  const std::size_t stuck = this->a().backlog(this->near);
  EXPECT_GT(stuck, host::kPipeBacklogLow);
  this->let_pass(200ms);
  EXPECT_EQ(this->a().backlog(this->near), stuck);
  EXPECT_EQ(this->sink_a.pipes[this->near].writables, 0u);
  this->b().read_paused(this->far, false);
  ASSERT_TRUE(
      this->runs_until([&] { return this->sink_b.pipes[this->far].received.size() == size; }, 20s));
  EXPECT_EQ(this->a().backlog(this->near), 0u);
  EXPECT_EQ(this->sink_a.pipes[this->near].writables, 1u);
}

TYPED_TEST_P(TransportSuite, on_writable_comes_only_after_the_backlog_was_above_the_low_mark) {
  this->connect();
  this->a().write(this->near, Bytes::copy(std::string(host::kPipeBacklogLow, 'x')));
  ASSERT_TRUE(this->runs_until(
      [&] { return this->sink_b.pipes[this->far].received.size() == host::kPipeBacklogLow; }));
  this->let_pass(50ms);
  EXPECT_EQ(this->sink_a.pipes[this->near].writables, 0u);
  this->a().write(this->near, Bytes::copy(std::string(host::kPipeBacklogLow + 1, 'x')));
  ASSERT_TRUE(this->runs_until([&] { return this->sink_a.pipes[this->near].writables == 1; }));
}

TYPED_TEST_P(TransportSuite, writer_that_refills_on_writable_gets_everything_across) {
  this->connect();
  this->sink_b.keep = false;
  std::size_t left = 64;
  const auto refill = [&] {
    for (; left > 0 && this->a().backlog(this->near) <= host::kPipeBacklogLow; --left)
      this->a().write(this->near, Bytes::copy(std::string(256u << 10, 'y')));
  };
  this->sink_a.after_writable = [&](host::PipeSlot) { refill(); };
  refill();
  ASSERT_TRUE(this->runs_until([&] { return this->sink_b.bytes == 64u * (256u << 10); }, 30s));
}

TYPED_TEST_P(TransportSuite, paused_door_keeps_dials_waiting_and_lets_them_in_later) {
  this->b().accept_paused(true);
  const auto pipe = this->a().dial(this->reachable());
  this->a().write(pipe, Bytes::copy("knock"));
  this->let_pass(300ms);
  EXPECT_TRUE(this->sink_b.accepted.empty());
  EXPECT_FALSE(this->sink_a.pipes[pipe].dial_failed);
  this->sink_b.inside_call = true;
  this->b().accept_paused(false);
  this->sink_b.inside_call = false;
  ASSERT_TRUE(this->runs_until([&] {
    return !this->sink_b.accepted.empty() &&
           this->sink_b.pipes[this->sink_b.accepted[0]].received == "knock";
  }));
}

TYPED_TEST_P(TransportSuite, door_closed_from_within_on_accept_lets_nobody_else_in) {
  this->sink_b.after_accept = [&](host::PipeSlot) { this->b().accept_paused(true); };
  for (int i = 0; i < 3; ++i) this->a().dial(this->reachable());
  this->let_pass(500ms);
  EXPECT_EQ(this->sink_b.accepted.size(), 1u);
}

TYPED_TEST_P(TransportSuite, pipes_may_be_aborted_from_within_their_own_events) {
  this->sink_b.after_accept = [&](host::PipeSlot slot) { this->b().abort(slot); };
  const auto pipe = this->a().dial(this->reachable());
  ASSERT_TRUE(this->runs_until(
      [&] { return this->sink_a.pipes[pipe].closed || this->sink_a.pipes[pipe].dial_failed; }));
  this->sink_b.after_accept = nullptr;
  this->connect();
  this->sink_b.after_data = [&](host::PipeSlot slot) { this->b().abort(slot); };
  this->a().write(this->near, Bytes::copy("die"));
  ASSERT_TRUE(this->runs_until([&] { return this->sink_a.pipes[this->near].closed; }));
  EXPECT_TRUE(this->sink_b.pipes[this->far].closed);
  this->sink_b.after_data = nullptr;
  this->connect();
  this->sink_b.after_end = [&](host::PipeSlot slot) { this->b().abort(slot); };
  this->a().close(this->near);
  ASSERT_TRUE(this->runs_until([&] { return this->sink_b.pipes[this->far].closed; }));
}

TYPED_TEST_P(TransportSuite, slot_of_a_dead_pipe_does_not_find_its_successor) {
  this->connect();
  const auto old = this->near;
  this->a().abort(old);
  ASSERT_TRUE(this->runs_until([&] { return this->sink_a.pipes[old].closed; }));
  this->connect();
  EXPECT_NE(old, this->near);
  this->a().abort(old);
  this->a().write(this->near, Bytes::copy("alive"));
  ASSERT_TRUE(this->runs_until([&] { return this->sink_b.pipes[this->far].received == "alive"; }));
}

TYPED_TEST_P(TransportSuite, hundred_pipes_at_once_keep_their_bytes_apart) {
  std::vector<host::PipeSlot> dialed;
  for (unsigned i = 0; i < 100; ++i) {
    dialed.push_back(this->a().dial(this->reachable()));
    this->a().write(dialed.back(), Bytes::copy(pattern(1000 + i, i)));
    this->a().close(dialed.back());
  }
  this->sink_b.after_end = [&](host::PipeSlot slot) {
    this->b().write(slot, Bytes::copy(this->sink_b.pipes[slot].received));
    this->b().close(slot);
  };
  ASSERT_TRUE(this->runs_until(
      [&] {
        return std::all_of(dialed.begin(), dialed.end(),
                           [&](auto slot) { return this->sink_a.pipes[slot].closed; });
      },
      10s));
  for (unsigned i = 0; i < 100; ++i)
    EXPECT_EQ(this->sink_a.pipes[dialed[i]].received, pattern(1000 + i, i));
}

REGISTER_TYPED_TEST_SUITE_P(
    TransportSuite, dial_reaches_the_listener_and_both_know_the_addresses,
    listener_on_port_0_answers_with_the_port_that_it_got, bytes_arrive_whole_and_in_order_both_ways,
    dial_that_nobody_takes_fails_by_event_once, address_of_another_kind_fails_by_event,
    aborted_dial_fails_once_and_stays_dead, what_was_written_before_the_dial_succeeded_is_sent,
    close_sends_everything_and_ends_when_both_sides_did,
    closed_pipe_is_gone_after_the_linger_when_the_other_side_does_not_end,
    abort_closes_at_once_and_resets_the_other_side,
    paused_pipe_delivers_nothing_and_goes_on_where_it_stopped,
    pausing_from_within_on_data_takes_effect_at_once,
    paused_reader_stops_the_senders_backlog_from_draining,
    on_writable_comes_only_after_the_backlog_was_above_the_low_mark,
    writer_that_refills_on_writable_gets_everything_across,
    paused_door_keeps_dials_waiting_and_lets_them_in_later,
    door_closed_from_within_on_accept_lets_nobody_else_in,
    pipes_may_be_aborted_from_within_their_own_events,
    slot_of_a_dead_pipe_does_not_find_its_successor, hundred_pipes_at_once_keep_their_bytes_apart);

}  // namespace kith::test
