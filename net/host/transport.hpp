// Transport: byte pipes to other machines, below Host. Sockets (net/asio), the simulator and,
// later, the relay implement it; WireHost (multistream, Noise, Yamux, identify) runs over any of
// them.
//
// Rules
// * Slots, not objects: a PipeSlot is valid from dial() or on_accept until on_dial_failed or
// on_closed for it, which comes
//   exactly once for every pipe, also after our own close() or abort().
// * The sink is called from the loop only, never from inside a call to the transport.
// * write() takes everything and owns it; the caller looks at backlog() (bytes that the kernel has
// not taken) and stops above
//   its own limit; on_writable comes when the backlog fell to kPipeBacklogLow or below after having
//   been above it.
// * Pipes read until paused; at most kPipeReadMax bytes arrive in one on_data.
// * close(): what was written is sent, then the write side is ended (FIN); the pipe is gone when
// both sides ended, or after
//   kPipeLingerMax. abort(): at once (RST).
// * Policy is not here: how many pipes, from whom and for how long is WireHost's business, which
// closes the listener's door
//   with accept_paused.
#pragma once

#include <string>

#include "net/base/slots.hpp"
#include "net/base/time.hpp"
#include "schema/base/bytes.hpp"
#include "schema/base/multiaddr.hpp"
#include "schema/base/result.hpp"

namespace kith::host {

inline constexpr std::size_t kPipeReadMax = 256u << 10;
inline constexpr std::size_t kPipeBacklogLow = 64u << 10;
inline constexpr Duration kPipeLingerMax = 5s;

struct PipeTag;
using PipeSlot = Handle<PipeTag>;

class TransportSink {
 public:
  // The remote address is as the transport sees it (/ip4/.../tcp/... with the ephemeral port).
  virtual void on_accept(Now, PipeSlot, const Multiaddr& local, const Multiaddr& remote) = 0;
  virtual void on_dialed(Now, PipeSlot, const Multiaddr& local, const Multiaddr& remote) = 0;
  virtual void on_dial_failed(Now, PipeSlot, Error) = 0;
  virtual void on_data(Now, PipeSlot, Bytes) = 0;
  virtual void on_writable(Now, PipeSlot) = 0;
  virtual void on_end(Now, PipeSlot) = 0;  // the remote ended its write side
  virtual void on_closed(Now, PipeSlot, Error) = 0;

 protected:
  ~TransportSink() = default;
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual void set_sink(TransportSink& sink) = 0;  // once, before anything else
  virtual bool can_dial(const Multiaddr& to) const = 0;
  // `to` without /p2p. Fails by event only. The dialler bounds the time and abort()s.
  virtual PipeSlot dial(const Multiaddr& to) = 0;
  // Answers with the address really bound (port 0 resolved; wildcard kept as it is).
  virtual Result<Multiaddr> listen(const Multiaddr& on) = 0;
  // Addresses under which others may reach the listeners: wildcards expanded to the interfaces'
  // addresses.
  virtual std::vector<Multiaddr> listen_addrs() const = 0;
  virtual void accept_paused(bool paused) = 0;
  virtual void write(PipeSlot pipe, Bytes data) = 0;
  virtual std::size_t backlog(PipeSlot pipe) const = 0;
  virtual void read_paused(PipeSlot pipe, bool paused) = 0;
  virtual void close(PipeSlot pipe) = 0;
  virtual void abort(PipeSlot pipe) = 0;
};

}  // namespace kith::host
