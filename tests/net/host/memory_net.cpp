#include "memory_net.hpp"

#include <algorithm>

namespace kith::host {

Now MemoryNet::now() const {
  return {time_, Wall(Duration(1'760'000'000'000'000'000)) + time_.time_since_epoch()};
}

void MemoryNet::at(Duration delay, std::function<void()> task) {
  events_.emplace(std::pair(later(time_, delay), order_++), std::move(task));
}

bool MemoryNet::step(Mono limit) {
  const Mono event = events_.empty() ? kNever : events_.begin()->first.first;
  const Mono next = std::min(event, std::max(alarms_.next(), time_));
  if (next > limit || next == kNever) {
    time_ = std::max(time_, limit);
    return false;
  }
  time_ = next;
  if (event <= next) {
    auto task = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    task();
  } else {
    alarms_.fire_due(now());
  }
  return true;
}

bool MemoryNet::run_until(const std::function<bool()>& reached, Duration within) {
  const Mono limit = later(time_, within);
  while (!reached())
    if (!step(limit)) return reached();
  return true;
}

bool MemoryTransport::can_dial(const Multiaddr& to) const {
  const auto parts = to.parts();
  return parts.size() == 2 && parts[0].code == proto::ip4 && parts[1].code == proto::tcp;
}

PipeSlot MemoryTransport::dial(const Multiaddr& to) {
  auto wire = std::make_shared<Wire>();
  wire->ends[0].owner = this;
  const PipeSlot slot = pipes_.insert({wire, 0});
  wire->ends[0].slot = slot;
  const auto from =
      Multiaddr::parse("/ip4/" + ip_ + "/tcp/" + std::to_string(40'000 + slot.index)).value();
  net_.at(net_.options_.latency, [this, alive = std::weak_ptr<Wire>(wire), to, from] {
    const WirePtr held = alive.lock();
    if (!held || held->ends[0].gone) return;
    const auto found = net_.listeners_.find(to);
    if (found == net_.listeners_.end()) {
      return net_.at(net_.options_.latency, [this, held] {
        if (held->ends[0].gone) return;
        held->ends[0].gone = true;
        pipes_.erase(held->ends[0].slot);
        sink_->on_dial_failed(net_.now(), held->ends[0].slot,
                              fail(Errc::connection, "connection refused"));
      });
    }
    // First, so that it comes before the other side's first bytes.
    net_.at(net_.options_.latency, [this, held, to, from] {
      if (!held->ends[0].gone) sink_->on_dialed(net_.now(), held->ends[0].slot, from, to);
    });
    found->second->accept(held, from);
  });
  return slot;
}

void MemoryTransport::accept(const WirePtr& wire, const Multiaddr& remote) {
  wire->ends[1].owner = this;
  if (paused_) {
    waiting_.emplace_back(wire, remote);
    return;
  }
  wire->ends[1].slot = pipes_.insert({wire, 1});
  sink_->on_accept(net_.now(), wire->ends[1].slot, listening_.front(), remote);
  for (Bytes& data : std::exchange(wire->ends[1].unread, {})) arrive(wire, 1, std::move(data));
}

void MemoryTransport::accept_paused(bool paused) {
  paused_ = paused;
  if (paused) return;
  net_.at({}, [this] {
    while (!paused_ && !waiting_.empty()) {
      auto [wire, remote] = waiting_.front();
      waiting_.erase(waiting_.begin());
      if (!wire->ends[0].gone) accept(wire, remote);
    }
  });
}

Result<Multiaddr> MemoryTransport::listen(const Multiaddr& on) {
  Multiaddr bound = on;
  if (on.text().ends_with("/tcp/0"))
    bound = Multiaddr::parse("/ip4/" + ip_ + "/tcp/" + std::to_string(net_.ports_++)).value();
  if (!net_.listeners_.emplace(bound, this).second) return fail(Errc::in_use, "address is in use");
  listening_.push_back(bound);
  return bound;
}

void MemoryTransport::write(PipeSlot slot, Bytes data) {
  Pipe* pipe = pipes_.find(slot);
  if (pipe == nullptr || data.empty()) return;
  auto& end = pipe->wire->ends[pipe->side];
  if (end.gone || end.fin_wanted) return;
  end.out_bytes += data.size();
  end.out.push_back(std::move(data));
  pump(pipe->wire, pipe->side);
  if (end.out_bytes > kPipeBacklogLow) end.above_low = true;
}

std::size_t MemoryTransport::backlog(PipeSlot slot) const {
  const Pipe* pipe = pipes_.find(slot);
  return pipe == nullptr ? 0 : pipe->wire->ends[pipe->side].out_bytes;
}

// From the sender's queue into the "kernel", which cuts as it likes.
void MemoryTransport::pump(const WirePtr& wire, int side) {
  auto& end = wire->ends[side];
  while (!end.out.empty() && end.in_flight < net_.options_.in_flight_max) {
    Bytes whole = std::move(end.out.front());
    end.out.pop_front();
    std::size_t take =
        std::min({whole.size(), kPipeReadMax, net_.options_.in_flight_max - end.in_flight});
    if (take > 1 && net_.rng_.chance(net_.options_.cut_ppm))
      take = 1 + static_cast<std::size_t>(net_.rng_.below(take - 1));
    if (take < whole.size()) end.out.push_front(whole.slice(take));
    end.out_bytes -= take;
    end.in_flight += take;
    net_.at(net_.options_.latency, [this, wire, side, data = whole.slice(0, take)]() mutable {
      arrive(wire, 1 - side, std::move(data));
    });
  }
  if (end.fin_wanted && !end.fin_sent && end.out.empty()) {
    end.fin_sent = true;
    net_.at(net_.options_.latency, [this, wire, side] {
      auto& other = wire->ends[1 - side];
      other.fin_seen = true;
      if (!other.gone && other.slot) {
        other.owner->sink_->on_end(net_.now(), other.slot);
        maybe_finish(wire);
      }
    });
  }
}

// `side` is the reader's. Always safe to run late: `this` may be either end's transport, so nothing
// of it is used but the net.
void MemoryTransport::arrive(const WirePtr& wire, int side, Bytes data) {
  auto& reader = wire->ends[side];
  if (reader.gone || reader.owner == nullptr) return;
  if (reader.paused || !reader.slot) {
    reader.unread.push_back(std::move(data));
    return;
  }
  const std::size_t size = data.size();
  MemoryTransport* owner = reader.owner;
  owner->sink_->on_data(owner->net_.now(), reader.slot, std::move(data));
  auto& writer = wire->ends[1 - side];
  if (writer.gone || writer.owner == nullptr) return;
  writer.in_flight -= size;
  writer.owner->pump(wire, 1 - side);
  if (writer.above_low && writer.out_bytes <= kPipeBacklogLow) {
    writer.above_low = false;
    writer.owner->net_.at({}, [wire, side] {
      auto& waiting = wire->ends[1 - side];
      if (!waiting.gone && waiting.owner != nullptr)
        waiting.owner->sink_->on_writable(waiting.owner->net_.now(), waiting.slot);
    });
  }
}

void MemoryTransport::read_paused(PipeSlot slot, bool paused) {
  Pipe* pipe = pipes_.find(slot);
  if (pipe == nullptr) return;
  auto& end = pipe->wire->ends[pipe->side];
  end.paused = paused;
  if (paused) return;
  net_.at({}, [this, wire = pipe->wire, side = pipe->side] {
    for (Bytes& data : std::exchange(wire->ends[side].unread, {}))
      arrive(wire, side, std::move(data));
  });
}

void MemoryTransport::close(PipeSlot slot) {
  Pipe* pipe = pipes_.find(slot);
  if (pipe == nullptr) return;
  const WirePtr wire = pipe->wire;
  const int side = pipe->side;
  wire->ends[side].fin_wanted = true;
  pump(wire, side);
  net_.at({}, [this, wire] { maybe_finish(wire); });
  net_.at(kPipeLingerMax, [this, wire, side] {
    if (!wire->ends[side].gone) {
      finish(wire, side, fail(Errc::closed, "lingered"));
      kill(wire, 1 - side);
    }
  });
}

void MemoryTransport::maybe_finish(const WirePtr& wire) {
  for (int side : {0, 1}) {
    auto& end = wire->ends[side];
    if (!end.gone && end.slot && end.fin_sent && end.fin_seen)
      finish(wire, side, fail(Errc::closed, "ended"));
  }
}

void MemoryTransport::abort(PipeSlot slot) {
  Pipe* pipe = pipes_.find(slot);
  if (pipe == nullptr) return;
  net_.at({}, [this, wire = pipe->wire, side = pipe->side] {
    if (wire->ends[side].gone) return;
    finish(wire, side, fail(Errc::closed, "aborted"));
    kill(wire, 1 - side);
  });
}

// The other side hears of a reset one latency later.
void MemoryTransport::kill(const WirePtr& wire, int side) {
  net_.at(net_.options_.latency, [wire, side] {
    auto& end = wire->ends[side];
    if (!end.gone && end.owner != nullptr && end.slot)
      end.owner->finish(wire, side, fail(Errc::connection, "connection reset"));
  });
}

void MemoryTransport::finish(const WirePtr& wire, int side, Error error) {
  auto& end = wire->ends[side];
  if (end.gone || end.owner == nullptr) return;
  end.gone = true;
  MemoryTransport* owner = end.owner;
  const PipeSlot slot = end.slot;
  owner->pipes_.erase(slot);
  owner->sink_->on_closed(owner->net_.now(), slot, std::move(error));
}

}  // namespace kith::host
