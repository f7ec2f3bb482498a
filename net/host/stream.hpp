// Stream: one stream in the host's table: how its protocol is agreed, how its bytes become
// messages, and whose it is.
//
// Rules
// * We open with the one id that the peer said it speaks, and its first message right behind; the
//   answer is read before anything else is taken. We answer what others propose from what we serve.
// * A stream belongs to a link until one side resets it, both ended it, or the link is lost; what
//   was queued for the protocol by then is still delivered, unless it was us who reset it
//   (`muted`).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/host/link.hpp"
#include "net/host/message_assembler.hpp"
#include "net/wire/multistream.hpp"

namespace kith::host {

struct Stream {
  // `id` is one string that outlives the stream.
  static Stream outbound(ProtocolIndex protocol, std::span<const std::string> id);
  static Stream inbound();

  // The negotiation's next step; `served` for inbound streams.
  Result<wire::MultistreamStep> negotiate(const Bytes& chunk, std::span<const std::string> served);
  // The protocol is known: inbound when agreed, outbound from the start.
  void take_framing(const ProtocolSpec& spec, ByteBudget& budget);

  StreamSlot slot;
  Link* link = nullptr;  // null: nothing can be sent or comes any more
  wire::YamuxSlot mux;
  PeerSlot peer;
  ProtocolIndex protocol = 0;
  std::string_view id;  // of the protocol; empty until agreed
  bool is_inbound = false;
  bool negotiated = false;
  bool send_ended = false;  // close() was called
  bool muted = false;
  bool counted = false;  // among its peer's inbound streams
  std::variant<wire::MultistreamListener, wire::MultistreamDialer> select;
  std::optional<MessageAssembler> messages;  // message framing
};

// What goes out for one message: its length and itself, the latter without a copy when it is large.
void append_framed(Framing framing, Bytes message, std::vector<Bytes>& to);
std::size_t framed_size(Framing framing, std::size_t message);

}  // namespace kith::host
