// Node: the composition. It makes cores and attachments, wires them in one place, and owns what a
// user asked for until it is done. It does not know whether sockets or a simulator drive it:
// everything outside comes in through NodeParts.
//
// Rules: `requests` has one on_done for every start(), also after cancel, a deadline or stop(). A
// sink that goes away cancels.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "dht/routing.hpp"
#include "gossip/config.hpp"
#include "gossip/counters.hpp"
#include "gossip/gossip.hpp"
#include "net/base/log.hpp"
#include "net/base/loop.hpp"
#include "net/base/rng.hpp"
#include "net/base/store.hpp"
#include "net/host/host.hpp"
#include "services/cstore/cstore.hpp"
#include "services/edil/edil.hpp"
#include "services/node/connection_keeper.hpp"
#include "services/poa/poa.hpp"
#include "services/r1fs/r1fs.hpp"

namespace kith::crypto {
class Identity;
class Signatures;
}  // namespace kith::crypto

namespace kith::dht {
class PeerBook;
}  // namespace kith::dht

namespace kith::gossip {
class Outlines;
}  // namespace kith::gossip

namespace kith::node {

struct PoaOptions {
  poa::Timing timing;
  poa::Capacity machine;  // what the beats tell; the free space is added
  bool beat = true;       // false: only listens
};

struct NodeConfig {
  std::string network_id;            // "home-1a2b3c4d": prefixes all protocol ids and topics
  std::vector<Multiaddr> bootstrap;  // with or without /p2p
  dht::Mode dht_mode = dht::Mode::server;
  gossip::RouterConfig gossip;  // `self` is filled in
  std::uint64_t quota_bytes = 10ull << 30;
  std::uint64_t kept_quota_bytes = 5ull << 30;  // of the quota, for others' blocks
  bool keep_for_others = true;
  PoaOptions poa;
  ConnectionMarks connections;
  bool echo = false;  // serve /echo/1.0.0, for interoperation tests
};

// What the driver gives; all of it outlives the Node.
struct NodeParts {
  const crypto::Identity& identity;
  host::Host& host;
  Loop& loop;
  Store& store;
  Log& log;
  Rng rng;
  // Of all nodes of a simulation.
  crypto::Signatures* signatures = nullptr;  // null: each is checked by ourselves
  std::shared_ptr<dht::PeerBook> book = nullptr;
  std::shared_ptr<gossip::Outlines> outlines = nullptr;
};

// The families that a Node needs of its Store.
std::vector<FamilySpec> node_families();

// What a user can ask for. Everything is typed; text and JSON are the edges' business.
struct PeerConnect {
  Multiaddr addr;
};  // with or without /p2p
struct PeerPing {
  PeerId id;
  Multiaddr addr;
  std::uint32_t count = 4;
};  // addr may be empty
struct PeerEcho {
  Multiaddr addr;
  std::uint32_t streams = 1;
  std::uint64_t bytes = 0;
};
struct DhtFind {
  PeerId id;
};
struct DhtProviders {
  Cid cid;
  std::uint32_t enough = 20;
};
struct TopicPublish {
  std::string topic;
  Bytes data;
};
struct TopicSubscribe {
  std::string topic;
};  // runs until cancelled
struct FileAdd {
  r1fs::AddFile what;
};
struct FileGet {
  r1fs::GetFile what;
};
struct FileList {};
struct FileStat {
  Cid cid;
};
struct FileRemove {
  Cid cid;
};
using Request = std::variant<PeerConnect, PeerPing, PeerEcho, DhtFind, DhtProviders, TopicPublish,
                             TopicSubscribe, FileAdd, FileGet, FileList, FileStat, FileRemove,
                             poa::Request, cstore::Request, edil::Request>;

struct PingReply {
  std::uint32_t number = 0;
  Duration round_trip{};
};
struct TopicMessage {
  PeerId from;
  Bytes id;
  std::string topic;
  Bytes data;
};
using Progress = std::variant<PingReply, TopicMessage, r1fs::FileProgress, dht::RoutingProgress,
                              poa::Progress, cstore::Progress, edil::Progress>;

struct Done {};  // nothing to tell
struct Connected {
  PeerId id;
  Multiaddr addr;
};
struct Pinged {
  PeerId id;
  std::uint32_t sent = 0, received = 0;
  Duration min{}, mean{}, max{};
};
struct Echoed {
  std::uint32_t streams = 0;
  std::uint64_t bytes = 0;
  Duration took{};
};
struct Published {
  Bytes id;
  std::uint32_t peers = 0;
};
using Answer = std::variant<Done, Connected, Pinged, Echoed, Published, dht::RoutingAnswer,
                            r1fs::FileAnswer, poa::Answer, cstore::Answer, edil::Answer>;

class RequestSink {
 public:
  virtual void on_progress(Now, RequestId, const Progress&) {}
  virtual void on_done(Now, RequestId, Result<Answer>) = 0;

 protected:
  ~RequestSink() = default;
};

struct Status {
  PeerId id;
  std::string network_id;
  std::vector<Multiaddr> addrs;        // without /p2p
  std::vector<std::string> protocols;  // served
  std::uint32_t peers = 0;
  std::size_t dht_peers = 0;  // in the routing table
  dht::Mode dht_mode = dht::Mode::server;
  std::vector<gossip::TopicView> topics;
  gossip::Counters gossip;
  r1fs::StorageStatus storage;
  poa::Status poa;
  cstore::Status cstore;
  edil::Status edil;
  StoreUsage disk;
  Duration uptime{};
  std::uint64_t blocks_in = 0, block_bytes_in = 0, blocks_out = 0, block_bytes_out = 0;
  std::uint64_t block_duplicates_in = 0, block_rubbish_in = 0;
};

class Node {
 public:
  Node(NodeConfig config, NodeParts parts);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Loads what the store holds, then joins the network; `ready` is called once, from the loop.
  void start(std::function<void(Result<void>)> ready);
  // Ends every request and says goodbye to peers; `stopped` is called once what was under way is
  // durable.
  void stop(std::function<void()> stopped);

  RequestId start_request(Request request, Duration deadline, RequestSink& sink);
  void cancel(RequestId request);
  void drop_sink(RequestSink& sink);  // cancels its requests; it is not called again

  Status status() const;
  std::vector<host::PeerStatus> peers() const;
  gossip::Gossip& gossip();
  const gossip::Counters& gossip_counters() const;
  dht::Routing& routing();
  r1fs::R1fs& files();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kith::node
