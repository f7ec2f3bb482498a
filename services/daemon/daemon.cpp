#include "services/daemon/daemon.hpp"

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <filesystem>

#include "net/asio/asio_transport.hpp"
#include "net/crypto/identity_file.hpp"
#include "net/host/wire_host.hpp"
#include "services/bridge/http_server.hpp"
#include "services/bridge/node_backend.hpp"
#include "services/bridge/token.hpp"
#include "services/bridge/version.hpp"
#include "services/daemon/console_log.hpp"
#include "services/daemon/machine.hpp"
#include "services/daemon/network.hpp"
#include "services/daemon/report.hpp"
#include "services/daemon/store_meta.hpp"
#include "services/store/rocks_store.hpp"

namespace kith::daemon {
namespace {

// An alarm that calls a function.
class Timer final : public Alarm {
 public:
  Timer(Loop& loop, std::function<void()> fired) : loop_(loop), fired_(std::move(fired)) {}
  ~Timer() { loop_.arm(*this, kNever); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void start(Duration delay) { loop_.arm(*this, later(loop_.now().mono, delay)); }

 private:
  void on_alarm(Now) override { fired_(); }
  Loop& loop_;
  std::function<void()> fired_;
};

node::PoaOptions poa_config(const RunOptions& options, const Network& network) {
  node::PoaOptions poa;
  poa.timing = {std::chrono::seconds(network.beat_seconds),
                std::chrono::seconds(network.epoch_seconds)};
  poa.machine = machine_capacity();
  if (options.config.keep_enabled) poa.machine.flags |= schema::kKeepsForOthers;
  return poa;
}

node::NodeConfig node_config(const RunOptions& options, const Network& network) {
  node::NodeConfig config;
  config.network_id = network.id();
  config.bootstrap = network.bootstrap;
  config.bootstrap.insert(config.bootstrap.end(), options.config.bootstrap.begin(),
                          options.config.bootstrap.end());
  config.dht_mode = options.config.dht_mode;
  config.quota_bytes = options.config.store_quota;
  config.kept_quota_bytes = options.config.keep_quota;
  config.keep_for_others = options.config.keep_enabled;
  config.echo = options.echo;
  config.poa = poa_config(options, network);
  return config;
}

store::RocksConfig rocks_config(const RunOptions& options) {
  store::RocksConfig config;
  config.folder = options.home.store_folder();
  config.free_floor_bytes = options.config.store_free_floor;
  return config;
}

host::HostConfig host_config(const crypto::Identity& identity, std::uint64_t sequence_mark) {
  host::HostConfig config{identity};
  config.agent = bridge::kAgent;
  config.record_sequence_mark = sequence_mark;
  return config;
}

// What a client that was killed left behind.
void clean_scratch(const Home& home) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(home.scratch_folder(), ignored))
    if (entry.is_regular_file(ignored)) std::filesystem::remove(entry.path(), ignored);
}

// All that runs; members are made from top to bottom and end from bottom to top.
class Daemon {
 public:
  Daemon(const RunOptions& options, const Network& network, const crypto::Identity& identity,
         net::AsioLoop& loop, Store& store, StoreMeta& meta, std::uint64_t sequence_mark,
         std::string token, ConsoleLog& log)
      : options_(options),
        log_(log),
        loop_(loop),
        meta_(meta),
        rng_(Rng::from_system()),
        transport_(loop),
        host_(host_config(identity, sequence_mark), transport_, loop, log, rng_.fork("host")),
        node_(node_config(options, network),
              node::NodeParts{identity, host_, loop, store, log, rng_.fork("node")}),
        backend_(node_, loop, [this] { stop("a client asked for it"); }),
        api_(loop, backend_, bridge::ApiGuard(std::move(token)), log),
        signals_(loop.context(), SIGINT, SIGTERM, SIGHUP),
        stop_limit_(loop, [this] { give_up(); }),
        farewell_(loop, [this] { loop_.stop(); }),
        sequence_saver_(loop, [this] { save_sequence(); }) {}

