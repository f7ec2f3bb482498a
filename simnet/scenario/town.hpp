// Town: the machines of a scenario, from the first start to the last: who belongs to which group,
// who is up since when, and what each machine keeps over a crash (identity, disk, address).
//
// It owns the World and everything on it. Workload, faults and checks see it from outside.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "dht/key.hpp"
#include "simnet/cluster.hpp"
#include "simnet/scenario/home.hpp"
#include "simnet/scenario/journal.hpp"
#include "simnet/scenario/scenario.hpp"
#include "simnet/shared_signatures.hpp"

namespace kith::simnet {

struct UpSpan {
  Mono from{};
  Mono to = kNever;  // of the last one: it is up
};

class Town {
 public:
  // `scenario` and `listener` outlive it. Nothing is started yet.
  Town(const Scenario& scenario, HomeListener& listener);
  ~Town();
  Town(const Town&) = delete;
  Town& operator=(const Town&) = delete;

  const Scenario& scenario() const { return scenario_; }
  Cluster& cluster() { return *cluster_; }
  World& world() { return cluster_->world(); }
  SimNet& net() { return cluster_->net(); }
  Journal& journal() { return *journal_; }
  LogBook& log() { return *log_; }

  // Nodes are added in their order; the first call adds node 0.
  void start_next();
  void crash(NodeIndex node, CrashKind kind);  // one that is up
  void restart(NodeIndex node);                // one that is down
  NodeIndex started() const { return static_cast<NodeIndex>(spans_.size()); }
  bool up(NodeIndex node) const { return node < started() && spans_[node].back().to == kNever; }
  // Up all the time from `from` to `to`, or to the present.
  bool up_during(NodeIndex node, Mono from, Mono to) const;
  bool was_up(NodeIndex node, Mono from, Mono to) const;  // at some time between them
  std::uint32_t incarnation(NodeIndex node) const {
    return static_cast<std::uint32_t>(spans_[node].size() - 1);
  }
  Home& home(NodeIndex node) { return cluster_->app<Home>(node); }
  store::MemoryDisk& disk(NodeIndex node) { return *disks_[node]; }

  const Group& group_of(NodeIndex node) const { return groups_[group_index_[node]]; }
  // "all", "rest" or a group's name; CHECKed, since the scenario was.
  std::span<const NodeIndex> members(const std::string& who) const;
  PeerId id_of(NodeIndex node) const;  // also of one that is down
  std::optional<NodeIndex> node_of(const PeerId& id) const;
  const dht::Key& key_of(NodeIndex node) const { return keys_[node]; }  // once started
  Multiaddr address(NodeIndex node) const;

 private:
  std::unique_ptr<NodeApp> make(NodeContext& context);
  crypto::Identity identity(NodeIndex node) const;
  std::vector<Multiaddr> contacts(NodeIndex node);

  struct HashId {
    std::size_t operator()(const PeerId& id) const;
  };
  const Scenario& scenario_;
  HomeShared shared_;
  std::vector<Group> groups_;  // the scenario's and "rest"
  std::vector<std::uint8_t> group_index_;
  std::vector<std::vector<NodeIndex>> members_;  // by group; "all" behind them
  std::unique_ptr<SharedSignatures> signatures_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<LogBook> log_;
  std::vector<std::shared_ptr<store::MemoryDisk>> disks_;
  std::vector<std::vector<UpSpan>> spans_;
  std::vector<PeerId> ids_;
  std::vector<dht::Key> keys_;
  std::unordered_map<PeerId, NodeIndex, HashId> by_id_;  // looked up only
};

}  // namespace kith::simnet
