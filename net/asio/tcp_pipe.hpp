// TcpPipe: one socket of the AsioTransport and what waits to be written to it. No policy and no
// events: the system calls, their bookkeeping, and nothing else.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <vector>

#include "net/asio/asio_transport.hpp"
#include "net/base/loop.hpp"

namespace kith::net {

// Where reads of pipes that are not in bulk land before they are copied out; one a transport.
using ReadScratch = std::vector<std::uint8_t>;

class TcpPipe {
 public:
  enum class State : std::uint8_t { dialing, open, over };  // over: only the last event is missing

  explicit TcpPipe(boost::asio::ip::tcp::socket made) : socket(std::move(made)) {}

  // Non-blocking, TCP_NODELAY, TCP_NOTSENT_LOWAT; 0 or errno.
  int set_options();
  Multiaddr local_addr();
  Multiaddr remote_addr();

  struct Read {
    Bytes data;     // empty at the end and on failure
    int error = 0;  // errno; EAGAIN: nothing there
    bool end = false;
  };
  // One system call. In bulk straight into a block of its own, else through `scratch`.
  Read read(ReadScratch& scratch);

  void enqueue(Bytes data);
  // Hands the queue to the kernel until it takes no more, at most kFlushMax bytes at a time. 0 or
  // errno (EAGAIN: wait until it is writable). Adds to `calls` and `sent`.
  int flush(std::uint64_t& calls, std::uint64_t& sent);
  bool queue_empty() const { return backlog == 0; }
  int shutdown_write();
  void close();  // frees the descriptor; what the kernel has is sent in the background
  void reset();  // frees the descriptor with RST

  boost::asio::ip::tcp::socket socket;
  State state = State::dialing;
  std::size_t backlog = 0;
  bool above_low = false;  // backlog was above kPipeBacklogLow since the last on_writable
  bool reads_paused = false;
  bool read_waiting = false;  // an async_wait is under way
  bool write_waiting = false;
  bool dirty = false;  // is in the transport's list of pipes to flush
  bool close_asked = false;
  bool fin_sent = false;
  bool end_seen = false;
  Error why;  // of the last event

 private:
  static constexpr std::size_t kFlushMax = 4u << 20;
  void drop_sent(std::size_t bytes);

  std::vector<Bytes> queue_;  // from head_ on; the first without its sent_ bytes
  std::size_t head_ = 0;
  std::size_t sent_ = 0;
  bool bulk_ = false;
};

}  // namespace kith::net
