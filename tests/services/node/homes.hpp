// Homes: whole nodes (WireHost, DHT, gossip, R1FS, an in-memory disk each) on simulated byte pipes,
// for scenarios in virtual time.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gossip/outlines.hpp"
#include "net/crypto/identity.hpp"
#include "net/host/wire_host.hpp"
#include "services/node/node.hpp"
#include "services/store/memory_store.hpp"
#include "simnet/cluster.hpp"
#include "simnet/shared_signatures.hpp"
#include "simnet/sim_host.hpp"

namespace kith::node::test {

struct Asked final : RequestSink {
  std::map<RequestId, Result<Answer>> answers;
  std::map<RequestId, std::vector<Progress>> told;
  void on_progress(Now, RequestId id, const Progress& progress) override {
    told[id].push_back(progress);
  }
  void on_done(Now, RequestId id, Result<Answer> answer) override {
    EXPECT_EQ(answers.count(id), 0u) << "a request ends once";
    answers.emplace(id, std::move(answer));
  }
};

inline std::vector<FamilySpec> families() { return node_families(); }

class Home final : public simnet::NodeApp {
 public:
  // `sim_hosts`: whole messages instead of encrypted bytes; null: the real Host.
  Home(simnet::NodeContext& context, std::shared_ptr<store::MemoryDisk> disk,
       crypto::Identity identity, NodeConfig config, const Multiaddr& listen,
       simnet::SimHosts* sim_hosts, crypto::Signatures* signatures,
       std::shared_ptr<gossip::Outlines> outlines)
      : identity_(std::move(identity)),
        store_(std::move(disk), context.loop),
        host_(make_host(context, sim_hosts)),
        node_(std::move(config),
              {identity_, *host_, context.loop, store_, log_, context.rng.fork("node"), signatures,
               nullptr, std::move(outlines)}) {
    if (sim_hosts != nullptr)
      EXPECT_TRUE(static_cast<simnet::SimHost&>(*host_).listen(listen).has_value());
    else
      EXPECT_TRUE(static_cast<host::WireHost&>(*host_).listen(listen).has_value());
    node_.start([this](Result<void> result) {
      EXPECT_TRUE(result.has_value());
      ready = true;
    });
  }
  Node& node() { return node_; }
  host::Host& host() { return *host_; }
  bool ready = false;
  Asked asked;

 private:
  std::unique_ptr<host::Host> make_host(simnet::NodeContext& context, simnet::SimHosts* sim_hosts) {
    if (sim_hosts != nullptr) {
      simnet::SimHostConfig config{identity_.id()};
      // Many homes that start at one moment look each other up at one moment: for a while that
      // takes more connections than a home has.
      config.limits.connections_max = 1024;
      return std::make_unique<simnet::SimHost>(*sim_hosts, context.index, context.loop,
                                               std::move(config));
    }
    return std::make_unique<host::WireHost>(host::HostConfig{identity_}, context.transport,
                                            context.loop, log_, context.rng.fork("host"));
  }

  NullLog log_;
  crypto::Identity identity_;
  store::MemoryStore store_;
  std::unique_ptr<host::Host> host_;
  Node node_;
};

enum class Fidelity : std::uint8_t { bytes, messages };

// `knows[i]`: the nodes whose addresses node i starts with.
class Homes {
 public:
  Homes(std::vector<std::vector<std::uint32_t>> knows, std::uint64_t seed,
        std::function<void(NodeConfig&)> adjust = {}, Fidelity fidelity = Fidelity::bytes,
        Duration join_gap = Duration::zero(),
        std::function<void(std::uint32_t, NodeConfig&)> adjust_each = {})
      : knows_(std::move(knows)), adjust_(std::move(adjust)), adjust_each_(std::move(adjust_each)) {
    char name[] = "/tmp/kith-homes-XXXXXX";
    folder_ = ::mkdtemp(name);
    std::vector<std::string> names;
    for (const FamilySpec& family : families()) names.emplace_back(family.name);
    for (std::size_t i = 0; i < knows_.size(); ++i)
      disks_.push_back(std::make_shared<store::MemoryDisk>(names));
    simnet::ClusterOptions options;
    options.nodes = 0;
    options.seed = seed;
    cluster_ = std::make_unique<simnet::Cluster>(
        options, [this](simnet::NodeContext& context) { return make(context); });
    if (fidelity == Fidelity::messages)
      sim_hosts_ = std::make_unique<simnet::SimHosts>(cluster_->net());
    for (std::uint32_t i = 0; i < knows_.size(); ++i) {
      cluster_->add_node(ip_of(i));
      if (join_gap > Duration::zero()) cluster_->run_for(join_gap);
    }
  }
  ~Homes() {
    cluster_.reset();
    std::filesystem::remove_all(folder_);
  }

