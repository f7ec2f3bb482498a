// What a file costs from end to end: add and loopback get of two whole nodes in one process (a loop
// and a thread each, real sockets, real RocksDB), beside kernels of the same binary: the same
// reading, hashing, encrypting, copying and storing without a node around it. CPU seconds count
// both ends and all threads. Arguments: MiB (1024), folder (under /tmp).
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <thread>

#include "bench/timing.hpp"
#include "net/asio/asio_loop.hpp"
#include "net/asio/asio_transport.hpp"
#include "net/crypto/aead.hpp"
#include "net/crypto/identity.hpp"
#include "net/host/wire_host.hpp"
#include "schema/base/sha256.hpp"
#include "services/node/node.hpp"
#include "services/store/rocks_store.hpp"

using namespace kith;

namespace {

constexpr std::size_t kMiB = 1u << 20;

std::vector<FamilySpec> families() { return node::node_families(); }

store::RocksConfig store_config(const std::string& folder) {
  store::RocksConfig config;
  config.folder = folder;
  return config;
}

class Home final : node::RequestSink {
 public:
  explicit Home(const std::string& folder) : rng_(Rng::from_system()) {
    std::filesystem::create_directories(folder);
    identity_.emplace(crypto::Identity::make(rng_));
    store_ = store::open_rocks(store_config(folder + "/store"), families(), loop_, log_).value();
    transport_ = std::make_unique<net::AsioTransport>(loop_);
    host_ = std::make_unique<host::WireHost>(host::HostConfig{*identity_}, *transport_, loop_, log_,
                                             rng_.fork("host"));
    node::NodeConfig config;
    config.network_id = "bench-00000000";
    config.keep_for_others = false;  // only what is asked for moves
    node_ = std::make_unique<node::Node>(
        config, node::NodeParts{*identity_, *host_, loop_, *store_, log_, rng_.fork("node")});
    addr_ = *host_->listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0"));
    std::promise<void> ready;
    node_->start([&](Result<void>) { ready.set_value(); });
    thread_ = std::thread([this] { loop_.run(); });
    ready.get_future().wait();
  }
  ~Home() {
    loop_.stop();
    thread_.join();
    node_.reset();
    host_.reset();
    transport_.reset();
    store_.reset();
  }
  Multiaddr addr() const { return addr_.with_peer_id(identity_->id()); }
  Result<node::Answer> ask(node::Request request) {
    answer_ = {};
    loop_.post([&] { node_->start_request(std::move(request), 300s, *this); });
    return answer_.get_future().get();
  }

 private:
  void on_done(Now, RequestId, Result<node::Answer> answer) override {
    answer_.set_value(std::move(answer));
  }
  net::AsioLoop loop_;
  NullLog log_;
  Rng rng_;
  std::optional<crypto::Identity> identity_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<net::AsioTransport> transport_;
  std::unique_ptr<host::WireHost> host_;
  std::unique_ptr<node::Node> node_;
  Multiaddr addr_;
  std::thread thread_;
  std::promise<Result<node::Answer>> answer_;
};

// The kernels' store: commits of a few MiB, the last one synced.
struct KernelStore final : StoreSink {
  explicit KernelStore(const std::string& folder) {
    store = store::open_rocks(store_config(folder), families(), loop, log).value();
  }
  void put(const Bytes& key, const Bytes& value) {
    batch.put(store->family("r1fs_blocks"), key, value);
    if (batch.writes.size() == 4) flush(Durability::buffered);
  }
  void flush(Durability durability) {
    ++waiting;
    store->commit(std::exchange(batch, {}), durability, *this, 0);
    loop.run_until([&] { return waiting < 4; }, 60s);
    if (durability == Durability::synced) loop.run_until([&] { return waiting == 0; }, 60s);
  }
  Bytes get(const Bytes& key) {
    store->get(store->family("r1fs_blocks"), key, *this, 0);
    found.reset();
    loop.run_until([&] { return found.has_value(); }, 60s);
    return *std::exchange(found, std::nullopt);
  }
  void on_persisted(Now, std::uint64_t, Result<void>) override { --waiting; }
  void on_read(Now, std::uint64_t, Result<std::optional<Bytes>> value) override { found = **value; }
  void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>>, bool) override {}

  net::AsioLoop loop;
  NullLog log;
  std::unique_ptr<Store> store;
  StoreBatch batch;
  int waiting = 0;
  std::optional<Bytes> found;
};

struct Cost {
  double cpu = 0;
  double wall = 0;
};
template <class Work>
Cost measure(Work&& work) {
  const double wall = bench::wall_seconds();
  const double cpu = bench::process_cpu_seconds();
  work();
  return {bench::process_cpu_seconds() - cpu, bench::wall_seconds() - wall};
}

Bytes read_part(int file, std::size_t at, std::size_t size) {
  return Bytes::make_up_to(size, [&](std::span<std::uint8_t> to) {
    return static_cast<std::size_t>(
        std::max<ssize_t>(0, ::pread(file, to.data(), to.size(), static_cast<off_t>(at))));
  });
}

std::pair<int, int> loopback_pair() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 ||
      ::listen(listener, 1) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return {-1, -1};
  const int a = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(a, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) return {-1, -1};
  const int b = ::accept(listener, nullptr, nullptr);
  ::close(listener);
  return {a, b};
}

