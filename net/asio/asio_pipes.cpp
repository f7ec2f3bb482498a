// AsioTransport: open pipes, and how each of them ends.
#include <boost/asio/io_context.hpp>

#include "net/asio/asio_transport_impl.hpp"
#include "net/asio/socket_error.hpp"

namespace kith::net {

host::PipeSlot AsioTransport::Impl::add_pipe(tcp::socket socket) {
  const PipeSlot slot = pipes_.insert(std::make_unique<Pipe>(*this, std::move(socket)));
  pipes_.at(slot)->slot = slot;
  ++stats.pipes;
  return slot;
}

AsioTransport::Impl::Pipe* AsioTransport::Impl::find(PipeSlot slot) {
  auto* pipe = pipes_.find(slot);
  return pipe == nullptr || (*pipe)->state == TcpPipe::State::over ? nullptr : pipe->get();
}

void AsioTransport::Impl::end_pipe(Pipe& pipe, Error why) {
  const bool dialing = pipe.state == TcpPipe::State::dialing;
  pipe.state = TcpPipe::State::over;
  pipe.why = std::move(why);
  loop_.arm(pipe, kNever);
  // Of a pipe that both sides ended nothing is lost; any other is reset.
  if (pipe.fin_sent && pipe.end_seen)
    pipe.close();
  else
    pipe.reset();
  loop_.post([self = shared_from_this(), slot = pipe.slot, dialing] {
    auto* over = self->pipes_.find(slot);
    if (over == nullptr) return;  // the transport is gone
    const Error last = std::move((*over)->why);
    self->pipes_.erase(slot);
    --self->stats.pipes;
    if (dialing)
      self->sink->on_dial_failed(self->loop_.now(), slot, last);
    else
      self->sink->on_closed(self->loop_.now(), slot, last);
  });
}

void AsioTransport::Impl::want_read(Pipe& pipe) {
  if (pipe.state != TcpPipe::State::open || pipe.reads_paused || pipe.read_waiting || pipe.end_seen)
    return;
  pipe.read_waiting = true;
  pipe.socket.async_wait(tcp::socket::wait_read,
                         [self = shared_from_this(), slot = pipe.slot](
                             const boost::system::error_code&) { self->on_readable(slot); });
}

void AsioTransport::Impl::on_readable(PipeSlot slot) {
  Pipe* pipe = find(slot);
  if (pipe == nullptr) return;
  pipe->read_waiting = false;
  if (pipe->reads_paused || pipe->end_seen) return;
  TcpPipe::Read read = pipe->read(scratch_);
  ++stats.read_calls;
  if (read.error != 0 && read.error != EAGAIN)
    return end_pipe(*pipe, socket_error(read.error, "connection lost"));
  if (read.end) {
    pipe->end_seen = true;
    sink->on_end(loop_.now(), slot);
    if (Pipe* still = find(slot)) finish_if_ended(*still);
    return;
  }
  if (!read.data.empty()) {
    stats.bytes_in += read.data.size();
    sink->on_data(loop_.now(), slot, std::move(read.data));
    pipe = find(slot);
  }
  if (pipe != nullptr) want_read(*pipe);
}

void AsioTransport::Impl::read_paused(PipeSlot slot, bool paused) {
  Pipe* pipe = find(slot);
  if (pipe == nullptr) return;
  pipe->reads_paused = paused;
  want_read(*pipe);
}

void AsioTransport::Impl::write(PipeSlot slot, Bytes data) {
  Pipe* pipe = find(slot);
  if (pipe == nullptr || pipe->close_asked || data.empty()) return;
  pipe->enqueue(std::move(data));
  mark_dirty(*pipe);
}

std::size_t AsioTransport::Impl::backlog(PipeSlot slot) const {
  const auto* pipe = pipes_.find(slot);
  return pipe == nullptr ? 0 : (*pipe)->backlog;
}

void AsioTransport::Impl::mark_dirty(Pipe& pipe) {
  if (pipe.dirty || pipe.write_waiting || pipe.state != TcpPipe::State::open) return;
  pipe.dirty = true;
  dirty_.push_back(pipe.slot);
  loop_.at_turn_end(*this);
}

void AsioTransport::Impl::on_turn_end() {
  // Nothing in here calls the sink: what comes of it is posted.
  for (const PipeSlot slot : dirty_) {
    Pipe* pipe = find(slot);
    if (pipe == nullptr) continue;
    pipe->dirty = false;
    flush(*pipe);
  }
  dirty_.clear();
}

void AsioTransport::Impl::flush(Pipe& pipe) {
  const int number = pipe.flush(stats.write_calls, stats.bytes_out);
  if (number != 0 && number != EAGAIN)
    return end_pipe(pipe, socket_error(number, "connection lost"));
  if (pipe.above_low && pipe.backlog <= host::kPipeBacklogLow) {
    pipe.above_low = false;
    post_writable(pipe.slot);
  }
  if (number == EAGAIN) return want_write(pipe);
  if (!pipe.close_asked || pipe.fin_sent) return;
  if (const int failed = pipe.shutdown_write(); failed != 0)
    return end_pipe(pipe, socket_error(failed, "connection lost"));
  pipe.fin_sent = true;
  finish_if_ended(pipe);
}

void AsioTransport::Impl::want_write(Pipe& pipe) {
  pipe.write_waiting = true;
  pipe.socket.async_wait(tcp::socket::wait_write, [self = shared_from_this(), slot = pipe.slot](
                                                      const boost::system::error_code&) {
    Pipe* ready = self->find(slot);
    if (ready == nullptr) return;
    ready->write_waiting = false;
    self->mark_dirty(*ready);
  });
}

void AsioTransport::Impl::post_writable(PipeSlot slot) {
  loop_.post([self = shared_from_this(), slot] {
    if (self->find(slot) != nullptr) self->sink->on_writable(self->loop_.now(), slot);
  });
}

void AsioTransport::Impl::close(PipeSlot slot) {
  Pipe* pipe = find(slot);
  if (pipe == nullptr || pipe->close_asked) return;
  pipe->close_asked = true;
  loop_.arm(*pipe, later(loop_.now().mono, host::kPipeLingerMax));
  mark_dirty(*pipe);
}

void AsioTransport::Impl::finish_if_ended(Pipe& pipe) {
  if (pipe.fin_sent && pipe.end_seen) end_pipe(pipe, fail(Errc::closed, "both sides ended it"));
}

void AsioTransport::Impl::on_linger_passed(PipeSlot slot) {
  if (Pipe* pipe = find(slot))
    end_pipe(*pipe, fail(Errc::timeout, "the other side did not end the connection in time"));
}

void AsioTransport::Impl::abort(PipeSlot slot) {
  if (Pipe* pipe = find(slot)) end_pipe(*pipe, fail(Errc::cancelled, "aborted by us"));
}

}  // namespace kith::net
