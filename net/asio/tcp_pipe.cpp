#include "net/asio/tcp_pipe.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/asio/socket_address.hpp"

namespace kith::net {

namespace {

template <class Value>
bool set_option(int fd, int level, int name, const Value& value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

template <class Ask>
Multiaddr ask_addr(int fd, Ask ask) {
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  return ask(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0 ? to_multiaddr(at) : Multiaddr();
}

}  // namespace

int TcpPipe::set_options() {
  boost::system::error_code error;
  socket.non_blocking(true, error);
  if (error) return error.value();
  const int fd = socket.native_handle();
  const int on = 1;
  if (!set_option(fd, IPPROTO_TCP, TCP_NODELAY, on)) return errno;
  return set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kNotSentLow) ? 0 : errno;
}

Multiaddr TcpPipe::local_addr() { return ask_addr(socket.native_handle(), getsockname); }
Multiaddr TcpPipe::remote_addr() { return ask_addr(socket.native_handle(), getpeername); }

TcpPipe::Read TcpPipe::read(ReadScratch& scratch) {
  const int fd = socket.native_handle();
  ssize_t got = 0;
  const auto receive = [&](std::span<std::uint8_t> to) {
    do got = recv(fd, to.data(), to.size(), 0);
    while (got < 0 && errno == EINTR);
    return got > 0 ? static_cast<std::size_t>(got) : 0u;
  };
  Read result;
  if (bulk_) {
    result.data = Bytes::make_up_to(host::kPipeReadMax, receive);
    const std::size_t size = result.data.size();
    bulk_ = size >= kSmallRead;
    // A slice keeps its whole block: let no small one.
    if (size < kSmallRead) result.data = Bytes::copy(result.data.view());
  } else {
    const std::size_t size = receive(scratch);
    result.data = Bytes::copy(ByteView(scratch.data(), size));
    bulk_ = size == scratch.size();
  }
  if (got < 0) result.error = errno;
  result.end = got == 0;
  return result;
}

void TcpPipe::enqueue(Bytes data) {
  backlog += data.size();
  queue_.push_back(std::move(data));
  if (backlog > host::kPipeBacklogLow) above_low = true;
}

int TcpPipe::flush(std::uint64_t& calls, std::uint64_t& sent) {
  std::array<iovec, kGatherMax> buffers;
  for (std::size_t flushed = 0; backlog != 0;) {
    if (flushed >= kFlushMax) return EAGAIN;
    std::size_t count = 0;
    std::size_t asked = 0;
    for (std::size_t i = head_; i < queue_.size() && count < kGatherMax; ++i, ++count) {
      const std::size_t skip = i == head_ ? sent_ : 0;
      buffers[count] = {const_cast<std::uint8_t*>(queue_[i].data()) + skip,
                        queue_[i].size() - skip};
      asked += buffers[count].iov_len;
    }
    msghdr message{};
    message.msg_iov = buffers.data();
    message.msg_iovlen = count;
    ++calls;
    const ssize_t took = sendmsg(socket.native_handle(), &message, MSG_NOSIGNAL);
    if (took < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    drop_sent(static_cast<std::size_t>(took));
    sent += static_cast<std::size_t>(took);
    flushed += static_cast<std::size_t>(took);
    if (static_cast<std::size_t>(took) < asked) return EAGAIN;
  }
  return 0;
}

void TcpPipe::drop_sent(std::size_t bytes) {
  backlog -= bytes;
  sent_ += bytes;
  while (head_ < queue_.size() && sent_ >= queue_[head_].size()) {
    sent_ -= queue_[head_].size();
    queue_[head_++] = Bytes();
  }
  if (head_ == queue_.size()) {
    queue_.clear();
    head_ = 0;
    if (queue_.capacity() > kGatherMax) queue_.shrink_to_fit();  // an idle pipe holds little
  } else if (head_ >= kGatherMax && head_ * 2 >= queue_.size()) {
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

int TcpPipe::shutdown_write() {
  boost::system::error_code error;
  socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
  return error.value();
}

void TcpPipe::close() {
  boost::system::error_code ignored;
  socket.close(ignored);
  queue_ = {};
  head_ = sent_ = backlog = 0;
}

void TcpPipe::reset() {
  if (socket.is_open()) {
    const linger at_once{1, 0};
    set_option(socket.native_handle(), SOL_SOCKET, SO_LINGER, at_once);
  }
  close();
}

}  // namespace kith::net
