// What the tests of net/host share: a host with two recording protocols on it, one a framing.
#pragma once

#include <algorithm>
#include <map>
#include <optional>

#include "harness.hpp"
#include "net/host/ping_service.hpp"
#include "net/host/wire_host.hpp"

namespace kith::host {

inline Bytes filled(std::size_t size, std::uint8_t seed = 1) {
  return Bytes::make(size, [&](std::span<std::uint8_t> to) {
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] = static_cast<std::uint8_t>(seed + i * 31 + (i >> 8));
  });
}

// Writes down everything; what a test wants done from inside a handler goes into a hook.
class Recorder final : public Protocol {
 public:
  struct Log {
    bool accepted = false;
    bool opened = false;
    std::string protocol;
    PeerSlot peer;
    std::vector<Bytes> messages;
    std::size_t bytes = 0;
    std::vector<std::uint8_t> data;
    int ends = 0;
    int closes = 0;
    std::optional<Error> error;
    int writables = 0;
    std::vector<std::uint64_t> refused;
  };

  void on_peer_ready(Now, PeerSlot peer, const PeerFacts& facts) override {
    ready.push_back(peer);
    facts_of[peer] = facts;
  }
  void on_peer_changed(Now, PeerSlot peer, const PeerFacts& facts) override {
    ++changes;
    facts_of[peer] = facts;
  }
  void on_peer_gone(Now, PeerSlot peer) override { gone.push_back(peer); }
  void on_connected(Now, RequestId request, Result<PeerSlot> result) override {
    connected.emplace(request.value, std::move(result));
  }
  void on_stream(Now, StreamSlot stream, PeerSlot peer, std::string_view protocol) override {
    streams[stream].accepted = true;
    streams[stream].peer = peer;
    streams[stream].protocol = protocol;
    order.push_back(stream);
    if (on_accepted) on_accepted(stream);
  }
  void on_opened(Now, StreamSlot stream, std::string_view protocol) override {
    streams[stream].opened = true;
    streams[stream].protocol = protocol;
  }
  void on_message(Now, StreamSlot stream, Bytes message) override {
    streams[stream].messages.push_back(message);
    streams[stream].bytes += message.size();
    if (on_each_message) on_each_message(stream, message);
  }
  void on_data(Now, StreamSlot stream, Bytes data) override {
    auto& log = streams[stream];
    log.bytes += data.size();
    if (keep_data) log.data.insert(log.data.end(), data.begin(), data.end());
    if (host != nullptr && auto_release) host->release(stream, data.size());
    if (on_each_data) on_each_data(stream, data);
  }
  void on_end(Now, StreamSlot stream) override {
    ++streams[stream].ends;
    if (host != nullptr && auto_close) host->close(stream);
  }
  void on_closed(Now, StreamSlot stream, const Error* error) override {
    ++streams[stream].closes;
    if (error != nullptr) streams[stream].error = *error;
  }
  void on_writable(Now, StreamSlot stream) override {
    ++streams[stream].writables;
    if (on_room) on_room(stream);
  }
  void on_send_refused(Now, StreamSlot stream, std::uint64_t tag) override {
    streams[stream].refused.push_back(tag);
  }

  // The last stream that was accepted.
  Log& last() { return streams.at(order.back()); }
  std::size_t closed() const {
    std::size_t all = 0;
    for (const auto& [slot, log] : streams) all += log.closes > 0;
    return all;
  }
  bool has_answer(std::uint64_t request) const { return connected.contains(request); }

  std::vector<PeerSlot> ready;
  std::vector<PeerSlot> gone;
  int changes = 0;
  std::map<PeerSlot, PeerFacts> facts_of;
  std::map<std::uint64_t, Result<PeerSlot>> connected;
  std::map<StreamSlot, Log> streams;
  std::vector<StreamSlot> order;  // of acceptance
  Host* host = nullptr;
  bool auto_release = true;
  bool auto_close = true;
  bool keep_data = true;
  std::function<void(StreamSlot)> on_accepted;
  std::function<void(StreamSlot, const Bytes&)> on_each_message;
  std::function<void(StreamSlot, const Bytes&)> on_each_data;
  std::function<void(StreamSlot)> on_room;
};

