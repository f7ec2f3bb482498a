// SimLink: one connection between two SimHosts, and the frames on it. Frames are structs that hand
// over whole messages by reference; they have the sizes that multistream, Noise and Yamux would
// give them, and meet the same links (SimNet).
//
// A connection is made by seven hops, as over sockets: SYN, SYN-ACK, the three messages of Noise
// XX with the identify exchange behind them; so the dialler is ready after three round trips, and
// the listener one hop later.
#pragma once

#include <array>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/host/admission.hpp"
#include "net/host/dialer.hpp"
#include "net/host/turn.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

class SimHost;

// What identify says of a node; shared by all who heard it.
struct SimFacts : boost::intrusive_ref_counter<SimFacts, boost::thread_unsafe_counter> {
  SimFacts(PeerId who, std::string what, host::ProtocolList speaks, std::vector<Multiaddr> where)
      : id(std::move(who)),
        agent(std::move(what)),
        protocols(std::move(speaks)),
        listen_addrs(std::move(where)) {}
  PeerId id;
  std::string agent;
  host::ProtocolList protocols;
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

// One line of the cache: most of what a large simulation does is to move these.
struct alignas(64) Frame {
  FrameKind kind = FrameKind::data;
  std::uint8_t hop = 0;  // 1 to 7
  host::Priority priority = host::Priority::normal;
  bool raw : 1 = false;       // data: no message
  bool last : 1 = true;       // data: of its message; the earlier ones only take time and window
  bool eager : 1 = false;     // open: a message follows at once
  bool next_too : 1 = false;  // under way: the next one arrives with it
  std::uint32_t next = UINT32_MAX;  // in the list that it is in (FramePool)
  std::uint32_t stream = 0;         // number on the link
  std::uint32_t bytes = 0;          // on the wire
  std::uint32_t payload = 0;  // data: of the window; credit: given; queued: what is left to send
  std::uint32_t whole = 0;    // data: size of its message
  Mono at{};                  // under way: when it arrives
  Bytes data;                 // open: the protocol's name
  boost::intrusive_ptr<const SimFacts> facts;
};
static_assert(sizeof(Frame) == 64);

// Sizes on the wire.
inline constexpr std::uint32_t kFrameHead = 12 + 18;  // Yamux header; Noise length and tag
inline constexpr std::uint32_t kNameHead = 24;        // /multistream/1.0.0 and lengths
inline constexpr std::uint32_t kFactsBytes = 600;     // identify with a signed record
inline constexpr std::array<std::uint32_t, 8> kHopBytes{0, 0, 0, 60, 280, 320, 700, 640};
inline constexpr std::size_t kSliceMax = 64u << 10;  // of a message in one frame

// Frames that wait or travel, of all links of a World, in lists. What is given back is taken again
// first, so the few that are under way at a time stay in the cache.
class FramePool {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct List {
    std::uint32_t head = kNone;
    std::uint32_t tail = kNone;
    bool empty() const { return head == kNone; }
  };

  Frame& at(std::uint32_t index) { return slabs_[index / kSlab][index % kSlab]; }
  // An empty frame, in no list yet.
  std::uint32_t make() {
    const std::uint32_t index = take();
    at(index) = {};
    return index;
  }
  void append(List& list, std::uint32_t index) {
    if (list.tail == kNone)
      list.head = index;
    else
      at(list.tail).next = index;
    list.tail = index;
  }
  // Takes the first one out; the list is not empty. It is the caller's to append or to give back.
  std::uint32_t detach(List& list) {
    const std::uint32_t index = list.head;
    list.head = std::exchange(at(index).next, kNone);
    if (list.head == kNone) list.tail = kNone;
    return index;
  }
  void give_back(std::uint32_t index) {
    Frame& done = at(index);
    done.data = {};
    done.facts.reset();
    done.next = free_;
    free_ = index;
  }
  void push(List& list, Frame frame) {
    const std::uint32_t index = take();
    frame.next = kNone;
    at(index) = std::move(frame);
    append(list, index);
  }
  void clear(List& list) {
    while (!list.empty()) give_back(detach(list));
  }

