// The inside of AsioTransport. Handlers of Asio hold the Impl by shared_ptr and find their pipe by
// slot: a pipe or a transport that is gone is met by a failed lookup, never by a dangling pointer.
// A pipe ends in one place, end_pipe: its socket goes at once, its last event is posted.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <vector>

#include "net/asio/asio_transport.hpp"
#include "net/asio/socket_address.hpp"
#include "net/asio/tcp_pipe.hpp"
#include "net/base/slots.hpp"

namespace kith::net {

class AsioTransport::Impl final : public TurnEnd, public std::enable_shared_from_this<Impl> {
 public:
  using tcp = boost::asio::ip::tcp;
  using PipeSlot = host::PipeSlot;

  explicit Impl(AsioLoop& loop);
  void shut_down();

  // asio_dial.cpp
  PipeSlot dial(const Multiaddr& to);
  // asio_listen.cpp
  Result<Multiaddr> listen(const Multiaddr& on);
  std::vector<Multiaddr> listen_addrs() const;
  void accept_paused(bool paused);
  // asio_pipes.cpp
  void write(PipeSlot slot, Bytes data);
  std::size_t backlog(PipeSlot slot) const;
  void read_paused(PipeSlot slot, bool paused);
  void close(PipeSlot slot);
  void abort(PipeSlot slot);

  host::TransportSink* sink = nullptr;
  AsioTransportStats stats;

 private:
  // A socket with the alarm that bounds its closing.
  struct Pipe final : TcpPipe, Alarm {
    Pipe(Impl& of, tcp::socket made) : TcpPipe(std::move(made)), owner(of) {}
    ~Pipe() { owner.loop_.arm(*this, kNever); }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    void on_alarm(Now) override { owner.on_linger_passed(slot); }
    Impl& owner;
    PipeSlot slot;
  };
  struct Listener {
    tcp::acceptor acceptor;
    TcpTarget on;  // with the port that was bound
    bool waiting = false;
  };
  struct AcceptPause final : Alarm {
    explicit AcceptPause(Impl& of) : owner(of) {}
    void on_alarm(Now) override { owner.on_accept_pause_over(); }
    Impl& owner;
  };

  PipeSlot add_pipe(tcp::socket socket);
  Pipe* find(PipeSlot slot);  // one that is not over
  void end_pipe(Pipe& pipe, Error why);

  void resolve(PipeSlot slot, const TcpTarget& to);
  void on_resolved(PipeSlot slot, const std::string& name, const boost::system::error_code& error,
                   const tcp::resolver::results_type& results);
  // Tries the addresses from `next` on; fails the dial with what the last one said.
  void try_connect(PipeSlot slot, std::shared_ptr<const std::vector<tcp::endpoint>> to,
                   std::size_t next);
  void on_connected(PipeSlot slot, const std::shared_ptr<const std::vector<tcp::endpoint>>& to,
                    std::size_t at, int error);

  void wait_accept(std::size_t listener);
  void accept_ready(std::size_t listener);
  // False: no more for now.
  bool accept_one(std::size_t listener);
  void on_accept_pause_over();

  void want_read(Pipe& pipe);
  void on_readable(PipeSlot slot);
  void want_write(Pipe& pipe);
  void mark_dirty(Pipe& pipe);
  void on_turn_end() override;
  void flush(Pipe& pipe);
  void finish_if_ended(Pipe& pipe);
  void on_linger_passed(PipeSlot slot);
  void post_writable(PipeSlot slot);

  AsioLoop& loop_;
  Slots<PipeSlot, std::unique_ptr<Pipe>> pipes_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unique_ptr<tcp::resolver> resolver_;  // made at the first name: it starts a thread
  std::size_t resolving_ = 0;
  bool accept_paused_ = false;
  bool accept_pausing_ = false;  // out of descriptors
  AcceptPause accept_pause_;
  ReadScratch scratch_;
  std::vector<PipeSlot> dirty_;
};

}  // namespace kith::net
