// AsioTransport: the Transport (net/host/transport.hpp, whose rules hold) over TCP sockets of the
// machine, IPv4 and IPv6.
//
// Addresses: /ip4/A/tcp/P and /ip6/A/tcp/P to dial and to listen on; /dns/N/tcp/P, /dns4 and /dns6
// to dial. A name is resolved without blocking the loop, and at most kResolvedMax of its addresses
// are tried in turn; the caller's abort() bounds the whole.
//
// Writes of one turn leave as one gathered system call at its end. The kernel is given little more
// than it can send soon (kNotSentLow), so that what is urgent overtakes what is bulky above us.
// Reads happen when the kernel says that there is something: an idle connection owns no buffer. A
// pipe in bulk reads up to kPipeReadMax at once into a block that travels on as Bytes.
//
// Bounds: kPipesMax pipes, kListenersMax listeners, kResolvesMax names being resolved. When the
// process is out of descriptors, or pipes, accepting pauses for kAcceptPause and goes on.
//
// A port that is taken answers Errc::in_use and says by which process, when /proc tells.
#pragma once

#include <cstdint>
#include <memory>

#include "net/asio/asio_loop.hpp"
#include "net/host/transport.hpp"

namespace kith::net {

inline constexpr std::size_t kPipesMax = 16'384;  // below the usual hard limit of 20,000 files
inline constexpr std::size_t kListenersMax = 16;
inline constexpr std::size_t kResolvesMax = 64;
inline constexpr std::size_t kResolvedMax = 8;
inline constexpr int kNotSentLow = 128 << 10;
inline constexpr int kAcceptBacklog = 512;
inline constexpr std::size_t kAcceptsPerTurn = 32;
inline constexpr Duration kAcceptPause = 100ms;
inline constexpr std::size_t kGatherMax = 64;  // buffers of one system call
inline constexpr std::size_t kSmallRead = 64u
                                          << 10;  // until a pipe fills this, reads are copied out

struct AsioTransportStats {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t read_calls = 0;   // system calls
  std::uint64_t write_calls = 0;  // system calls
  std::uint64_t accept_pauses = 0;
  std::size_t pipes = 0;
};

class AsioTransport final : public host::Transport {
 public:
  explicit AsioTransport(AsioLoop& loop);  // the loop outlives it
  ~AsioTransport() override;               // aborts what is open; no event follows
  AsioTransport(const AsioTransport&) = delete;
  AsioTransport& operator=(const AsioTransport&) = delete;

  void set_sink(host::TransportSink& sink) override;
  bool can_dial(const Multiaddr& to) const override;
  host::PipeSlot dial(const Multiaddr& to) override;
  Result<Multiaddr> listen(const Multiaddr& on) override;
  std::vector<Multiaddr> listen_addrs() const override;
  void accept_paused(bool paused) override;
  void write(host::PipeSlot pipe, Bytes data) override;
  std::size_t backlog(host::PipeSlot pipe) const override;
  void read_paused(host::PipeSlot pipe, bool paused) override;
  void close(host::PipeSlot pipe) override;
  void abort(host::PipeSlot pipe) override;

  AsioTransportStats stats() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace kith::net
