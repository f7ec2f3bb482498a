#include "services/node/node.hpp"

#include "dht/attachment.hpp"
#include "gossip/attachment.hpp"
#include "net/crypto/identity.hpp"
#include "net/host/ping_service.hpp"
#include "services/cstore/cstore_attachment.hpp"
#include "services/edil/edil_attachment.hpp"
#include "services/node/echo.hpp"
#include "services/node/edil_objects.hpp"
#include "services/node/peer_requests.hpp"
#include "services/node/request_table.hpp"
#include "services/node/topic_hub.hpp"
#include "services/poa/poa_attachment.hpp"
#include "services/r1fs/exchange_attachment.hpp"
#include "services/r1fs/r1fs_attachment.hpp"

namespace kith::node {
namespace {

gossip::RouterConfig gossip_config(const NodeConfig& config, const NodeParts& parts) {
  gossip::RouterConfig made = config.gossip;
  made.self = parts.host.self();
  return made;
}

dht::AttachmentConfig dht_config(const NodeConfig& config, const NodeParts& parts) {
  dht::AttachmentConfig made;
  made.protocols = {"/kith/" + config.network_id + "/kad/1.0.0"};
  made.dht.self = parts.host.self();
  made.dht.bootstrap = config.bootstrap;
  made.dht.mode =
      config.dht_mode == dht::Mode::server ? dht::ModeChoice::server : dht::ModeChoice::client;
  return made;
}

r1fs::R1fsConfig r1fs_config(const NodeConfig& config) {
  return {config.network_id, {config.quota_bytes, config.kept_quota_bytes}, config.keep_for_others};
}

}  // namespace

std::vector<FamilySpec> node_families() {
  return {{"meta", false},       {"gossip", false},     {"dht", false}, {"r1fs_blocks", true},
          {"r1fs_meta", false},  {"r1fs_files", false}, {"poa", false}, {"cstore_meta", false},
          {"cstore_log", false}, {"edil", false}};
}

// Which cores there are and what each is attached to. Members are made from top to bottom, each
// from those above it.
struct Node::Impl final : dht::RoutingSink, r1fs::FileSink, poa::Sink, cstore::Sink, edil::Sink {
  Impl(NodeConfig c, NodeParts p)
      : config(std::move(c)),
        parts(p),
        requests(parts.loop, [this](RequestId request) { abandon(request); }),
        ping(parts.host, parts.loop, parts.rng.fork("ping")),
        echo(parts.host, parts.loop, requests, config.echo),
        routing(dht_config(config, parts), parts.host, parts.loop, &parts.store, parts.log,
                parts.rng.fork("dht"), parts.book),
        reach(parts.host, routing),
        peers(parts.host, reach, ping, echo, requests),
        gossip(gossip_config(config, parts), parts.host, parts.loop, parts.identity, &parts.store,
               parts.log, parts.rng.fork("gossip"),
               parts.signatures != nullptr ? *parts.signatures : crypto::direct_signatures(),
               parts.outlines),
        topics(gossip, requests),
        connections(parts.host, parts.loop, config.connections,
                    [this](host::PeerSlot peer) { return gossip.in_mesh(peer); }),
        exchange(parts.host, parts.loop, parts.log),
        files(r1fs_config(config), parts.host, parts.loop, parts.store, gossip, routing, exchange,
              parts.log),
        poa({config.network_id, config.poa.timing, config.poa.machine, config.poa.beat}, parts.host,
            parts.loop, parts.store, gossip, reach, parts.identity, parts.log,
            parts.rng.fork("poa")),
        cstore({config.network_id}, parts.host, parts.loop, parts.store, gossip, parts.identity,
               parts.log, parts.rng.fork("cstore")),
        objects(requests, files, *this),
        edil(config.network_id, parts.identity, parts.host, parts.loop, parts.store, gossip,
             objects, parts.log, parts.rng.fork("edil")) {
    exchange.set_supplier(files);
  }

  NodeConfig config;
  NodeParts parts;
  RequestTable requests;
  host::PingService ping;
  Echo echo;
  dht::Attachment routing;
  dht::Reach reach;
  PeerRequests peers;
  gossip::Attachment gossip;
  TopicHub topics;
  ConnectionKeeper connections;
  r1fs::ExchangeAttachment exchange;
  r1fs::Attachment files;
  poa::Attachment poa;
  cstore::Attachment cstore;
  EdilObjects objects;
  edil::Attachment edil;
  Mono started{};
  bool stopping = false;

