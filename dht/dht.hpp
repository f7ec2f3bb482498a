// Dht: the core of Kademlia, which owns the routing table, the lookups, the requests under way, the
// records and their schedules, and says what is to be done (effects.hpp). Pure: the attachment, or
// a test, feeds it events and carries out its effects.
//
// Rules
// * A peer gets into the table when it has answered a request of ours: one that a lookup sent, or a
//   probe, which every ready peer that speaks the protocol gets while its bucket has room.
// * A command ends with exactly one Done: with what was found, Errc::not_found, timeout (after
//   kQueryDeadline, when nothing was found), exhausted (kQueriesMax under way) or cancelled. Asking
//   peers and finding no provider is an empty answer, not an error; having nobody to ask is one.
// * find_peer ends when we are connected to the peer; addresses that nobody could reach are given
// at
//   the end of the search. So one liar's wrong address does not end it.
// * A command that meets an empty table waits up to kTableWait for the first peer, if there is any
//   hope of one.
// * Queries of others are served in server mode only. Automatic mode begins as client and becomes
//   server when a stranger's connection has come in: then we can be reached.
// * Private addresses in answers are kept, or dropped with keep_private_addrs off.
// Bounds: in the headers of its parts; kQueriesMax queries, kProvidersFoundMax providers a query,
// kInboundIdle for a silent inbound stream.
#pragma once

#include <map>
#include <memory>

#include "dht/asks.hpp"
#include "dht/bootstrap.hpp"
#include "dht/effects.hpp"
#include "dht/lookup.hpp"
#include "dht/provided.hpp"
#include "dht/provider_records.hpp"
#include "dht/routing_table.hpp"
#include "dht/server.hpp"
#include "dht/upkeep.hpp"
#include "dht/value_poll.hpp"
#include "dht/value_records.hpp"

namespace kith::dht {

inline constexpr std::size_t kQueriesMax = 128;
inline constexpr std::size_t kReprovidesAtOnce = 3;
inline constexpr std::size_t kProvidersFoundMax = 100;
inline constexpr std::uint32_t kValueQuorum = 16;  // valid answers that settle get_value, as go has
inline constexpr Duration kRefreshDeadline = 20s;
inline constexpr Duration kTableWait = 10s;
inline constexpr Duration kInboundIdle = 60s;
inline constexpr Duration kSweepInterval = 1min;
inline constexpr Duration kProbeInterval = 5s;  // 180 within kProbeAfter
inline constexpr Duration kNeighbourLifetime = 30 * 24h;
inline constexpr Duration kHeardAddrsLifetime = 30min;  // of providers that lookups met
// Of peers in the table, after the last connection: they are told in our answers.
inline constexpr Duration kTableAddrsLifetime = 2h;

enum class ModeChoice : std::uint8_t { client, server, automatic };

struct DhtConfig {
  PeerId self;
  ModeChoice mode = ModeChoice::server;
  std::vector<Multiaddr> bootstrap;
  bool keep_private_addrs = true;
  std::uint32_t value_quorum = kValueQuorum;
  LookupLimits lookup;
};

// What a ready peer is to us.
struct ReadyPeer {
  PeerId id;
  Multiaddr remote;
  bool outbound = false;
  bool serves = false;  // speaks our protocol
};

class Dht {
 public:
  // `book` may be shared by the nodes of a simulation; null: one of our own.
  Dht(DhtConfig config, Rng rng, std::shared_ptr<PeerBook> book = nullptr);

  Validators& validators() { return validators_; }  // add to it before the first event

  // What the store holds, in any order, before on_started.
  void on_loaded(Now now, const StoredRecord& record, Effects& out);
  void on_started(Now now, Effects& out);

  void on_peer_ready(Now now, host::PeerSlot slot, const ReadyPeer& peer, Effects& out);
  void on_peer_changed(Now now, host::PeerSlot slot, bool serves, Effects& out);
  void on_peer_gone(Now now, host::PeerSlot slot, Effects& out);
  void on_connected(Now now, RequestId request, const Result<host::PeerSlot>& peer, Effects& out);
  // Answers OpenStream at once; false: reset the stream.
  [[nodiscard]] bool bind(AskId ask, host::StreamSlot stream) { return asks_.bind(ask, stream); }
  void on_stream(Now now, host::StreamSlot stream, host::PeerSlot peer, Effects& out);  // inbound
  void on_opened(Now now, host::StreamSlot stream, Effects& out);
  void on_message(Now now, host::StreamSlot stream, const Bytes& message, Effects& out);
  void on_ended(Now now, host::StreamSlot stream, Effects& out);
  void on_closed(Now now, host::StreamSlot stream, const Error* error, Effects& out);
  void on_tick(Now now, Effects& out);
  Mono next_deadline(Now now) const;

  void find_peer(Now now, RequestId request, const PeerId& id, Effects& out);
  void find_closest(Now now, RequestId request, Bytes key, Effects& out);
  void provide(Now now, RequestId request, const Multihash& key, Effects& out);
  void unprovide(Now now, const Multihash& key, Effects& out);
  void find_providers(Now now, RequestId request, const Multihash& key, std::uint32_t enough,
                      Effects& out);
  void put_value(Now now, RequestId request, Bytes key, Bytes value, Effects& out);
  void get_value(Now now, RequestId request, Bytes key, Effects& out);
  void cancel(Now now, RequestId request, Effects& out);
  void set_mode(Mode mode, Effects& out);
  // Where others reach us: what our provider records say.
  void set_self_addrs(std::vector<Multiaddr> addrs) { self_addrs_ = std::move(addrs); }

