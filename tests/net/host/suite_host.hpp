// SuiteHost: a Host with what the conformance suite needs beside it, whichever implementation.
#pragma once

#include <memory>
#include <utility>

#include "net/host/wire_host.hpp"

namespace kith::host {

class SuiteHost : public Host {
 public:
  virtual Result<Multiaddr> listen(const Multiaddr& on) = 0;
  virtual void stop() = 0;
  virtual HostUsage usage() const = 0;
  virtual std::vector<Multiaddr> observed_addrs() const = 0;
};

// H has the same members without the interface.
template <class H>
class SuiteHostOf final : public SuiteHost {
 public:
  template <class... Args>
  explicit SuiteHostOf(Args&&... args) : host_(std::forward<Args>(args)...) {}

  Result<Multiaddr> listen(const Multiaddr& on) override { return host_.listen(on); }
  void stop() override { host_.stop(); }
  HostUsage usage() const override { return host_.usage(); }
  std::vector<Multiaddr> observed_addrs() const override { return host_.observed_addrs(); }

  const PeerId& self() const override { return host_.self(); }
  std::vector<Multiaddr> listen_addrs() const override { return host_.listen_addrs(); }
  ProtocolIndex add_protocol(ProtocolSpec spec, Protocol& protocol) override {
    return host_.add_protocol(std::move(spec), protocol);
  }
  void set_serving(ProtocolIndex protocol, bool serve) override {
    host_.set_serving(protocol, serve);
  }
  std::vector<std::string> served_protocols() const override { return host_.served_protocols(); }
  void connect(ProtocolIndex who, RequestId request, const PeerId& id,
               std::span<const Multiaddr> addrs) override {
    host_.connect(who, request, id, addrs);
  }
  void disconnect(PeerSlot peer) override { host_.disconnect(peer); }
  bool busy(PeerSlot peer) const override { return host_.busy(peer); }
  std::optional<PeerSlot> find_peer(const PeerId& id) const override { return host_.find_peer(id); }
  const PeerFacts* facts(PeerSlot peer) const override { return host_.facts(peer); }
  std::vector<PeerStatus> peers() const override { return host_.peers(); }
  void learn_addrs(const PeerId& id, std::span<const Multiaddr> addrs, Duration lifetime) override {
    host_.learn_addrs(id, addrs, lifetime);
  }
  void keep_addrs(const PeerId& id, Duration lifetime) override { host_.keep_addrs(id, lifetime); }
  std::vector<Multiaddr> known_addrs(const PeerId& id) const override {
    return host_.known_addrs(id);
  }
  StreamSlot open(PeerSlot peer, ProtocolIndex protocol, Bytes first, Priority priority) override {
    return host_.open(peer, protocol, std::move(first), priority);
  }
  void send(StreamSlot stream, Bytes message, Priority priority, std::uint64_t tag) override {
    host_.send(stream, std::move(message), priority, tag);
  }
  std::size_t queued_bytes(StreamSlot stream) const override { return host_.queued_bytes(stream); }
  void release(StreamSlot stream, std::size_t bytes) override { host_.release(stream, bytes); }
  void close(StreamSlot stream) override { host_.close(stream); }
  void reset(StreamSlot stream) override { host_.reset(stream); }
  std::optional<PeerSlot> peer_of(StreamSlot stream) const override {
    return host_.peer_of(stream);
  }

 private:
  H host_;
};

}  // namespace kith::host
