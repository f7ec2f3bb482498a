#include "net/host/stream.hpp"

#include "schema/base/varint.hpp"

namespace kith::host {
namespace {

// Below this a copy costs less than a second slice on its way through the multiplexer.
constexpr std::size_t kCopyMax = 2048;

}  // namespace

Stream Stream::outbound(ProtocolIndex protocol, std::span<const std::string> id) {
  Stream stream;
  stream.protocol = protocol;
  stream.id = id.front();
  stream.select.emplace<wire::MultistreamDialer>(id);
  return stream;
}

Stream Stream::inbound() {
  Stream stream;
  stream.is_inbound = true;
  return stream;
}

Result<wire::MultistreamStep> Stream::negotiate(const Bytes& chunk,
                                                std::span<const std::string> served) {
  if (auto* dialer = std::get_if<wire::MultistreamDialer>(&select)) return dialer->on_bytes(chunk);
  return std::get<wire::MultistreamListener>(select).on_bytes(chunk, served);
}

void Stream::take_framing(const ProtocolSpec& spec, ByteBudget& budget) {
  if (spec.framing == Framing::message) messages.emplace(spec.message_bytes_max, budget);
}

void append_framed(Framing framing, Bytes message, std::vector<Bytes>& to) {
  if (framing == Framing::raw) {
    if (!message.empty()) to.push_back(std::move(message));
    return;
  }
  if (message.size() <= kCopyMax) {
    to.push_back(frame_message(message));
    return;
  }
  to.push_back(Bytes::make(varint_size(message.size()), [&](std::span<std::uint8_t> head) {
    write_varint(head.data(), message.size());
  }));
  to.push_back(std::move(message));
}

std::size_t framed_size(Framing framing, std::size_t message) {
  return framing == Framing::raw ? message : message + varint_size(message);
}

}  // namespace kith::host
