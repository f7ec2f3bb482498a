// What only sockets have: names, ports that are taken, descriptors that run out, system calls.
#include "net/asio/asio_transport.hpp"

#include <malloc.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "net/asio/port_holder.hpp"
#include "net/asio/socket_address.hpp"
#include "net/asio/socket_error.hpp"
#include "tests/support/transport_suite.hpp"

namespace kith::net {
namespace {

using test::RecordingSink;

Multiaddr addr(const std::string& text) { return *Multiaddr::parse(text); }

std::uint16_t port_of(const Multiaddr& address) {
  const auto part = address.find(proto::tcp);
  return static_cast<std::uint16_t>(part->value[0] << 8 | part->value[1]);
}

class AsioTransportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    transport.set_sink(sink);
    bound = *transport.listen(addr("/ip4/127.0.0.1/tcp/0"));
  }
  // Dials ourselves; both ends in `near` and `far`.
  void connect() {
    const std::size_t before = sink.accepted.size();
    near = transport.dial(bound);
    ASSERT_TRUE(loop.run_until(
        [&] { return sink.pipes[near].dialed && sink.accepted.size() > before; }, 5s));
    far = sink.accepted.back();
  }
  AsioLoop loop;
  AsioTransport transport{loop};
  RecordingSink sink;
  Multiaddr bound;
  host::PipeSlot near, far;
};

TEST_F(AsioTransportTest, writes_of_one_turn_leave_in_one_system_call) {
  connect();
  const auto before = transport.stats();
  std::string expected;
  loop.post([&] {
    for (int i = 0; i < 60; ++i) {
      const std::string part = "part " + std::to_string(i) + ";";
      expected += part;
      transport.write(near, Bytes::copy(part));
    }
  });
  ASSERT_TRUE(loop.run_until(
      [&] { return !expected.empty() && sink.pipes[far].received == expected; }, 5s));
  EXPECT_EQ(transport.stats().write_calls - before.write_calls, 1u);
  EXPECT_EQ(transport.stats().read_calls - before.read_calls, 1u);
}

TEST_F(AsioTransportTest, thousand_small_writes_take_a_call_for_every_64) {
  connect();
  const auto before = transport.stats();
  for (int i = 0; i < 1024; ++i) transport.write(near, Bytes::copy("0123456789"));
  ASSERT_TRUE(loop.run_until([&] { return sink.pipes[far].received.size() == 10240; }, 5s));
  EXPECT_EQ(transport.stats().write_calls - before.write_calls, 1024 / kGatherMax);
}

TEST_F(AsioTransportTest, bulk_is_read_in_large_pieces) {
  connect();
  sink.keep = false;
  const std::size_t size = 64u << 20;
  const auto before = transport.stats();
  for (std::size_t sent = 0; sent < size; sent += 1u << 20)
    transport.write(near, Bytes::copy(std::string(1u << 20, 'b')));
  ASSERT_TRUE(loop.run_until([&] { return sink.bytes == size; }, 30s));
  EXPECT_LE(transport.stats().read_calls - before.read_calls, 2 * size / host::kPipeReadMax + 16);
  EXPECT_EQ(sink.pipes[far].read_max, host::kPipeReadMax);
}

