// The state of one Yamux stream, and the intrusive lists that order streams for output.
#pragma once

#include <cstdint>

#include "net/base/slots.hpp"
#include "net/base/time.hpp"
#include "net/wire/yamux_frame.hpp"
#include "net/wire/yamux_queue.hpp"

namespace kith::wire {

struct YamuxStreamTag;
using YamuxSlot = Handle<YamuxStreamTag>;

struct YamuxLinks {
  YamuxSlot before;
  YamuxSlot after;
};

struct YamuxStream {
  std::uint32_t id = 0;
  bool opened_by_peer = false;
  bool syn_due : 1 = false;       // ours, not yet told to the peer
  bool ack_due : 1 = false;       // the peer's, not yet acknowledged
  bool acked : 1 = false;         // ours, and the peer has answered
  bool closing : 1 = false;       // close() was called
  bool fin_sent : 1 = false;      // pulled
  bool remote_ended : 1 = false;  // FIN came
  bool update_due : 1 = false;    // enough was released to open the window
  bool notify : 1 = false;
  bool in_control : 1 = false;
  std::uint8_t ready_in = kPriorities;  // index of the list that it is in; kPriorities: none

  std::uint32_t send_window = kYamuxWindowInitial;  // what the peer still lets us send
  std::uint32_t window = kYamuxWindowInitial;       // credit + unreleased never exceeds it
  std::uint32_t credit = kYamuxWindowInitial;       // what the peer may still send
  std::uint32_t unreleased = 0;                     // delivered, not yet consumed
  std::uint32_t notify_below = 0;
  Mono updated{};         // when credit was last announced
  Mono stalled = kNever;  // since when send_window holds back what is queued
  SliceQueue queue;
  YamuxLinks ready;
  YamuxLinks control;

  bool fin_due() const { return closing && !fin_sent && queue.empty(); }
  std::uint32_t credit_due() const { return window - credit - unreleased; }
};
// Simulations hold thousands of idle streams.
static_assert(sizeof(YamuxStream) <= 160);

}  // namespace kith::wire