  Result<void> run() {
    KITH_TRY_VOID(listen());
    watch_signals();
    node_.start([this](Result<void> ready) { on_ready(std::move(ready)); });
    loop_.run();
    api_.stop();
    if (failure_) return *failure_;
    return {};
  }

 private:
  Result<void> listen() {
    std::optional<Error> last;
    std::size_t bound = 0;
    for (const Multiaddr& addr : options_.config.listen) {
      auto listening = host_.listen(addr);
      if (listening) {
        ++bound;
        continue;
      }
      const Error& error = listening.error();
      if (error.code == Errc::in_use || error.code == Errc::permission) return with_fix(error);
      // A machine without IPv6 is no reason not to serve IPv4.
      log_.warn("daemon.listen-failed", addr.text() + ": " + error.what + " " + error.why);
      last = error;
    }
    if (bound == 0 && last) return *last;
    return {};
  }

  static Error with_fix(Error error) {
    if (error.fix.empty())
      error.fix = "choose another address: kith run --listen /ip4/0.0.0.0/tcp/0 (any free port)";
    return error;
  }

  void watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& failed, int number) {
      if (failed) return;
      if (stopping_) return give_up();
      stop("signal " + std::to_string(number));
      watch_signals();
    });
  }

  void on_ready(Result<void> ready) {
    if (stopping_) return;
    if (ready) ready = api_.listen(options_.home.socket_file());
    if (!ready) {
      failure_ = ready.error();
      return stop("the start failed");
    }
    save_sequence();
    const node::Status status = node_.status();
    report_ready(status, options_.home, options_.json);
    log_.info("daemon.ready", status.id.text() + " in " + status.network_id);
  }

  void save_sequence() {
    const std::uint64_t sequence = host_.record_sequence();
    if (sequence != std::exchange(saved_sequence_, sequence)) meta_.save_record_sequence(sequence);
    sequence_saver_.start(kSequenceInterval);
  }

  void stop(const std::string& why) {
    if (std::exchange(stopping_, true)) return;
    log_.info("daemon.stopping", why);
    stop_limit_.start(kStopMax);
    save_sequence();
    api_.close();
    node_.stop([this] {
      host_.stop();
      farewell_.start(kFarewell);
    });
  }

  void give_up() {
    log_.warn("daemon.stopped-early", "something did not end in time");
    loop_.stop();
  }

  const RunOptions& options_;
  ConsoleLog& log_;
  net::AsioLoop& loop_;
  StoreMeta& meta_;
  Rng rng_;
  net::AsioTransport transport_;
  host::WireHost host_;
  node::Node node_;
  bridge::NodeBackend backend_;
  bridge::HttpServer api_;
  boost::asio::signal_set signals_;
  Timer stop_limit_;
  Timer farewell_;
  Timer sequence_saver_;
  std::uint64_t saved_sequence_ = 0;
  bool stopping_ = false;
  std::optional<Error> failure_;
};

}  // namespace

Result<void> run_daemon(const RunOptions& options) {
  const Home& home = options.home;
  KITH_TRY(const Network network, find_network(options.config.network));
  KITH_TRY_VOID(make_home(home));
  KITH_TRY(const HomeLock lock, HomeLock::take(home));
  ConsoleLog log(options.config.log_level);
  clean_scratch(home);
  Rng rng = Rng::from_system();
  KITH_TRY(const crypto::Identity identity,
           crypto::load_or_make_identity(home.identity_file(), rng));
  KITH_TRY(std::string token, bridge::load_or_make_token(home.token_file(), rng));
  net::AsioLoop loop;
  KITH_TRY(const std::unique_ptr<Store> store,
           store::open_rocks(rocks_config(options), node::node_families(), loop, log));
  StoreMeta meta(*store, loop);
  KITH_TRY_VOID(meta.check_version(home.store_folder()));
  KITH_TRY(const std::uint64_t sequence, meta.record_sequence());
  Daemon daemon(options, network, identity, loop, *store, meta, sequence, std::move(token), log);
  return daemon.run();
}

}  // namespace kith::daemon
