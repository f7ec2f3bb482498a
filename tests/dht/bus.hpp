// Bus: many Dht cores in one process, joined by an in-memory network in virtual time. It stands in
// for Host on the level of the core's effects: connections, streams, messages with latency, peers
// that are dead (dials to them vanish until they time out) or turn hostile. No bytes are framed and
// nothing is encrypted; tests of the attachment do that.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <vector>

#include "dht/dht.hpp"
#include "dht/reply.hpp"
#include "tests/dht/support.hpp"

namespace kith::dht::test {

struct BusOptions {
  std::uint64_t seed = 1;
  Duration latency_min = 10ms;  // one way, per pair of nodes
  Duration latency_max = 100ms;
  Duration dial_timeout = 5s;  // how long a dead peer keeps a dialler waiting
};

struct BusCounts {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dials = 0;
  std::uint64_t dials_failed = 0;
};

class Bus {
 public:
  using Index = std::uint32_t;
  // What a hostile node answers instead of its core; nothing: the stream is left unanswered.
  using Villain = std::function<std::optional<Bytes>(Index asker, const libp2p::KadMessage&)>;

  struct Node final : AddrSource {
    Bus* bus = nullptr;
    PeerId id;
    std::unique_ptr<Dht> dht;
    Villain villain;
    bool alive = true;
    bool serving = true;
    Mono wake = kNever;
    std::map<PeerId, std::vector<Multiaddr>> known;  // the peer store
    std::map<Bytes, Bytes> store;
    std::map<RequestId, Result<RoutingAnswer>> done;
    std::map<RequestId, std::vector<RoutingProgress>> progress;
    std::map<RequestId, Mono> done_at;
    std::set<Index> connected;
    std::uint64_t served = 0;
    std::vector<Multiaddr> addrs_of(const PeerId& peer) const override;
  };

  explicit Bus(BusOptions options = {});

  Index add(DhtConfig config = {});  // config.self is filled in
  Node& node(Index index) { return *nodes_[index]; }
  Dht& dht(Index index) { return *nodes_[index]->dht; }
  std::size_t size() const { return nodes_.size(); }
  static PeerId id_of(Index index) { return peer_id(1'000'000 + index); }
  static Multiaddr addr_of(Index index) { return Multiaddr::of_memory(index); }
  Index index_of(const PeerId& id) const { return by_id_.at(id); }

  void start(Index index);  // on_started
  void start_all() {
    for (Index i = 0; i < size(); ++i) start(i);
  }
  void kill(Index index);  // its connections end; dials to it vanish
  // Same identity, same store, nothing else.
  void restart(Index index, DhtConfig config);
  void connect(Index from, Index to);  // makes both ready for each other
  // Fills every table as a network that has been running for long would have it: each bucket of
  // each node with random peers of that bucket, dead ones included. Everybody knows all addresses.
  void plant_tables();

  RequestId find_peer(Index from, const PeerId& id);
  RequestId find_closest(Index from, Bytes key);
  RequestId find_providers(Index from, const Multihash& key, std::uint32_t enough = 0);
  RequestId provide(Index from, const Multihash& key);
  RequestId put(Index from, std::string_view key, std::string_view value);
  RequestId get(Index from, std::string_view key);
  // Runs until `request` of `from` is done, and answers it.
  const Result<RoutingAnswer>& wait(Index from, RequestId request);

  Now now() const { return now_; }
  void run_for(Duration time);
  bool run_until(const std::function<bool()>& reached, Duration within);
  BusCounts& counts() { return counts_; }
  void run_on(Index index, const std::function<void(Dht&, Now, Effects&)>& command);

 private:
  struct Event {
    Mono at;
    std::uint64_t order;
    std::function<void()> run;
    bool operator<(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  struct Wire {  // one stream; ends 0 (opener) and 1
    Index ends[2];
    bool told[2] = {false, false};  // its on_closed went there
    bool ended[2] = {false, false};
    bool accepted = false;
  };

  void at(Duration delay, std::function<void()> run);
  Duration latency(Index a, Index b) const;
  void carry_out(Index index, Effects& effects);
  void apply(Index self, Connect& it);
  void apply(Index self, OpenStream& it);
  void apply(Index self, SendMessage& it);
  void apply(Index self, CloseStream& it);
  void apply(Index self, ResetStream& it);
  void apply(Index self, Reply& it);
  void apply(Index self, LearnAddrs& it);
  void apply(Index, KeepAddrs&) {}  // here nothing expires
  void apply(Index self, Persist& it);
  void apply(Index self, PersistNeighbour& it);
  void apply(Index self, SetServing& it);
  void apply(Index self, Progress& it);
  void apply(Index self, Done& it);
  void send(Index self, host::StreamSlot stream, Bytes message);
  void deliver(Index to, host::StreamSlot stream, Bytes message);
  void close_both(host::StreamSlot stream, const Error* error);
  void set_alarm(Index index);
  RequestId next_request() { return RequestId{++requests_}; }
  bool step(Mono until);

  BusOptions options_;
  std::shared_ptr<PeerBook> book_;
  GreaterWins greater_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<PeerId, Index> by_id_;
  std::map<Multiaddr, Index> by_addr_;
  std::priority_queue<Event> events_;
  std::uint64_t orders_ = 0;
  std::uint64_t requests_ = 0;
  std::uint32_t streams_ = 0;
  std::map<host::StreamSlot, Wire> wires_;
  Now now_ = test::at(0s);
  BusCounts counts_;
};

}  // namespace kith::dht::test