struct NodeOptions {
  HostLimits limits;
  ProtocolSpec messages = {.ids = {"/test/message/2", "/test/message/1"}};
  ProtocolSpec raw = {.ids = {"/test/raw/1"}, .framing = Framing::raw};
  bool listening = true;
};

class TestNode {
 public:
  TestNode(Harness& harness, std::uint64_t seed, NodeOptions options = {})
      : place(harness.add_node()),
        loop(harness.loop(place)),
        rng(seed),
        identity(crypto::Identity::make(rng)) {
    host = harness.make_host(
        place, HostConfig{identity, "kith-test/" + std::to_string(seed), 0, options.limits}, log,
        rng.fork("host"));
    messages.host = raw.host = host.get();
    message_index = host->add_protocol(options.messages, messages);
    raw_index = host->add_protocol(options.raw, raw);
    ping = std::make_unique<PingService>(*host, loop, rng.fork("ping"), 10ms);
    if (options.listening) addr = host->listen(harness.listen_addr(place)).value();
    if (!host->listen_addrs().empty()) addr = host->listen_addrs().front();
  }

  const PeerId& id() const { return identity.id(); }
  void connect(const TestNode& to, std::uint64_t request = 1) {
    host->connect(message_index, {request}, to.id(), std::vector{to.addr});
  }
  PeerSlot peer(const TestNode& other) const { return host->find_peer(other.id()).value(); }
  bool knows(const TestNode& other) const { return host->find_peer(other.id()).has_value(); }
  StreamSlot open(const TestNode& to, ProtocolIndex protocol, Bytes first = filled(3),
                  Priority priority = Priority::normal) {
    return host->open(peer(to), protocol, std::move(first), priority);
  }
  void send(StreamSlot stream, Bytes message, Priority priority = Priority::normal,
            std::uint64_t tag = 0) {
    host->send(stream, std::move(message), priority, tag);
  }
  // Nothing but what is remembered of addresses.
  bool is_empty() const {
    const HostUsage use = host->usage();
    return use.links + use.unauthenticated + use.peers + use.streams + use.connects + use.dials +
               use.assembly_bytes + use.identifies + use.events ==
           0;
  }

  std::size_t place;
  Loop& loop;
  NullLog log;
  Rng rng;
  crypto::Identity identity;
  Recorder messages;
  Recorder raw;
  std::unique_ptr<SuiteHost> host;
  std::unique_ptr<PingService> ping;
  ProtocolIndex message_index = 0;
  ProtocolIndex raw_index = 0;
  Multiaddr addr;
};

class HostSuite : public testing::TestWithParam<World> {
 protected:
  // Destroyed from the last: hosts before the world that they live in.
  std::unique_ptr<Harness> world_ = GetParam().make(7);
  std::vector<std::unique_ptr<TestNode>> nodes_;

  ~HostSuite() override {
    while (!nodes_.empty()) nodes_.pop_back();
  }
  TestNode& node(NodeOptions options = {}) {
    nodes_.push_back(std::make_unique<TestNode>(*world_, 100 + nodes_.size(), std::move(options)));
    return *nodes_.back();
  }
  bool until(const std::function<bool()>& reached, Duration within = 20s) {
    return world_->run_until(reached, within);
  }
  void join(TestNode& a, TestNode& b) {
    a.connect(b);
    ASSERT_TRUE(until([&] { return a.knows(b) && b.knows(a) && a.messages.has_answer(1); }));
    a.messages.connected.clear();
  }
  // A stream from a to b, accepted; where b sees it is b.messages.order.back().
  StreamSlot stream(TestNode& a, TestNode& b, Bytes first = filled(3)) {
    const std::size_t before = b.messages.order.size();
    const StreamSlot slot = a.open(b, a.message_index, std::move(first));
    EXPECT_TRUE(until([&] { return b.messages.order.size() > before; }));
    return slot;
  }
  StreamSlot raw_stream(TestNode& a, TestNode& b, Bytes first = filled(3)) {
    const std::size_t before = b.raw.order.size();
    const StreamSlot slot = a.open(b, a.raw_index, std::move(first));
    EXPECT_TRUE(until([&] { return b.raw.order.size() > before; }));
    return slot;
  }
};

}  // namespace kith::host
