// FakeHost: records what one protocol asks for, and says to it what the test wants.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "net/host/host.hpp"

namespace kith::gossip {

class FakeHost final : public host::Host {
 public:
  struct Sent {
    host::StreamSlot stream;
    Bytes message;
    host::Priority priority;
  };

  struct Connect {
    RequestId request;
    PeerId id;
    std::vector<Multiaddr> addrs;
  };

  // What the test does.
  host::PeerSlot come(Now now, const PeerId& id, std::vector<std::string> protocols,
                      bool outbound = false) {
    const host::PeerSlot peer{peers_count++, 0};
    host::PeerFacts& facts = facts_[peer];
    facts.id = id;
    facts.outbound = outbound;
    facts.protocols = std::move(protocols);
    protocol->on_peer_ready(now, peer, facts);
    return peer;
  }
  void change(Now now, host::PeerSlot peer, std::vector<std::string> protocols) {
    facts_[peer].protocols = std::move(protocols);
    protocol->on_peer_changed(now, peer, facts_[peer]);
  }
  void go(Now now, host::PeerSlot peer) {
    protocol->on_peer_gone(now, peer);
    facts_.erase(peer);
  }
  host::StreamSlot accept(Now now, host::PeerSlot peer) {
    const host::StreamSlot stream{streams_count++, 0};
    streams_[stream] = peer;
    protocol->on_stream(now, stream, peer, "/meshsub/1.1.0");
    return stream;
  }
  std::vector<Sent> take_sent() { return std::exchange(sent, {}); }

  host::Protocol* protocol = nullptr;
  host::ProtocolSpec spec;
  std::vector<Sent> sent;  // first messages too
  std::vector<Connect> connects;
  std::vector<std::pair<host::StreamSlot, host::PeerSlot>> opened;
  std::set<host::StreamSlot> reset_streams, closed_streams;
  PeerId self_id;

  // Host.
  const PeerId& self() const override { return self_id; }
  std::vector<Multiaddr> listen_addrs() const override { return {}; }
  host::ProtocolIndex add_protocol(host::ProtocolSpec what, host::Protocol& who) override {
    spec = std::move(what);
    protocol = &who;
    return 0;
  }
  void set_serving(host::ProtocolIndex, bool) override {}
  std::vector<std::string> served_protocols() const override { return spec.ids; }
  void connect(host::ProtocolIndex, RequestId request, const PeerId& id,
               std::span<const Multiaddr> addrs) override {
    connects.push_back({request, id, {addrs.begin(), addrs.end()}});
  }
  void disconnect(host::PeerSlot) override {}
  bool busy(host::PeerSlot) const override { return false; }
  std::optional<host::PeerSlot> find_peer(const PeerId&) const override { return std::nullopt; }
  const host::PeerFacts* facts(host::PeerSlot peer) const override {
    const auto at = facts_.find(peer);
    return at == facts_.end() ? nullptr : &at->second;
  }
  std::vector<host::PeerStatus> peers() const override { return {}; }
  void learn_addrs(const PeerId&, std::span<const Multiaddr>, Duration) override {}
  void keep_addrs(const PeerId&, Duration) override {}
  std::vector<Multiaddr> known_addrs(const PeerId&) const override { return {}; }
  host::StreamSlot open(host::PeerSlot peer, host::ProtocolIndex, Bytes first,
                        host::Priority priority) override {
    const host::StreamSlot stream{streams_count++, 0};
    streams_[stream] = peer;
    opened.emplace_back(stream, peer);
    sent.push_back({stream, std::move(first), priority});
    return stream;
  }
  void send(host::StreamSlot stream, Bytes message, host::Priority priority,
            std::uint64_t) override {
    sent.push_back({stream, std::move(message), priority});
  }
  std::size_t queued_bytes(host::StreamSlot) const override { return 0; }
  void release(host::StreamSlot, std::size_t) override {}
  void close(host::StreamSlot stream) override { closed_streams.insert(stream); }
  void reset(host::StreamSlot stream) override { reset_streams.insert(stream); }
  std::optional<host::PeerSlot> peer_of(host::StreamSlot stream) const override {
    const auto at = streams_.find(stream);
    return at == streams_.end() ? std::nullopt : std::optional(at->second);
  }

 private:
  std::map<host::StreamSlot, host::PeerSlot> streams_;
  std::map<host::PeerSlot, host::PeerFacts> facts_;
  std::uint32_t peers_count = 0;
  std::uint32_t streams_count = 0;
};

}  // namespace kith::gossip