  simnet::Cluster& cluster() { return *cluster_; }
  Home& home(std::uint32_t i) { return cluster_->app<Home>(i); }
  Node& node(std::uint32_t i) { return home(i).node(); }
  static PeerId host_id(std::uint32_t i) { return identity(i).id(); }  // also while it is down
  store::MemoryDisk& disk(std::uint32_t i) { return *disks_[i]; }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  std::string make_file(const std::string& name, std::size_t bytes, std::uint64_t seed) {
    std::vector<std::uint8_t> content(bytes);
    Rng(seed).fill(content);
    std::ofstream(path(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(content.data()),
               static_cast<std::streamsize>(content.size()));
    return path(name);
  }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // Asks node i and runs until the answer.
  Result<Answer> ask(std::uint32_t i, Request request, Duration deadline = 60s) {
    Asked& asked = home(i).asked;
    const RequestId id = node(i).start_request(std::move(request), deadline, asked);
    cluster_->run_until([&] { return asked.answers.count(id) != 0; }, deadline + 5s);
    if (asked.answers.count(id) == 0) return fail(Errc::timeout, "no answer at all");
    return asked.answers.at(id);
  }
  Result<r1fs::FileAnswer> ask_file(std::uint32_t i, Request request, Duration deadline = 60s) {
    Result<Answer> answer = ask(i, std::move(request), deadline);
    if (!answer) return answer.error();
    return std::get<r1fs::FileAnswer>(*answer);
  }
  Result<Cid> add(std::uint32_t i, const std::string& path, std::uint32_t spread = 0,
                  r1fs::Visibility visibility = r1fs::Visibility::public_) {
    auto answer = ask_file(i, FileAdd{{path, "file", visibility, spread}});
    if (!answer) return answer.error();
    return answer->file.cid;
  }

 private:
  std::unique_ptr<simnet::NodeApp> make(simnet::NodeContext& context) {
    NodeConfig config;
    config.network_id = "test-00000000";
    for (const std::uint32_t known : knows_[context.index])
      config.bootstrap.push_back(cluster_address(known));
    if (adjust_) adjust_(config);
    if (adjust_each_) adjust_each_(context.index, config);
    return std::make_unique<Home>(context, disks_[context.index], identity(context.index),
                                  std::move(config), cluster_address(context.index),
                                  sim_hosts_.get(), sim_hosts_ ? &signatures_ : nullptr,
                                  sim_hosts_ ? outlines_ : nullptr);
  }
  // The same at every incarnation, and known before the cluster stands.
  static crypto::Identity identity(std::uint32_t i) {
    Rng rng = Rng(1000).fork("identity", i);
    return crypto::Identity::make(rng, crypto::Guard::none);
  }
  static std::uint32_t ip_of(std::uint32_t i) { return 0x0a000001u + (i << 8); }
  static Multiaddr cluster_address(std::uint32_t i) {
    const std::uint32_t ip = ip_of(i);
    const std::array<std::uint8_t, 4> bytes = {
        static_cast<std::uint8_t>(ip >> 24), static_cast<std::uint8_t>(ip >> 16),
        static_cast<std::uint8_t>(ip >> 8), static_cast<std::uint8_t>(ip)};
    return Multiaddr::of_tcp(bytes, simnet::kSimPort);
  }

  std::vector<std::vector<std::uint32_t>> knows_;
  std::function<void(NodeConfig&)> adjust_;
  std::function<void(std::uint32_t, NodeConfig&)> adjust_each_;
  std::string folder_;
  std::vector<std::shared_ptr<store::MemoryDisk>> disks_;
  simnet::SharedSignatures signatures_;
  std::shared_ptr<gossip::Outlines> outlines_ =
      std::make_shared<gossip::Outlines>(Rng(1), signatures_);
  std::unique_ptr<simnet::SimHosts> sim_hosts_;
  std::unique_ptr<simnet::Cluster> cluster_;
};

}  // namespace kith::node::test