TEST_F(AsioTransportTest, idle_connection_holds_no_buffer) {
  connect();  // whatever the first one makes for all
  const std::size_t before = mallinfo2().uordblks;
  const std::size_t count = 200;
  for (std::size_t i = 0; i < count; ++i) {
    connect();
    transport.write(near, Bytes::copy(std::string(40'000, 'x')));
    ASSERT_TRUE(loop.run_until([&] { return sink.pipes[far].received.size() == 40'000; }, 5s));
    std::string().swap(sink.pipes[far].received);
  }
  // Both ends, and what the test itself remembers of them.
  EXPECT_LT((mallinfo2().uordblks - before) / count, 4096u);
}

TEST_F(AsioTransportTest, port_that_is_taken_names_who_has_it) {
  AsioTransport second(loop);
  RecordingSink other;
  second.set_sink(other);
  const auto taken = second.listen(bound);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::in_use);
  EXPECT_NE(taken.error().why.find("process " + std::to_string(getpid())), std::string::npos)
      << taken.error().why;
  EXPECT_NE(taken.error().why.find(std::to_string(port_of(bound))), std::string::npos);
  EXPECT_FALSE(taken.error().fix.empty());
}

TEST_F(AsioTransportTest, address_of_another_machine_cannot_be_listened_on) {
  const auto result = transport.listen(addr("/ip4/192.0.2.1/tcp/0"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::configuration);
}

TEST_F(AsioTransportTest, only_tcp_over_ip_can_be_listened_on) {
  for (const char* text : {"/dns4/localhost/tcp/0", "/ip4/127.0.0.1/udp/0", "/ip4/127.0.0.1",
                           "/ip4/127.0.0.1/tcp/0/ws"}) {
    const auto result = transport.listen(addr(text));
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, Errc::unsupported);
  }
}

TEST_F(AsioTransportTest, both_families_share_a_port_number) {
  if (!transport.listen(addr("/ip6/::1/tcp/0"))) GTEST_SKIP() << "no IPv6 on this machine";
  const auto ip6 = transport.listen(addr("/ip6/::1/tcp/" + std::to_string(port_of(bound))));
  ASSERT_TRUE(ip6) << ip6.error().what;
  AsioTransport any(loop);
  RecordingSink other;
  any.set_sink(other);
  const auto any4 = any.listen(addr("/ip4/0.0.0.0/tcp/0"));
  ASSERT_TRUE(any4);
  EXPECT_TRUE(any.listen(addr("/ip6/::/tcp/" + std::to_string(port_of(*any4)))));
}

TEST_F(AsioTransportTest, wildcard_is_kept_in_the_answer_and_expanded_in_listen_addrs) {
  AsioTransport any(loop);
  RecordingSink other;
  any.set_sink(other);
  const Multiaddr answer = *any.listen(addr("/ip4/0.0.0.0/tcp/0"));
  EXPECT_EQ(answer, addr("/ip4/0.0.0.0/tcp/" + std::to_string(port_of(answer))));
  const auto found = any.listen_addrs();
  const Multiaddr loopback = addr("/ip4/127.0.0.1/tcp/" + std::to_string(port_of(answer)));
  EXPECT_NE(std::find(found.begin(), found.end(), loopback), found.end());
  EXPECT_EQ(std::find(found.begin(), found.end(), answer), found.end());
  EXPECT_EQ(std::set<Multiaddr>(found.begin(), found.end()).size(), found.size());
  const auto pipe = transport.dial(loopback);
  EXPECT_TRUE(loop.run_until([&] { return sink.pipes[pipe].dialed; }, 5s));
}

TEST_F(AsioTransportTest, listeners_are_bounded) {
  std::size_t listening = 1;
  while (listening < kListenersMax) {
    ASSERT_TRUE(transport.listen(addr("/ip4/127.0.0.1/tcp/0")));
    ++listening;
  }
  const auto refused = transport.listen(addr("/ip4/127.0.0.1/tcp/0"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::exhausted);
}

TEST_F(AsioTransportTest, names_are_resolved) {
  for (const char* kind : {"dns", "dns4"}) {
    const Multiaddr to =
        addr("/" + std::string(kind) + "/localhost/tcp/" + std::to_string(port_of(bound)));
    EXPECT_TRUE(transport.can_dial(to));
    const auto pipe = transport.dial(to);
    EXPECT_TRUE(loop.run_until([&] { return sink.pipes[pipe].dialed; }, 5s)) << kind;
    EXPECT_EQ(sink.pipes[pipe].remote, bound);
  }
}

TEST_F(AsioTransportTest, name_that_nobody_has_fails_by_event_and_says_which) {
  const auto pipe = transport.dial(addr("/dns4/a..b/tcp/4001"));
  ASSERT_TRUE(loop.run_until([&] { return sink.pipes[pipe].dial_failed; }, 30s));
  EXPECT_EQ(sink.pipes[pipe].why.code, Errc::connection);
  EXPECT_NE(sink.pipes[pipe].why.what.find("a..b"), std::string::npos);
}

TEST_F(AsioTransportTest, aborted_resolution_fails_once_and_its_answer_is_ignored) {
  const auto pipe = transport.dial(addr("/dns4/localhost/tcp/" + std::to_string(port_of(bound))));
  transport.abort(pipe);
  ASSERT_TRUE(loop.run_until([&] { return sink.pipes[pipe].dial_failed; }, 5s));
  EXPECT_EQ(sink.pipes[pipe].why.code, Errc::cancelled);
  loop.run_until([] { return false; }, 100ms);
  EXPECT_TRUE(sink.accepted.empty());
}

TEST_F(AsioTransportTest, dial_to_port_0_or_to_the_wildcard_is_refused) {
  for (const char* text : {"/ip4/127.0.0.1/tcp/0", "/ip4/0.0.0.0/tcp/4001", "/ip6/::/tcp/4001"}) {
    EXPECT_FALSE(transport.can_dial(addr(text)));
    const auto pipe = transport.dial(addr(text));
    ASSERT_TRUE(loop.run_until([&] { return sink.pipes[pipe].dial_failed; }, 5s));
    EXPECT_EQ(sink.pipes[pipe].why.code, Errc::unsupported);
  }
}

// UBSan probes memory through a pipe of its own and takes a failure for a bad object.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SKIP_IF_SANITIZED GTEST_SKIP() << "the sanitizer needs descriptors of its own"
#endif
#endif
#ifndef SKIP_IF_SANITIZED
#define SKIP_IF_SANITIZED static_cast<void>(0)
#endif

// Lowers the limit of open files to what is open now and `spare` more.
class FewFiles {
 public:
  explicit FewFiles(rlim_t spare) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = dup(0);
    close(next);
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(next) + spare;
    setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewFiles() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(AsioTransportTest, accepting_pauses_without_descriptors_and_goes_on_with_them) {
  SKIP_IF_SANITIZED;
  // Outside of the transport: a dial of ours would need the descriptors too.
  std::vector<int> clients;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port_of(bound));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 10; ++i) {
    clients.push_back(socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::connect(clients.back(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  {
    const FewFiles few(3);
    loop.run_until([] { return false; }, 350ms);
    EXPECT_EQ(sink.accepted.size(), 3u);
    EXPECT_GE(transport.stats().accept_pauses, 2u);
    EXPECT_LE(transport.stats().accept_pauses, 5u) << "it spins";
  }
  EXPECT_TRUE(loop.run_until([&] { return sink.accepted.size() == 10; }, 2s));
  for (const int fd : clients) close(fd);
}

TEST_F(AsioTransportTest, dial_without_descriptors_fails_by_event) {
  SKIP_IF_SANITIZED;
  host::PipeSlot pipe;
  {
    const FewFiles none(0);
    pipe = transport.dial(bound);
    ASSERT_TRUE(loop.run_until([&] { return sink.pipes[pipe].dial_failed; }, 2s));
  }
  EXPECT_EQ(sink.pipes[pipe].why.code, Errc::exhausted);
}

TEST_F(AsioTransportTest, no_descriptor_stays_behind) {
  const auto open_files = [] {
    const int next = dup(0);
    close(next);
    return next;
  };
  const int before = open_files();
  for (int i = 0; i < 20; ++i) {
    connect();
    if (i % 2 == 0)
      transport.abort(near);
    else
      transport.close(near), transport.close(far);
    ASSERT_TRUE(
        loop.run_until([&] { return sink.pipes[near].closed && sink.pipes[far].closed; }, 5s));
  }
  EXPECT_EQ(open_files(), before);
  EXPECT_EQ(transport.stats().pipes, 0u);
}

TEST_F(AsioTransportTest, transport_may_go_while_everything_is_under_way) {
  connect();
  auto second = std::make_unique<AsioTransport>(loop);
  RecordingSink other;
  second->set_sink(other);
  const Multiaddr at = *second->listen(addr("/ip4/127.0.0.1/tcp/0"));
  for (int i = 0; i < 5; ++i) transport.write(transport.dial(at), Bytes::copy("hello"));
  ASSERT_TRUE(loop.run_until([&] { return other.accepted.size() == 5; }, 5s));
  second->write(other.accepted[0], Bytes::copy(std::string(8u << 20, 'x')));
  second->dial(bound);
  second->dial(addr("/dns4/localhost/tcp/4001"));
  second->close(other.accepted[1]);
  second->abort(other.accepted[2]);
  const auto seen = other.pipes.size();
  second.reset();
  loop.run_until([] { return false; }, 100ms);
  EXPECT_EQ(other.pipes.size(), seen) << "no event follows";
}

TEST_F(AsioTransportTest, transport_may_go_from_within_its_own_event) {
  auto second = std::make_unique<AsioTransport>(loop);
  RecordingSink other;
  second->set_sink(other);
  const Multiaddr at = *second->listen(addr("/ip4/127.0.0.1/tcp/0"));
  other.after_accept = [&](host::PipeSlot) { second.reset(); };
  const auto pipe = transport.dial(at);
  EXPECT_TRUE(
      loop.run_until([&] { return sink.pipes[pipe].closed || sink.pipes[pipe].dial_failed; }, 5s));
  EXPECT_EQ(second, nullptr);
}

TEST(SocketAddress, only_ip_or_name_then_tcp_is_a_target) {
  for (const char* text :
       {"/tcp/4001", "/ip4/1.2.3.4", "/ip4/1.2.3.4/udp/1", "/ip4/1.2.3.4/tcp/1/tcp/2",
        "/ip4/1.2.3.4/tcp/1/ws", "/memory/1", "/ip6zone/eth0/ip6/fe80::1/tcp/1"})
    EXPECT_FALSE(parse_tcp(addr(text))) << text;
  const auto target = parse_tcp(addr("/ip6/2001:db8::7/tcp/65535"));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->kind, TcpTarget::Kind::ip6);
  EXPECT_EQ(target->port, 65535);
  socklen_t size = 0;
  EXPECT_EQ(to_multiaddr(to_sockaddr(*target, size)), addr("/ip6/2001:db8::7/tcp/65535"));
  EXPECT_EQ(size, sizeof(sockaddr_in6));
  EXPECT_EQ(parse_tcp(addr("/dns6/example.org/tcp/1"))->name, "example.org");
}

TEST(SocketError, code_and_text_say_what_happened) {
  const Error refused = socket_error(ECONNREFUSED, "cannot dial");
  EXPECT_EQ(refused.code, Errc::connection);
  EXPECT_EQ(refused.what, "cannot dial: connection refused (ECONNREFUSED)");
  EXPECT_EQ(socket_error(EMFILE, "x").code, Errc::exhausted);
  EXPECT_EQ(socket_error(ETIMEDOUT, "x").code, Errc::timeout);
  EXPECT_EQ(socket_error(EACCES, "x").code, Errc::permission);
  EXPECT_EQ(socket_error(EADDRINUSE, "x").code, Errc::in_use);
  EXPECT_EQ(socket_error(99999, "x").what, "x: unknown error (99999)");
}

TEST(PortHolder, free_port_has_no_holder) { EXPECT_FALSE(find_port_holder(1)); }

}  // namespace
}  // namespace kith::net
