// Echo: `/echo/1.0.0`, raw bytes sent back as they come. Served only when the configuration says so
// (interoperation tests); the client side opens N streams at once, sends M bytes on each and checks
// what returns.
#pragma once

#include <deque>
#include <map>

#include "services/node/request_table.hpp"

namespace kith::node {

inline constexpr std::uint32_t kEchoStreamsMax = 1000;
inline constexpr std::uint64_t kEchoBytesMax = 64u << 20;  // on one stream

class Echo final : public host::Protocol {
 public:
  Echo(host::Host& host, Loop& loop, RequestTable& requests, bool serve);
  void start(RequestId request, host::PeerSlot peer, std::uint32_t streams, std::uint64_t bytes);
  void abandon(RequestId request);

 private:
  struct Outgoing {
    RequestId request;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
  };
  struct Job {
    std::uint32_t streams = 0;
    std::uint32_t left = 0;
    std::uint64_t bytes = 0;
    Mono started{};
  };
  struct Incoming {
    std::deque<Bytes>
        held;  // not queued to go back yet, and not released: at most the stream's window
    bool ended = false;
  };

  void on_stream(Now, host::StreamSlot, host::PeerSlot, std::string_view) override;
  void on_data(Now, host::StreamSlot, Bytes) override;
  void on_end(Now, host::StreamSlot) override;
  void on_send_refused(Now, host::StreamSlot, std::uint64_t) override;
  void on_writable(Now, host::StreamSlot) override;
  void on_closed(Now, host::StreamSlot, const Error*) override;
  void pump(host::StreamSlot stream, Outgoing& out);
  void pump(host::StreamSlot stream, Incoming& in);
  void finish(RequestId request, Result<Answer> answer);

  host::Host& host_;
  Loop& loop_;
  RequestTable& requests_;
  host::ProtocolIndex protocol_;
  Bytes pattern_;
  std::map<host::StreamSlot, Outgoing> outgoing_;
  std::map<host::StreamSlot, Incoming> incoming_;
  std::map<RequestId, Job> jobs_;
};

}  // namespace kith::node
