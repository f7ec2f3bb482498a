// AsioTransport over loopback TCP beside bare blocking sockets that do the least for the same
// bytes. Two threads each: one end on each. Reported: GB/s of wall time, CPU s/GB of both ends
// together, system calls a GB, and the cost of one small message there and back.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "bench/timing.hpp"
#include "net/asio/asio_transport.hpp"
#include "net/base/check.hpp"

namespace kith::bench {
namespace {

constexpr std::size_t kSliceBytes = 512u << 20;
constexpr std::size_t kChunk = 256u << 10;
constexpr int kPingsPerSlice = 20'000;
constexpr int kRounds = 15;

// ---- the limit: blocking sockets -------------------------------------------------------------

struct BlockingPair {
  int left = -1, right = -1;
  BlockingPair() {
    const int door = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    CHECK(bind(door, reinterpret_cast<sockaddr*>(&at), size) == 0 && listen(door, 1) == 0);
    CHECK(getsockname(door, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    left = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(left, reinterpret_cast<sockaddr*>(&at), size) == 0);
    right = accept(door, nullptr, nullptr);
    close(door);
    const int on = 1;
    setsockopt(left, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(right, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~BlockingPair() {
    close(left);
    close(right);
  }
};

void blocking_bulk(BlockingPair& pair) {
  std::thread reader([&] {
    std::vector<char> buffer(kChunk);
    for (std::size_t got = 0; got < kSliceBytes;) {
      const ssize_t n = recv(pair.right, buffer.data(), buffer.size(), 0);
      CHECK(n > 0);
      got += static_cast<std::size_t>(n);
    }
  });
  const std::vector<char> buffer(kChunk, 'x');
  for (std::size_t sent = 0; sent < kSliceBytes;) {
    const ssize_t n = send(pair.left, buffer.data(), buffer.size(), 0);
    CHECK(n > 0);
    sent += static_cast<std::size_t>(n);
  }
  reader.join();
}

void blocking_pings(BlockingPair& pair) {
  std::thread echo([&] {
    std::array<char, 64> buffer{};
    for (int i = 0; i < kPingsPerSlice; ++i) {
      CHECK(recv(pair.right, buffer.data(), 64, MSG_WAITALL) == 64);
      CHECK(send(pair.right, buffer.data(), 64, 0) == 64);
    }
  });
  std::array<char, 64> buffer{};
  for (int i = 0; i < kPingsPerSlice; ++i) {
    CHECK(send(pair.left, buffer.data(), 64, 0) == 64);
    CHECK(recv(pair.left, buffer.data(), 64, MSG_WAITALL) == 64);
  }
  echo.join();
}

// ---- ours --------------------------------------------------------------------------------------

class End : public host::TransportSink {
 public:
  End() { transport.set_sink(*this); }
  void on_accept(Now, host::PipeSlot slot, const Multiaddr&, const Multiaddr&) override {
    pipe = slot;
    open = true;
  }
  void on_dialed(Now, host::PipeSlot slot, const Multiaddr&, const Multiaddr&) override {
    pipe = slot;
    open = true;
  }
  void on_dial_failed(Now, host::PipeSlot, Error) override { CHECK(false); }
  void on_data(Now, host::PipeSlot, Bytes data) override {
    received += data.size();
    if (echoes) transport.write(pipe, std::move(data));
    if (pings_left > 0 && received % 64 == 0 && --pings_left > 0) ping();
    if (goal != 0 && received >= goal) reached = true;
  }
  void on_writable(Now, host::PipeSlot) override { fill(); }
  void on_end(Now, host::PipeSlot) override {}
  void on_closed(Now, host::PipeSlot, Error) override {}

  void fill() {
    while (to_send > 0 && transport.backlog(pipe) <= host::kPipeBacklogLow) {
      // As much as a busy muxer queues before it looks at the backlog again.
      for (int i = 0; i < 4 && to_send > 0; ++i, to_send -= kChunk) transport.write(pipe, chunk);
    }
  }
  void ping() { transport.write(pipe, chunk.slice(0, 64)); }

  net::AsioLoop loop;
  net::AsioTransport transport{loop};
  host::PipeSlot pipe;
  bool open = false, reached = false, echoes = false;
  std::size_t received = 0, goal = 0, to_send = 0;
  int pings_left = 0;
  const Bytes chunk = Bytes::copy(std::string(kChunk, 'x'));
};

struct OurPair {
  End left, right;
  OurPair() {
    const Multiaddr at = *right.transport.listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0"));
    left.transport.dial(at);
    CHECK(left.loop.run_until([&] { return left.open; }, 5s));
    CHECK(right.loop.run_until([&] { return right.open; }, 5s));
  }
};

void our_bulk(OurPair& pair) {
  pair.right.echoes = pair.right.reached = false;
  pair.right.received = 0;
  pair.right.goal = kSliceBytes;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    CHECK(pair.right.loop.run_until([&] { return pair.right.reached; }, 60s));
    done = true;
    pair.left.loop.post([] {});
  });
  pair.left.to_send = kSliceBytes;
  pair.left.fill();
  CHECK(pair.left.loop.run_until([&] { return done.load(); }, 60s));
  reader.join();
}

void our_pings(OurPair& pair) {
  pair.right.echoes = true;
  pair.right.goal = 0;
  std::atomic<bool> done{false};
  std::thread echo([&] { CHECK(pair.right.loop.run_until([&] { return done.load(); }, 60s)); });
  pair.left.received = 0;
  pair.left.pings_left = kPingsPerSlice;
  pair.left.ping();
  CHECK(pair.left.loop.run_until([&] { return pair.left.pings_left == 0; }, 60s));
  done = true;
  pair.right.loop.post([] {});
  echo.join();
}

void print_bulk(const Rival& rival) {
  const double gigabytes = static_cast<double>(kSliceBytes) * 1e-9;
  print_row("bulk, " + rival.name, rival.best.cpu / gigabytes, "CPU s/GB");
  print_row("bulk, " + rival.name, gigabytes / rival.best.wall, "GB/s");
}

void print_pings(const Rival& rival) {
  const double each = 1e6 / kPingsPerSlice;
  print_row("64 B there and back, " + rival.name, rival.best.cpu * each, "CPU us");
  print_row("64 B there and back, " + rival.name, rival.best.wall * each, "us");
}

void run() {
  BlockingPair blocking;
  OurPair ours;
  std::vector<Rival> bulk{{"blocking sockets (limit)", [&] { blocking_bulk(blocking); }},
                          {"AsioTransport", [&] { our_bulk(ours); }}};
  const auto before_in = ours.right.transport.stats();
  const auto before_out = ours.left.transport.stats();
  compete(bulk, kRounds);
  const auto in = ours.right.transport.stats();
  const auto out = ours.left.transport.stats();
  for (const Rival& rival : bulk) print_bulk(rival);
  print_row("bulk, AsioTransport / limit", bulk[1].best.cpu / bulk[0].best.cpu, "CPU ratio");
  const double gigabytes = static_cast<double>(in.bytes_in - before_in.bytes_in) * 1e-9;
  print_row("recv calls", static_cast<double>(in.read_calls - before_in.read_calls) / gigabytes,
            "a GB");
  print_row("sendmsg calls",
            static_cast<double>(out.write_calls - before_out.write_calls) / gigabytes, "a GB");
  std::vector<Rival> pings{{"blocking sockets (limit)", [&] { blocking_pings(blocking); }},
                           {"AsioTransport", [&] { our_pings(ours); }}};
  compete(pings, kRounds);
  for (const Rival& rival : pings) print_pings(rival);
  print_row("64 B, AsioTransport / limit", pings[1].best.cpu / pings[0].best.cpu, "CPU ratio");
}

}  // namespace
}  // namespace kith::bench

int main() { kith::bench::run(); }