  Mode mode() const { return mode_; }
  const RoutingTable& table() const { return table_; }
  const ProviderRecords& providers() const { return providers_; }
  const ValueRecords& values() const { return values_; }
  const Provided& provided() const { return provided_; }
  std::size_t queries() const { return queries_.size(); }
  std::size_t asks_in_flight() const { return asks_.in_flight(); }
  // Puts a peer into the table as if it had just answered: how simulations begin with full tables.
  void plant(Now now, const PeerId& id, NetworkGroup group);

 private:
  enum class Goal : std::uint8_t { peer, closest, providers, value, provide, put, refresh };
  struct Query {
    Query(Goal of, Bytes raw_key, Lookup search)
        : goal(of), key(std::move(raw_key)), lookup(std::move(search)) {}
    Goal goal;
    QuerySlot slot;
    Bytes key;  // raw
    Lookup lookup;
    std::optional<RequestId> request;  // none: our own
    libp2p::KadType asks = libp2p::KadType::find_node;
    Bytes question;            // encoded, the same for every peer
    PeerRef wanted;            // Goal::peer
    std::uint32_t enough = 0;  // Goal::providers
    std::vector<PeerInfo> found;
    std::optional<ValuePoll> poll;  // Goal::value
    Bytes value;                    // Goal::put
    bool waiting = false;           // for a first peer in the table
    bool widened = false;           // widen() has done what it can
    bool publishing = false;
    std::uint32_t outstanding = 0;  // of what is published
    std::uint32_t stored = 0;
    Mono deadline{};
    Mono timer{};  // its place in deadlines_
  };
  struct Ready {
    PeerRef peer;
    NetworkGroup group = 0;
    bool serves = false;
    RequestRate rate;
  };
  struct Inbound {
    host::PeerSlot peer;
    Mono heard{};
  };

  // dht.cpp: events
  void add_to_table(Now now, const PeerRef& peer, host::PeerSlot slot, Effects& out);
  void note_failure(Now now, const PeerRef& peer, Effects& out);
  void probe(Now now, const PeerRef& peer, Effects& out);
  void serve(Now now, host::StreamSlot stream, Inbound& inbound, const Bytes& message,
             Effects& out);
  void close_silent(Now now, Effects& out);
  void keep_up(Now now, Effects& out);
  void settle(Now now, Effects& out);  // handles outcomes until none is left
  void on_outcome(Now now, Outcome outcome, Effects& out);
  void on_search_outcome(Now now, Query& query, Outcome& outcome, Effects& out);
  bool wants_peers() const { return table_.size() < kReplication; }
  bool hopeful() const;  // may a first peer come into the table soon?

  // dht_queries.cpp: commands and lookups
  // Null: too many are under way, which the asker has been told.
  Query* begin(Now now, Goal goal, std::optional<RequestId> request, Bytes key, Effects& out);
  void start(Now now, Query& query, Effects& out);
  void start_waiting(Now now, Effects& out);
  void seed(Query& query);
  void widen(Query& query);
  void advance(Now now, Query& query, Effects& out);
  void on_answer(Now now, Query& query, Outcome& outcome, Effects& out);
  void take_providers(Query& query, std::vector<libp2p::KadPeer>& from, Effects& out);
  bool satisfied(Now now, const Query& query) const;
  void on_search_over(Now now, Query& query, Effects& out);
  void publish(Now now, Query& query, Effects& out);
  void on_published(Now now, Query& query, bool stored, Effects& out);
  void correct(Now now, const Query& query, Effects& out);
  void end(Now now, Query& query, Result<RoutingAnswer> answer, Effects& out);
  void on_deadline(Now now, Query& query, Effects& out);
  void set_timer(Query& query, Mono at);
  void report(const Query& query, std::vector<PeerInfo> found, Effects& out) const;
  Result<RoutingAnswer> answer_of(const Query& query) const;
  void reprovide(Now now, Effects& out);
  void refresh(Now now, Effects& out);
  std::vector<HeardPeer> heard_from(std::vector<libp2p::KadPeer>& peers);
  std::optional<host::PeerSlot> slot_of(const PeerRef& peer) const;
  void filter(std::vector<Multiaddr>& addrs) const;

  DhtConfig config_;
  std::shared_ptr<PeerBook> book_;
  PeerRef self_;
  Rng rng_;
  Mode mode_;
  Validators validators_;
  RoutingTable table_;
  ProviderRecords providers_;
  ValueRecords values_;
  Provided provided_;
  Bootstrap bootstrap_;
  Upkeep upkeep_;
  Asks asks_;
  SlotMap<host::PeerSlot, Ready> ready_;
  std::map<PeerId, Connected> connected_;  // ready_ by id
  Server server_;
  SlotMap<host::StreamSlot, Inbound> inbound_;
  Slots<QuerySlot, Query> queries_;
  std::set<std::pair<Mono, QuerySlot>> deadlines_;  // of queries
  std::map<RequestId, QuerySlot> requests_;
  std::size_t reprovides_ = 0;  // under way
  std::vector<Multiaddr> self_addrs_;
  Outcomes outcomes_;
  Mono next_sweep_{};
  Mono next_probe_{};
  bool started_ = false;
};

}  // namespace kith::dht