  // One line a request: who works on it.
  void run(RequestId id, PeerConnect& what) { peers.connect(id, what.addr); }
  void run(RequestId id, PeerPing& what) { peers.ping(id, what); }
  void run(RequestId id, PeerEcho& what) { peers.echo(id, what); }
  void run(RequestId id, DhtFind& what) { routing.find_peer(id, what.id, *this); }
  void run(RequestId id, DhtProviders& what) {
    routing.find_providers(id, what.cid.hash(), what.enough, *this);
  }
  void run(RequestId id, TopicPublish& what) {
    const auto hearers = static_cast<std::uint32_t>(gossip.subscribers(what.topic).size());
    auto sent = gossip.publish(what.topic, std::move(what.data));
    finish(id, sent ? Result<Answer>(Published{*sent, hearers}) : Result<Answer>(sent.error()));
  }
  void run(RequestId id, TopicSubscribe& what) {
    if (auto joined = topics.join(id, what.topic); !joined) finish(id, joined.error());
  }
  void run(RequestId id, FileAdd& what) { files.add(id, std::move(what.what), *this); }
  void run(RequestId id, FileGet& what) { files.get(id, std::move(what.what), *this); }
  void run(RequestId id, FileList&) { files.list(id, *this); }
  void run(RequestId id, FileStat& what) { files.stat(id, what.cid, *this); }
  void run(RequestId id, FileRemove& what) { files.remove(id, what.cid, *this); }

  void run(RequestId id, poa::Request& what) { poa.run(id, std::move(what), *this); }
  void run(RequestId id, cstore::Request& what) { cstore.run(id, std::move(what), *this); }
  void run(RequestId id, edil::Request& what) { edil.run(id, std::move(what), *this); }

  // Answers come after start_request has returned its id.
  void finish(RequestId id, Result<Answer> answer) {
    auto held = std::make_shared<Result<Answer>>(std::move(answer));
    parts.loop.post([this, alive = alive, id, held] {
      if (*alive) requests.done(id, std::move(*held));
    });
  }

  // Services, each started when the one before it is ready.
  using Started = std::function<void(Result<void>)>;
  std::vector<std::function<void(Started)>> starters() {
    return {[this](Started then) { files.start(std::move(then)); },
            [this](Started then) { poa.start(std::move(then)); },
            [this](Started then) { cstore.start(std::move(then)); },
            [this](Started then) { edil.start(std::move(then)); }};
  }
  void start_services(std::size_t next, Started ready) {
    const auto all = starters();
    if (next == all.size()) return ready({});
    all[next]([this, next, ready = std::move(ready)](Result<void> result) {
      if (!result) return ready(std::move(result));
      start_services(next + 1, ready);
    });
  }

  void abandon(RequestId id) {
    peers.abandon(id);
    routing.cancel(id);
    topics.leave(id);
    files.cancel(id);
    poa.cancel(id);
    cstore.cancel(id);
    edil.cancel(id);
  }

  template <class Told>
  void done(RequestId id, Result<Told> answer) {
    requests.done(id, answer ? Result<Answer>(std::move(*answer)) : Result<Answer>(answer.error()));
  }
  void on_routing_progress(Now, RequestId id, const dht::RoutingProgress& progress) override {
    requests.progress(id, progress);
  }
  void on_routing_done(Now, RequestId id, Result<dht::RoutingAnswer> answer) override {
    done(id, std::move(answer));
  }
  void on_file_progress(Now, RequestId id, const r1fs::FileProgress& progress) override {
    requests.progress(id, progress);
  }
  void on_file_done(Now, RequestId id, Result<r1fs::FileAnswer> answer) override {
    done(id, std::move(answer));
  }
  void on_poa_progress(Now, RequestId id, const poa::Progress& progress) override {
    requests.progress(id, progress);
  }
  void on_poa_done(Now, RequestId id, Result<poa::Answer> answer) override {
    done(id, std::move(answer));
  }

