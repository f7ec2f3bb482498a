// One stream through the whole wire (Yamux, Noise, TCP over loopback) between two WireHosts, a loop
// and a thread each, beside a kernel that does the least for the same secrecy: blocking sockets and
// 64 KiB of ChaCha20-Poly1305 at a time. CPU counts both ends.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "bench/timing.hpp"
#include "net/asio/asio_loop.hpp"
#include "net/asio/asio_transport.hpp"
#include "net/base/check.hpp"
#include "net/crypto/aead.hpp"
#include "net/crypto/identity.hpp"
#include "net/host/wire_host.hpp"

namespace kith::bench {
namespace {

constexpr std::size_t kSliceBytes = 512u << 20;
constexpr std::size_t kPart = 64u << 10;
constexpr int kRounds = 7;

// ---- the kernel ------------------------------------------------------------------------------

void kernel() {
  const int door = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  CHECK(bind(door, reinterpret_cast<sockaddr*>(&at), size) == 0 && listen(door, 1) == 0);
  CHECK(getsockname(door, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  const int left = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(left, reinterpret_cast<sockaddr*>(&at), size) == 0);
  const int right = accept(door, nullptr, nullptr);
  close(door);
  const std::array<std::uint8_t, 32> key{};
  std::thread reader([&] {
    crypto::AeadOpener opener;
    opener.set_key(key);
    std::vector<std::uint8_t> wire(kPart + 16), clear(kPart);
    std::uint64_t nonce = 0;
    for (std::size_t got = 0; got < kSliceBytes; got += kPart) {
      CHECK(recv(right, wire.data(), wire.size(), MSG_WAITALL) ==
            static_cast<ssize_t>(wire.size()));
      CHECK(opener.open(crypto::aead_nonce(nonce++), {}, wire, clear.data()));
    }
  });
  crypto::AeadSealer sealer;
  sealer.set_key(key);
  const std::vector<std::uint8_t> clear(kPart, 'x');
  std::vector<std::uint8_t> wire(kPart + 16);
  std::uint64_t nonce = 0;
  for (std::size_t sent = 0; sent < kSliceBytes; sent += kPart) {
    sealer.seal(crypto::aead_nonce(nonce++), {}, clear, wire.data());
    for (std::size_t at_byte = 0; at_byte < wire.size();) {
      const ssize_t n = send(left, wire.data() + at_byte, wire.size() - at_byte, 0);
      CHECK(n > 0);
      at_byte += static_cast<std::size_t>(n);
    }
  }
  reader.join();
  close(left);
  close(right);
}

// ---- two hosts -------------------------------------------------------------------------------

struct End final : host::Protocol {
  End()
      : rng(Rng::from_system()),
        identity(crypto::Identity::make(rng)),
        transport(loop),
        host(host::HostConfig{identity}, transport, loop, log, rng.fork("host")) {
    host::ProtocolSpec spec;
    spec.ids = {"/bench/stream/1.0.0"};
    spec.framing = host::Framing::raw;
    protocol = host.add_protocol(std::move(spec), *this);
    addr = *host.listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0"));
    thread = std::thread([this] { loop.run(); });
  }
  ~End() {
    loop.stop();
    thread.join();
  }
  void pump() {
    while (left > 0 && host.queued_bytes(stream) <= (1u << 19)) {
      host.send(stream, part, host::Priority::bulk, 0);
      left -= kPart;
    }
  }
  void on_connected(Now, RequestId, Result<host::PeerSlot> slot) override {
    peer = *slot;
    stream = host.open(peer, protocol, Bytes(), host::Priority::bulk);
    connected.set_value();
  }
  void on_writable(Now, host::StreamSlot) override { pump(); }
  void on_data(Now, host::StreamSlot from, Bytes data) override {
    host.release(from, data.size());
    received += data.size();
    if (received == kSliceBytes) {
      received = 0;
      done.set_value();
    }
  }

  net::AsioLoop loop;
  NullLog log;
  Rng rng;
  crypto::Identity identity;
  net::AsioTransport transport;
  host::WireHost host;
  host::ProtocolIndex protocol = 0;
  Multiaddr addr;
  std::thread thread;
  std::promise<void> connected, done;
  host::PeerSlot peer;
  host::StreamSlot stream;
  std::size_t left = 0, received = 0;
  const Bytes part = Bytes::make(kPart, [](std::span<std::uint8_t> to) { Rng(1).fill(to); });
};

int run() {
  End sender, receiver;
  sender.loop.post([&] {
    const Multiaddr addr = receiver.addr.with_peer_id(receiver.identity.id());
    sender.host.connect(sender.protocol, RequestId{1}, receiver.identity.id(), {{addr}});
  });
  sender.connected.get_future().wait();
  std::vector<Rival> rivals = {{"kernel: sockets and encryption", kernel},
                               {"one stream", [&] {
                                  receiver.done = {};
                                  std::future<void> done = receiver.done.get_future();
                                  sender.loop.post([&] {
                                    sender.left = kSliceBytes;
                                    sender.pump();
                                  });
                                  done.wait();
                                }}};
  compete(rivals, kRounds);
  const double gigabytes = static_cast<double>(kSliceBytes) / 1e9;
  for (const Rival& rival : rivals) {
    print_row(rival.name, rival.best.cpu / gigabytes, "CPU s/GB");
    print_row(rival.name, gigabytes / rival.best.wall, "GB/s");
  }
  print_row("one stream / kernel", rivals[1].best.cpu / rivals[0].best.cpu, "CPU ratio");
  return 0;
}

}  // namespace
}  // namespace kith::bench

int main() { return kith::bench::run(); }