void row(const char* name, Cost cost, std::size_t bytes, const std::string& remark = {}) {
  const double gigabytes = static_cast<double>(bytes) / 1e9;
  std::printf("%-34s %7.2f CPU s/GB %8.1f MiB/s wall   %s\n", name, cost.cpu / gigabytes,
              static_cast<double>(bytes) / static_cast<double>(kMiB) / cost.wall, remark.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t bytes = (argc > 1 ? std::stoul(argv[1]) : 1024) * kMiB;
  const std::string folder =
      (argc > 2 ? std::string(argv[2]) : "/tmp") + "/kith-bench-" + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  const std::string input = folder + "/input", output = folder + "/output";
  {
    Rng rng(1);
    std::vector<std::uint8_t> part(kMiB);
    const int file = ::open(input.c_str(), O_WRONLY | O_CREAT, 0600);
    for (std::size_t at = 0; at < bytes; at += kMiB) {
      rng.fill(part);
      if (::write(file, part.data(), part.size()) < 0) return 1;
    }
    ::close(file);
  }

  Cost kernel_add, kernel_get;
  {
    KernelStore kernel(folder + "/kernel-a"), other(folder + "/kernel-b");
    const int file = ::open(input.c_str(), O_RDONLY);
    std::vector<Bytes> keys;
    kernel_add = measure([&] {
      for (std::size_t at = 0; at < bytes; at += kMiB) {
        const Bytes part = read_part(file, at, kMiB);
        keys.push_back(Multihash::of_sha256(part).bytes());
        kernel.put(keys.back(), part);
      }
      kernel.flush(Durability::synced);
    });
    const auto [from, to] = loopback_pair();
    const int target = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    crypto::AeadSealer sealer;
    crypto::AeadOpener opener;
    const std::array<std::uint8_t, 32> key{};
    sealer.set_key(key);
    opener.set_key(key);
    std::vector<std::uint8_t> wire((64u << 10) + 16), clear(kMiB);
    std::uint64_t nonce = 0;
    std::size_t offset = 0;
    kernel_get = measure([&] {
      for (const Bytes& name : keys) {
        const Bytes block = kernel.get(name);
        for (std::size_t at = 0; at < block.size(); at += 64u << 10, ++nonce) {
          const ByteView part =
              block.view().subspan(at, std::min<std::size_t>(64u << 10, block.size() - at));
          sealer.seal(crypto::aead_nonce(nonce), {}, part, wire.data());
          const std::size_t sealed = part.size() + 16;
          for (std::size_t sent = 0, got = 0; got < sealed;) {
            if (sent < sealed)
              sent += static_cast<std::size_t>(std::max<ssize_t>(
                  0, ::send(from, wire.data() + sent, sealed - sent, MSG_DONTWAIT)));
            got += static_cast<std::size_t>(
                std::max<ssize_t>(0, ::recv(to, wire.data() + got, sent - got, 0)));
          }
          if (!opener.open(crypto::aead_nonce(nonce), {}, ByteView(wire.data(), sealed),
                           clear.data() + at))
            return;
        }
        const Bytes arrived = Bytes::copy(ByteView(clear.data(), block.size()));
        if (Multihash::of_sha256(arrived).bytes() != name) return;
        other.put(name, arrived);
        offset += static_cast<std::size_t>(std::max<ssize_t>(
            0, ::pwrite(target, arrived.data(), arrived.size(), static_cast<off_t>(offset))));
      }
      other.flush(Durability::synced);
      ::fsync(target);
    });
    if (offset != bytes) {
      std::fprintf(stderr, "the kernel did not move every byte\n");
      return 1;
    }
    ::close(file);
    ::close(target);
    ::close(from);
    ::close(to);
  }
  std::filesystem::remove(output);

  Cost add, get;
  {
    Home a(folder + "/a"), b(folder + "/b");
    Cid cid;
    add = measure([&] {
      auto answer = a.ask(node::FileAdd{{input, "input", r1fs::Visibility::public_, 0}});
      if (answer) cid = std::get<r1fs::FileAnswer>(*answer).file.cid;
    });
    if (cid.empty() || !b.ask(node::PeerConnect{a.addr()})) {
      std::fprintf(stderr, "add or connect failed\n");
      return 1;
    }
    bool got = false;
    get = measure([&] { got = b.ask(node::FileGet{{cid, output}}).has_value(); });
    if (!got || std::filesystem::file_size(output) != bytes) {
      std::fprintf(stderr, "get failed\n");
      return 1;
    }
  }
  std::printf("%zu MiB, both ends in one process, all threads\n", bytes / kMiB);
  row("add: kernel (read, hash, store)", kernel_add, bytes);
  row("add", add, bytes,
      std::to_string(add.cpu / kernel_add.cpu).substr(0, 4) + " of the kernel; goal 3.2");
  row("get: kernel (all of it bare)", kernel_get, bytes);
  row("get", get, bytes,
      std::to_string(get.cpu / kernel_get.cpu).substr(0, 4) + " of the kernel; goal 6");
  std::filesystem::remove_all(folder);
  return 0;
}
