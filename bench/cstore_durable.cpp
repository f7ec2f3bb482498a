// Writes of a user that a whole node acknowledges: synced by RocksDB, several in flight, which then
// share batches and their fsync. Beside each the least that the disk does for as many groups: one
// write and one fdatasync. The disk decides here, so wall time is printed too; it is no gate.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "bench/timing.hpp"
#include "net/asio/asio_loop.hpp"
#include "net/asio/asio_transport.hpp"
#include "net/base/check.hpp"
#include "net/crypto/identity.hpp"
#include "net/host/wire_host.hpp"
#include "services/node/node.hpp"
#include "services/store/rocks_store.hpp"

namespace kith::bench {
namespace {

constexpr std::size_t kValueBytes = 64;

class Home final : node::RequestSink {
 public:
  explicit Home(const std::string& folder) : rng_(Rng::from_system()) {
    std::filesystem::create_directories(folder);
    identity_.emplace(crypto::Identity::make(rng_));
    store::RocksConfig rocks;
    rocks.folder = folder + "/store";
    store_ = store::open_rocks(rocks, node::node_families(), loop_, log_).value();
    transport_ = std::make_unique<net::AsioTransport>(loop_);
    host_ = std::make_unique<host::WireHost>(host::HostConfig{*identity_}, *transport_, loop_, log_,
                                             rng_.fork("host"));
    node::NodeConfig config;
    config.network_id = "bench-00000000";
    node_ = std::make_unique<node::Node>(
        config, node::NodeParts{*identity_, *host_, loop_, *store_, log_, rng_.fork("node")});
    bool ready = false;
    node_->start([&](Result<void> result) { ready = result.has_value(); });
    CHECK(loop_.run_until([&] { return ready; }, 60s));
  }
  ~Home() {
    node_.reset();
    host_.reset();
    transport_.reset();
    store_.reset();
  }
  // As many as `in_flight` at any time.
  void put(std::size_t count, std::size_t in_flight) {
    left_ = count;
    done_ = 0;
    for (std::size_t i = 0; i < in_flight; ++i) put_next();
    CHECK(loop_.run_until([&] { return done_ == count; }, 300s));
  }
  std::uint64_t batches() const { return node_->status().cstore.counters.batches_own; }

 private:
  void put_next() {
    if (left_ == 0) return;
    --left_;
    Bytes value = Bytes::make(kValueBytes, [this](std::span<std::uint8_t> to) { rng_.fill(to); });
    node_->start_request(
        cstore::Request(cstore::Put{"bench", Bytes::copy("key/" + std::to_string(++keys_)), value}),
        60s, *this);
  }
  void on_done(Now, RequestId, Result<node::Answer> answer) override {
    CHECK(answer.has_value());
    ++done_;
    put_next();
  }

  net::AsioLoop loop_;
  NullLog log_;
  Rng rng_;
  std::optional<crypto::Identity> identity_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<net::AsioTransport> transport_;
  std::unique_ptr<host::WireHost> host_;
  std::unique_ptr<node::Node> node_;
  std::size_t left_ = 0, done_ = 0, keys_ = 0;
};

Slice timed(const std::function<void()>& work) {
  const double wall = wall_seconds(), cpu = process_cpu_seconds();
  work();
  return {wall_seconds() - wall, process_cpu_seconds() - cpu};
}

// A log of nothing but groups.
Slice write_groups(const std::string& folder, std::size_t groups, std::size_t bytes) {
  const int file = ::open((folder + "/kernel").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  CHECK(file >= 0);
  const std::vector<std::uint8_t> group(bytes, 7);
  const Slice spent = timed([&] {
    for (std::size_t i = 0; i < groups; ++i) {
      CHECK(::write(file, group.data(), group.size()) == static_cast<ssize_t>(group.size()));
      CHECK(::fdatasync(file) == 0);
    }
  });
  ::close(file);
  return spent;
}

void measure(Home& home, const std::string& folder, std::size_t count, std::size_t in_flight) {
  const std::uint64_t before = home.batches();
  const Slice spent = timed([&] { home.put(count, in_flight); });
  const std::size_t batches = home.batches() - before;
  const Slice kernel = write_groups(folder, batches, 200 + 120 * count / batches);
  const std::string title = std::to_string(in_flight) + " in flight  ";
  const auto many = static_cast<double>(count);
  print_row(title + "writes", many / spent.wall, "/s",
            std::to_string(count / batches) + " a batch");
  print_row(title + "CPU", spent.cpu / many * 1e6, "us/write");
  print_row(title + "kernel: write and fdatasync", many / kernel.wall, "/s");
  print_row(title + "wall, beside its kernel", spent.wall / kernel.wall, "x");
}

}  // namespace
}  // namespace kith::bench

int main() {
  using namespace kith::bench;
  char folder[] = "/var/tmp/kith-bench-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return 1;
  {
    Home home(std::string(folder) + "/home");
    home.put(200, 8);
    measure(home, folder, 500, 1);
    measure(home, folder, 5000, 16);
    measure(home, folder, 40'000, 256);
  }
  std::filesystem::remove_all(folder);
}
