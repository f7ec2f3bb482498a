#include "services/node/echo.hpp"

namespace kith::node {
namespace {

// Sent and not yet on its way, a stream: all streams of a peer together stay below what a
// connection may queue (HostLimits), above which sends are refused.
constexpr std::size_t kQueueMax = 48u << 10;
constexpr std::size_t kPartBytes = kQueueMax;

// Byte i of a stream is a function of i alone, so a byte that is lost, doubled or moved shows.
std::uint8_t byte_at(std::uint64_t i) {
  return static_cast<std::uint8_t>((i * 167 + i / 251) ^ i >> 13);
}

Bytes part_at(std::uint64_t at, std::size_t size) {
  return Bytes::make(size, [&](std::span<std::uint8_t> to) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = byte_at(at + i);
  });
}

}  // namespace

Echo::Echo(host::Host& host, Loop& loop, RequestTable& requests, bool serve)
    : host_(host), loop_(loop), requests_(requests), protocol_(0) {
  host::ProtocolSpec spec;
  spec.ids = {"/echo/1.0.0"};
  spec.framing = host::Framing::raw;
  spec.send_queue_bytes_max = 2 * kQueueMax;  // on_writable comes at half of it
  spec.inbound_streams_per_peer_max = 256;
  spec.serve = serve;
  protocol_ = host_.add_protocol(std::move(spec), *this);
}

void Echo::start(RequestId request, host::PeerSlot peer, std::uint32_t streams,
                 std::uint64_t bytes) {
  if (streams == 0 || streams > kEchoStreamsMax || bytes > kEchoBytesMax)
    return requests_.done(request, fail(Errc::usage, "echo of that size is refused",
                                        "at most 1000 streams of 64 MiB"));
  jobs_[request] = {streams, streams, bytes, loop_.now().mono};
  for (std::uint32_t i = 0; i < streams; ++i) {
    const host::StreamSlot stream = host_.open(peer, protocol_, Bytes());
    outgoing_[stream] = {request, 0, 0};
    pump(stream, outgoing_[stream]);
  }
}

void Echo::pump(host::StreamSlot stream, Outgoing& out) {
  const std::uint64_t bytes = jobs_.at(out.request).bytes;
  while (out.sent < bytes && host_.queued_bytes(stream) <= kQueueMax) {
    const auto part =
        static_cast<std::size_t>(std::min<std::uint64_t>(kPartBytes, bytes - out.sent));
    host_.send(stream, part_at(out.sent, part));
    out.sent += part;
  }
  if (out.sent == bytes) host_.close(stream);
}

// The sender's window opens only as fast as the echo leaves.
void Echo::pump(host::StreamSlot stream, Incoming& in) {
  while (!in.held.empty() && host_.queued_bytes(stream) <= kQueueMax) {
    // A part may be as large as the sender's window.
    Bytes& front = in.held.front();
    const std::size_t size = std::min(front.size(), kQueueMax);
    host_.send(stream, front.slice(0, size));
    if (size == front.size())
      in.held.pop_front();
    else
      front = front.slice(size, front.size() - size);
    host_.release(stream, size);
  }
  if (in.ended && in.held.empty()) host_.close(stream);
}

void Echo::on_stream(Now, host::StreamSlot stream, host::PeerSlot, std::string_view) {
  incoming_[stream];
}

void Echo::on_data(Now, host::StreamSlot stream, Bytes data) {
  if (const auto in = incoming_.find(stream); in != incoming_.end()) {
    in->second.held.push_back(std::move(data));
    return pump(stream, in->second);
  }
  const auto at = outgoing_.find(stream);
  if (at == outgoing_.end()) return;
  Outgoing& out = at->second;
  bool same = out.received + data.size() <= out.sent;
  for (std::size_t i = 0; same && i < data.size(); ++i) same = data[i] == byte_at(out.received + i);
  if (!same) return finish(out.request, fail(Errc::corrupt, "the echo differs from what was sent"));
  out.received += data.size();
  host_.release(stream, data.size());
  pump(stream, out);
}

void Echo::on_end(Now, host::StreamSlot stream) {
  const auto in = incoming_.find(stream);
  if (in == incoming_.end()) return;
  in->second.ended = true;
  pump(stream, in->second);
}

void Echo::on_writable(Now, host::StreamSlot stream) {
  if (const auto in = incoming_.find(stream); in != incoming_.end()) pump(stream, in->second);
  if (const auto out = outgoing_.find(stream); out != outgoing_.end()) pump(stream, out->second);
}

// What was refused is lost, so the stream is: nobody may take a part for the whole.
void Echo::on_send_refused(Now, host::StreamSlot stream, std::uint64_t) {
  const auto at = outgoing_.find(stream);
  if (at == outgoing_.end()) return host_.reset(stream);
  finish(at->second.request, fail(Errc::exhausted, "too much waits to be sent to this peer"));
}

void Echo::on_closed(Now now, host::StreamSlot stream, const Error* why) {
  incoming_.erase(stream);
  const auto at = outgoing_.find(stream);
  if (at == outgoing_.end()) return;
  const Outgoing out = at->second;
  outgoing_.erase(at);
  const auto job = jobs_.find(out.request);
  if (job == jobs_.end()) return;
  if (why != nullptr) return finish(out.request, *why);
  if (out.received != job->second.bytes)
    return finish(out.request, fail(Errc::truncated, "the echo ended early"));
  if (--job->second.left == 0)
    finish(out.request, Answer(Echoed{job->second.streams, job->second.bytes * job->second.streams,
                                      now.mono - job->second.started}));
}

void Echo::finish(RequestId request, Result<Answer> answer) {
  abandon(request);
  requests_.done(request, std::move(answer));
}

void Echo::abandon(RequestId request) {
  jobs_.erase(request);
  std::vector<host::StreamSlot> theirs;
  for (const auto& [stream, out] : outgoing_)
    if (out.request == request) theirs.push_back(stream);
  for (const host::StreamSlot stream : theirs) {
    outgoing_.erase(stream);
    host_.reset(stream);
  }
}

}  // namespace kith::node
