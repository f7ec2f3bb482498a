#include "tests/dht/bus.hpp"

#include <algorithm>

namespace kith::dht::test {
namespace {

int end_of(const Bus::Index* ends, Bus::Index self, bool opener_first) {
  if (ends[0] == ends[1]) return opener_first ? 0 : 1;
  return ends[0] == self ? 0 : 1;
}

}  // namespace

std::vector<Multiaddr> Bus::Node::addrs_of(const PeerId& peer) const {
  if (peer == id) return {Bus::addr_of(bus->index_of(id))};
  const auto found = known.find(peer);
  return found == known.end() ? std::vector<Multiaddr>{} : found->second;
}

Bus::Bus(BusOptions options)
    : options_(options), book_(std::make_shared<PeerBook>(Rng(options.seed).fork("book"))) {}

Bus::Index Bus::add(DhtConfig config) {
  const Index index = static_cast<Index>(nodes_.size());
  auto node = std::make_unique<Node>();
  node->bus = this;
  node->id = id_of(index);
  config.self = node->id;
  node->serving = config.mode == ModeChoice::server;
  node->dht =
      std::make_unique<Dht>(std::move(config), Rng(options_.seed).fork("node", index), book_);
  node->dht->validators().add("n", greater_);
  node->dht->set_self_addrs({addr_of(index)});
  by_id_[node->id] = index;
  by_addr_[addr_of(index)] = index;
  nodes_.push_back(std::move(node));
  return index;
}

void Bus::at(Duration delay, std::function<void()> run) {
  events_.push({now_.mono + delay, ++orders_, std::move(run)});
}

Duration Bus::latency(Index a, Index b) const {
  const std::uint64_t pair = static_cast<std::uint64_t>(std::min(a, b)) << 32 | std::max(a, b);
  std::uint64_t mixed = (pair + options_.seed) * 0x9E3779B97F4A7C15ull;
  mixed ^= mixed >> 29;
  mixed *= 0xBF58476D1CE4E5B9ull;
  mixed ^= mixed >> 32;
  const auto range =
      static_cast<std::uint64_t>((options_.latency_max - options_.latency_min).count());
  return options_.latency_min + Duration(static_cast<std::int64_t>(mixed % (range + 1)));
}

void Bus::run_on(Index index, const std::function<void(Dht&, Now, Effects&)>& command) {
  Node& node = *nodes_[index];
  if (!node.alive) return;
  Effects effects;
  command(*node.dht, now_, effects);
  carry_out(index, effects);
}

void Bus::carry_out(Index index, Effects& effects) {
  for (Effect& effect : effects) std::visit([&](auto& one) { apply(index, one); }, effect);
  set_alarm(index);
}

void Bus::set_alarm(Index index) {
  Node& node = *nodes_[index];
  const Mono next = std::max(node.dht->next_deadline(now_), now_.mono);
  if (next == kNever || next >= node.wake) return;
  node.wake = next;
  events_.push({next, ++orders_, [this, index, next] {
                  Node& woken = *nodes_[index];
                  if (woken.wake != next || !woken.alive) return;
                  woken.wake = kNever;
                  run_on(index, [](Dht& dht, Now now, Effects& out) { dht.on_tick(now, out); });
                }});
}

void Bus::start(Index index) {
  run_on(index, [](Dht& dht, Now now, Effects& out) { dht.on_started(now, out); });
}

void Bus::connect(Index from, Index to) {
  if (!nodes_[from]->connected.insert(to).second) return;
  nodes_[to]->connected.insert(from);
  const auto ready = [this](Index self, Index other, bool outbound) {
    nodes_[self]->known[nodes_[other]->id] = {addr_of(other)};
    const ReadyPeer peer{nodes_[other]->id, addr_of(other), outbound, nodes_[other]->serving};
    run_on(self, [&](Dht& dht, Now now, Effects& out) {
      dht.on_peer_ready(now, peer_slot(other), peer, out);
    });
  };
  ready(to, from, false);
  ready(from, to, true);
}

void Bus::kill(Index index) {
  Node& gone = *nodes_[index];
  gone.alive = false;
  gone.wake = kNever;
  const Error closed = fail(Errc::closed, "the peer went away");
  std::vector<host::StreamSlot> streams;
  for (const auto& [slot, wire] : wires_)
    if (wire.ends[0] == index || wire.ends[1] == index) streams.push_back(slot);
  for (const host::StreamSlot stream : streams) close_both(stream, &closed);
  for (const Index other : gone.connected) {
    nodes_[other]->connected.erase(index);
    run_on(other,
           [&](Dht& dht, Now now, Effects& out) { dht.on_peer_gone(now, peer_slot(index), out); });
  }
  gone.connected.clear();
}

void Bus::restart(Index index, DhtConfig config) {
  if (nodes_[index]->alive) kill(index);
  Node& node = *nodes_[index];
  config.self = node.id;
  node.known.clear();
  node.alive = true;
  node.wake = kNever;
  node.dht =
      std::make_unique<Dht>(std::move(config), Rng(options_.seed).fork("again", ++orders_), book_);
  node.dht->validators().add("n", greater_);
  node.dht->set_self_addrs({addr_of(index)});
  const std::map<Bytes, Bytes> store = node.store;
  run_on(index, [&](Dht& dht, Now now, Effects& out) {
    for (const auto& [key, value] : store) dht.on_loaded(now, *decode_stored(key, value), out);
    dht.on_started(now, out);
  });
}

void Bus::plant_tables() {
  Rng rng = Rng(options_.seed).fork("plant");
  std::vector<Index> order(size());
  for (Index i = 0; i < size(); ++i) order[i] = i;
  for (Index i = 0; i < size(); ++i) {
    rng.shuffle(order);
    for (const Index other : order) {
      if (other == i) continue;
      if (nodes_[other]->serving) dht(i).plant(now_, nodes_[other]->id, 0);
      nodes_[i]->known[nodes_[other]->id] = {addr_of(other)};
    }
  }
}

void Bus::apply(Index self, Connect& it) {
  ++counts_.dials;
  const auto answer = [this, self, request = it.request](Result<host::PeerSlot> result) {
    run_on(self,
           [&](Dht& dht, Now now, Effects& out) { dht.on_connected(now, request, result, out); });
  };
  std::vector<Multiaddr> addrs = it.addrs;
  if (addrs.empty()) addrs = nodes_[self]->addrs_of(it.id);
  // The node that listens where one of the addresses leads and is who it should be.
  std::optional<Index> target;
  for (const Multiaddr& addr : addrs)
    if (const auto found = by_addr_.find(addr); found != by_addr_.end() && !target)
      if (it.id.empty() || nodes_[found->second]->id == it.id) target = found->second;
  if (!target || *target == self) {
    ++counts_.dials_failed;
    const Duration wait = addrs.empty() ? 0ms : options_.dial_timeout;
    return at(wait, [answer] { answer(fail(Errc::connection, "nobody is there")); });
  }
  const Index to = *target;
  if (nodes_[self]->connected.contains(to)) return at(0s, [answer, to] { answer(peer_slot(to)); });
  if (!nodes_[to]->alive) {
    ++counts_.dials_failed;
    return at(options_.dial_timeout, [answer] { answer(fail(Errc::timeout, "no answer")); });
  }
  // TCP, Noise and identify: three round trips and a half.
  at(7 * latency(self, to), [this, self, to, answer] {
    if (!nodes_[self]->alive) return;
    if (!nodes_[to]->alive) return answer(fail(Errc::connection, "it went away"));
    connect(self, to);
    answer(peer_slot(to));
  });
}

void Bus::apply(Index self, OpenStream& it) {
  const Index to = it.peer.index;
  const host::StreamSlot stream = stream_slot(++streams_);
  wires_[stream] = {{self, to}, {}, {}, false};
  CHECK(dht(self).bind(it.ask, stream));
  if (!nodes_[self]->connected.contains(to)) {
    const Error gone = fail(Errc::closed, "not connected");
    return at(0s, [this, stream, gone] { close_both(stream, &gone); });
  }
  ++counts_.messages;
  counts_.bytes += it.message.size();
  const Duration way = latency(self, to);
  at(way, [this, self, to, stream, way, message = std::move(it.message)]() mutable {
    const auto wire = wires_.find(stream);
    if (wire == wires_.end() || !nodes_[to]->alive) return;
    if (!nodes_[to]->serving) {
      const Error refused = fail(Errc::unsupported, "protocol not supported");
      return at(way, [this, stream, refused] { close_both(stream, &refused); });
    }
    wire->second.accepted = true;
    at(way, [this, self, stream] {
      if (!wires_.contains(stream)) return;
      run_on(self, [&](Dht& dht, Now now, Effects& out) { dht.on_opened(now, stream, out); });
    });
    if (!nodes_[to]->villain)
      run_on(to, [&](Dht& dht, Now now, Effects& out) {
        dht.on_stream(now, stream, peer_slot(self), out);
      });
    deliver(to, stream, std::move(message));
  });
}

void Bus::apply(Index self, SendMessage& it) { send(self, it.stream, std::move(it.message)); }

void Bus::apply(Index self, Reply& it) {
  const host::StreamSlot stream = it.stream;
  ++nodes_[self]->served;
  send(self, stream, encode_reply(std::move(it), *nodes_[self], true));
}

void Bus::send(Index self, host::StreamSlot stream, Bytes message) {
  const auto wire = wires_.find(stream);
  if (wire == wires_.end()) return;
  const Index to = wire->second.ends[wire->second.ends[0] == self ? 1 : 0];
  ++counts_.messages;
  counts_.bytes += message.size();
  at(latency(self, to), [this, to, stream, message = std::move(message)]() mutable {
    deliver(to, stream, std::move(message));
  });
}

void Bus::deliver(Index to, host::StreamSlot stream, Bytes message) {
  const auto wire = wires_.find(stream);
  if (wire == wires_.end() || !nodes_[to]->alive) return;
  Node& node = *nodes_[to];
  const Index from = wire->second.ends[wire->second.ends[0] == to ? 1 : 0];
  if (node.villain && wire->second.ends[1] == to) {
    const auto request = libp2p::decode_kad(message);
    if (std::optional<Bytes> lie = node.villain(from, *request)) send(to, stream, std::move(*lie));
    return;
  }
  run_on(to, [&](Dht& dht, Now now, Effects& out) { dht.on_message(now, stream, message, out); });
}

void Bus::apply(Index self, CloseStream& it) {
  const auto wire = wires_.find(it.stream);
  if (wire == wires_.end()) return;
  const int end = end_of(wire->second.ends, self, true);
  const Index to = wire->second.ends[1 - end];
  if (std::exchange(wire->second.ended[end], true)) return;
  at(latency(self, to), [this, to, end, stream = it.stream] {
    const auto found = wires_.find(stream);
    if (found == wires_.end()) return;
    if (found->second.ended[1 - end]) return close_both(stream, nullptr);
    if (nodes_[to]->villain) return close_both(stream, nullptr);
    run_on(to, [&](Dht& dht, Now now, Effects& out) { dht.on_ended(now, stream, out); });
  });
}

void Bus::apply(Index self, ResetStream& it) {
  const auto wire = wires_.find(it.stream);
  if (wire == wires_.end()) return;
  const Index to = wire->second.ends[wire->second.ends[0] == self ? 1 : 0];
  at(latency(self, to), [this, stream = it.stream] {
    const Error reset = fail(Errc::closed, "reset");
    close_both(stream, &reset);
  });
}

void Bus::close_both(host::StreamSlot stream, const Error* error) {
  const auto found = wires_.find(stream);
  if (found == wires_.end()) return;
  const Wire wire = found->second;
  wires_.erase(found);
  for (const Index end : wire.ends)
    run_on(end, [&](Dht& dht, Now now, Effects& out) { dht.on_closed(now, stream, error, out); });
}

void Bus::apply(Index self, LearnAddrs& it) {
  std::vector<Multiaddr>& known = nodes_[self]->known[it.id];
  for (const Multiaddr& addr : it.addrs)
    if (std::find(known.begin(), known.end(), addr) == known.end()) known.push_back(addr);
}

void Bus::apply(Index self, Persist& it) {
  if (it.value)
    nodes_[self]->store[it.key] = *it.value;
  else
    nodes_[self]->store.erase(it.key);
}

void Bus::apply(Index self, PersistNeighbour& it) {
  const StoredEntry entry =
      encode_stored(StoredNeighbour{it.peer.id(), it.seen, nodes_[self]->addrs_of(it.peer.id())});
  nodes_[self]->store[entry.key] = entry.value;
}

void Bus::apply(Index self, SetServing& it) { nodes_[self]->serving = it.serve; }

void Bus::apply(Index self, Progress& it) {
  CHECK(!nodes_[self]->done.contains(it.request));
  nodes_[self]->progress[it.request].push_back(it.progress);
}

void Bus::apply(Index self, Done& it) {
  CHECK(!nodes_[self]->done.contains(it.request));
  nodes_[self]->done.emplace(it.request, std::move(it.answer));
  nodes_[self]->done_at[it.request] = now_.mono;
}

RequestId Bus::find_peer(Index from, const PeerId& id) {
  const RequestId request = next_request();
  run_on(from, [&](Dht& dht, Now now, Effects& out) { dht.find_peer(now, request, id, out); });
  return request;
}
RequestId Bus::find_closest(Index from, Bytes key) {
  const RequestId request = next_request();
  run_on(from, [&](Dht& dht, Now now, Effects& out) { dht.find_closest(now, request, key, out); });
  return request;
}
RequestId Bus::find_providers(Index from, const Multihash& key, std::uint32_t enough) {
  const RequestId request = next_request();
  run_on(from, [&](Dht& dht, Now now, Effects& out) {
    dht.find_providers(now, request, key, enough, out);
  });
  return request;
}
RequestId Bus::provide(Index from, const Multihash& key) {
  const RequestId request = next_request();
  run_on(from, [&](Dht& dht, Now now, Effects& out) { dht.provide(now, request, key, out); });
  return request;
}
RequestId Bus::put(Index from, std::string_view key, std::string_view value) {
  const RequestId request = next_request();
  run_on(from, [&](Dht& dht, Now now, Effects& out) {
    dht.put_value(now, request, Bytes::copy(key), Bytes::copy(value), out);
  });
  return request;
}
RequestId Bus::get(Index from, std::string_view key) {
  const RequestId request = next_request();
  run_on(from, [&](Dht& dht, Now now, Effects& out) {
    dht.get_value(now, request, Bytes::copy(key), out);
  });
  return request;
}

const Result<RoutingAnswer>& Bus::wait(Index from, RequestId request) {
  CHECK(run_until([&] { return nodes_[from]->done.contains(request); }, 2min));
  return nodes_[from]->done.at(request);
}

bool Bus::step(Mono until) {
  if (events_.empty() || events_.top().at > until) return false;
  Event event = std::move(const_cast<Event&>(events_.top()));
  events_.pop();
  now_.wall += event.at - now_.mono;
  now_.mono = event.at;
  event.run();
  return true;
}

void Bus::run_for(Duration time) {
  const Mono until = now_.mono + time;
  while (step(until)) {
  }
  now_.wall += until - now_.mono;
  now_.mono = until;
}

bool Bus::run_until(const std::function<bool()>& reached, Duration within) {
  const Mono until = now_.mono + within;
  while (!reached())
    if (!step(until)) return false;
  return true;
}

}  // namespace kith::dht::test