  void on_cstore_progress(Now, RequestId id, const cstore::Progress& progress) override {
    requests.progress(id, progress);
  }
  void on_cstore_done(Now, RequestId id, Result<cstore::Answer> answer) override {
    done(id, std::move(answer));
  }
  void on_edil_progress(Now, RequestId id, const edil::Progress& progress) override {
    requests.progress(id, progress);
  }
  void on_edil_done(Now, RequestId id, Result<edil::Answer> answer) override {
    done(id, std::move(answer));
  }

  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

namespace {

// What a deadline names as unfinished when the request told no progress.
std::string first_phase(const Request& request) {
  struct Namer {
    std::string operator()(const PeerConnect&) { return "connecting"; }
    std::string operator()(const PeerPing&) { return "connecting or waiting for a ping's answer"; }
    std::string operator()(const PeerEcho&) { return "echoing"; }
    std::string operator()(const DhtFind&) { return "looking for the peer"; }
    std::string operator()(const DhtProviders&) { return "looking for providers"; }
    std::string operator()(const TopicPublish&) { return "publishing"; }
    std::string operator()(const TopicSubscribe&) { return "listening"; }
    std::string operator()(const FileAdd&) { return "reading the file"; }
    std::string operator()(const FileGet&) { return "opening the output"; }
    std::string operator()(const FileList&) { return "listing"; }
    std::string operator()(const FileStat&) { return "reading the file's tree"; }
    std::string operator()(const FileRemove&) { return "removing"; }
    std::string operator()(const cstore::Request&) { return "catching up, or writing"; }
    std::string operator()(const edil::Request&) { return "waiting for rounds of the task"; }
    std::string operator()(const poa::Request&) { return "reading the table of beats"; }
  };
  return std::visit(Namer{}, request);
}

}  // namespace

Node::Node(NodeConfig config, NodeParts parts)
    : impl_(std::make_unique<Impl>(std::move(config), parts)) {}
Node::~Node() { *impl_->alive = false; }

void Node::start(std::function<void(Result<void>)> ready) {
  impl_->started = impl_->parts.loop.now().mono;
  impl_->routing.start();
  impl_->start_services(0, std::move(ready));
}

void Node::stop(std::function<void()> stopped) {
  Impl& node = *impl_;
  node.stopping = true;
  node.requests.end_all(fail(Errc::cancelled, "the node is stopping"));
  node.poa.stop();
  // What the cores hand to the store in this turn is written before what is handed to it in the
  // next: an empty synced batch behind it says when.
  struct Flush final : StoreSink {
    std::function<void()> done;
    void on_persisted(Now, std::uint64_t, Result<void>) override {
      const std::unique_ptr<Flush> self(this);
      done();
    }
    void on_read(Now, std::uint64_t, Result<std::optional<Bytes>>) override {}
    void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>>, bool) override {}
  };
  auto* flush = new Flush;
  flush->done = std::move(stopped);
  node.parts.loop.post(
      [&store = node.parts.store, flush] { store.commit({}, Durability::synced, *flush, 0); });
}

RequestId Node::start_request(Request request, Duration deadline, RequestSink& sink) {
  const RequestId id = impl_->requests.add(sink, deadline, first_phase(request));
  if (!impl_->requests.open(id)) return id;
  if (impl_->stopping)
    impl_->finish(id, fail(Errc::cancelled, "the node is stopping"));
  else
    std::visit([&](auto& what) { impl_->run(id, what); }, request);
  return id;
}

void Node::cancel(RequestId request) { impl_->requests.cancel(request); }
void Node::drop_sink(RequestSink& sink) { impl_->requests.drop_sink(sink); }

Status Node::status() const {
  const Impl& node = *impl_;
  Status status;
  status.id = node.parts.host.self();
  status.network_id = node.config.network_id;
  status.addrs = node.parts.host.listen_addrs();
  status.protocols = node.parts.host.served_protocols();
  status.peers = static_cast<std::uint32_t>(node.parts.host.peers().size());
  status.dht_peers = node.routing.table_size();
  status.dht_mode = node.routing.mode();
  status.topics = node.gossip.topics();
  status.gossip = node.gossip.counters();
  status.storage = node.files.storage();
  status.poa = node.poa.status();
  status.cstore = node.cstore.status();
  status.edil = node.edil.status();
  status.disk = node.parts.store.usage();
  status.uptime = node.parts.loop.now().mono - node.started;
  const r1fs::ExchangeCounters blocks = node.exchange.counters();
  status.blocks_in = blocks.blocks_in;
  status.block_bytes_in = blocks.bytes_in;
  status.blocks_out = blocks.blocks_out;
  status.block_bytes_out = blocks.bytes_out;
  status.block_duplicates_in = blocks.duplicates_in;
  status.block_rubbish_in = blocks.rubbish_in;
  return status;
}

std::vector<host::PeerStatus> Node::peers() const { return impl_->parts.host.peers(); }
gossip::Gossip& Node::gossip() { return impl_->gossip; }
const gossip::Counters& Node::gossip_counters() const { return impl_->gossip.counters(); }
dht::Routing& Node::routing() { return impl_->routing; }
r1fs::R1fs& Node::files() { return impl_->files; }

}  // namespace kith::node
