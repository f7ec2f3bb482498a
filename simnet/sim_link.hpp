// SimLink: one connection between two SimHosts, and the frames on it. Frames are structs that hand
// over whole messages by reference; they have the sizes that multistream, Noise and Yamux would
// give them, and meet the same links (SimNet).
//
// A connection is made by seven hops, as over sockets: SYN, SYN-ACK, the three messages of Noise
// XX with the identify exchange behind them; so the dialler is ready after three round trips, and
// the listener one hop later.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/host/admission.hpp"
#include "net/host/dialer.hpp"
#include "net/host/turn.hpp"
#include "simnet/pipe_end.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

class SimHost;

// What identify says of a node; shared by all who heard it.
struct SimFacts {
  PeerId id;
  std::string agent;
  std::vector<std::string> protocols;  // sorted
  std::vector<Multiaddr> listen_addrs;
};

enum class FrameKind : std::uint8_t {
  hop,       // of the handshake, see Frame::hop
  refused,   // nobody listens, or no room
  open,      // a stream; its number is the opener's choice
  opened,    // the other side took it
  rejected,  // the other side does not speak it
  data,
  end,     // of one side of a stream
  reset,   // of a stream
  credit,  // room in a stream's window
  facts,   // identify push
  bye      // the connection is over on the other side
};

struct Frame {
  FrameKind kind = FrameKind::data;
  std::uint8_t hop = 0;       // 1 to 7
  bool raw = false;           // data: no message
  bool last = true;           // data: of its message; the earlier ones only take time and window
  bool eager = false;         // open: a message follows at once
  std::uint32_t stream = 0;   // number on the link
  std::uint32_t bytes = 0;    // on the wire
  std::uint32_t payload = 0;  // data: of the window; credit: given
  std::uint64_t whole = 0;    // data: size of its message
  Bytes data;                 // open: the protocol's name
  std::shared_ptr<const SimFacts> facts;
  Multiaddr observed;  // with facts: how the sender sees the receiver
};

// Sizes on the wire.
inline constexpr std::uint32_t kFrameHead = 12 + 18;  // Yamux header; Noise length and tag
inline constexpr std::uint32_t kNameHead = 24;        // /multistream/1.0.0 and lengths
inline constexpr std::uint32_t kFactsBytes = 600;     // identify with a signed record
inline constexpr std::array<std::uint32_t, 8> kHopBytes{0, 0, 0, 60, 280, 320, 700, 640};
inline constexpr std::size_t kSliceMax = 64u << 10;  // of a message in one frame

struct SimLink {
  struct Side {
    NodeIndex node = 0;
    SimHost* host = nullptr;  // null: not here yet, or over
    Multiaddr local;
    Multiaddr remote;
    bool secured = false;
    bool identified = false;
    bool bye_sent = false;
    host::PeerSlot peer;
    host::AttemptSlot attempt;
    PeerId expected;
    host::Admission::Ticket ticket;
    Mono last_hop{};  // when we sent it
    Duration round_trip{};
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;

    // Streams.
    std::unordered_map<std::uint32_t, host::StreamSlot> numbers;  // looked up only
    std::uint32_t number_next = 0;
    std::size_t streams = 0;         // on this link
    std::size_t unacknowledged = 0;  // that we opened and nobody took yet

    // To send: what belongs to no stream's order, then streams by priority, taking turns.
    Fifo<Frame> urgent;
    std::array<Fifo<host::StreamSlot>, 3> ready;
    bool dirty = false;
    bool pump_scheduled = false;
    Mono uplink_until{};

    // Under way from here.
    Fifo<Frame> flight;
    std::size_t arrived = 0;  // of those: in the receiver's downlink
    std::size_t held = 0;     // of those, behind: stopped by a partition
    Mono held_since{};
    Mono last_arrival{};
    bool silence_scheduled = false;
  };
  std::array<Side, 2> sides;  // 0 dialled
};

struct SimLinkRef {
  host::LinkSlot link;
  std::uint8_t side = 0;
  friend bool operator==(const SimLinkRef&, const SimLinkRef&) = default;
};

}  // namespace kith::simnet