 private:
  static constexpr std::uint32_t kSlab = 4096;
  std::uint32_t take() {
    if (free_ == kNone) {
      const auto first = static_cast<std::uint32_t>(slabs_.size() * kSlab);
      slabs_.push_back(std::make_unique<Frame[]>(kSlab));
      for (std::uint32_t i = 0; i < kSlab; ++i)
        slabs_.back()[i].next = i + 1 < kSlab ? first + i + 1 : kNone;
      free_ = first;
    }
    const std::uint32_t taken = free_;
    free_ = at(taken).next;
    return taken;
  }
  std::vector<std::unique_ptr<Frame[]>> slabs_;
  std::uint32_t free_ = kNone;
};

// The streams of one side by their numbers. Most sides have the two of gossip and one of a request.
class StreamNumbers {
 public:
  void add(std::uint32_t number, host::StreamSlot slot) {
    for (Entry& entry : first_)
      if (!entry.slot) return void(entry = {number, slot});
    more_.push_back({number, slot});
  }
  host::StreamSlot find(std::uint32_t number) const {  // no index: not there
    for (const Entry& entry : first_)
      if (entry.slot && entry.number == number) return entry.slot;
    for (const Entry& entry : more_)
      if (entry.number == number) return entry.slot;
    return {};
  }
  void erase(std::uint32_t number) {
    for (Entry& entry : first_)
      if (entry.slot && entry.number == number) return void(entry = {});
    std::erase_if(more_, [number](const Entry& entry) { return entry.number == number; });
    if (more_.empty()) more_.shrink_to_fit();
  }
  void clear() { *this = {}; }

 private:
  struct Entry {
    std::uint32_t number = 0;
    host::StreamSlot slot;
  };
  std::array<Entry, 3> first_;
  std::vector<Entry> more_;
};

struct SimLink {
  struct Ready {  // streams that have something to send: a list through Stream::next_ready
    host::StreamSlot head;
    host::StreamSlot tail;
  };
  struct alignas(64) Side {
    // What every frame touches.
    NodeIndex node = 0;
    NodeIndex peer_node = 0;  // of the other side
    bool dirty = false;
    bool pump_scheduled = false;
    bool bye_sent = false;
    bool stopped = false;                      // a partition holds up what has arrived
    bool cut = false;                          // one of the sides has another address now
    bool unheard = false;                      // acknowledgements do not come back
    bool lost = false;                         // too often: nothing more arrives
    FramePool::List flight;                    // under way from here
    std::uint32_t entered = FramePool::kNone;  // of those, the first not in the receiver's downlink
    FramePool::List urgent;                    // to send: what belongs to no stream's order ...
    Mono last_arrival{};
    Mono uplink_until{};
    SimHost* host = nullptr;  // null: not here yet, or over
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::array<Ready, 3> ready;  // ... then streams by priority, taking turns

    // Streams.
    StreamNumbers numbers;
    std::uint32_t number_next = 0;
    std::uint32_t streams = 0;         // on this link
    std::uint32_t unacknowledged = 0;  // that we opened and nobody took yet

    bool secured = false;
    bool identified = false;
    bool silence_scheduled = false;
    host::Admission::Ticket ticket;
    host::PeerSlot peer;
    host::AttemptSlot attempt;
    Mono last_hop{};  // when we sent it
    Mono held_since{};
    Duration round_trip{};
    PeerId expected;
    Multiaddr local;
    Multiaddr remote;
  };
  std::array<Side, 2> sides;  // 0 dialled
};

// In slabs: aligned allocations one by one leave a hole beside each, in which no other fits (a
// tenth of the memory of a large simulation).
class SimLinkPool {
 public:
  SimLink* take() {
    if (free_.empty()) {
      slabs_.push_back(std::make_unique<SimLink[]>(kSlab));
      for (std::size_t i = kSlab; i > 0; --i) free_.push_back(&slabs_.back()[i - 1]);
    }
    SimLink* taken = free_.back();
    free_.pop_back();
    return taken;
  }
  void give_back(SimLink* link) {
    *link = {};
    free_.push_back(link);
  }

 private:
  static constexpr std::size_t kSlab = 256;
  std::vector<std::unique_ptr<SimLink[]>> slabs_;
  std::vector<SimLink*> free_;
};

struct SimLinkRef {
  host::LinkSlot link;
  std::uint32_t side = 0;  // 0 or 1; as wide as what it lies in, which is copied for each frame
  friend bool operator==(const SimLinkRef&, const SimLinkRef&) = default;
};

}  // namespace kith::simnet
