#include "simnet/scenario/faults.hpp"

#include <algorithm>

#include "simnet/scenario/draws.hpp"
#include "simnet/scenario/fields.hpp"
#include "simnet/scenario/units.hpp"
#include "simnet/swarm.hpp"

namespace kith::simnet {
namespace {
constexpr std::uint32_t kMovedFirst = 172u << 24 | 16u << 16 | 1;  // addresses after a move
}

Faults::Faults(Town& town, Hooks hooks)
    : town_(town),
      hooks_(std::move(hooks)),
      handler_(town.world().add_handler(*this)),
      rng_(town.world().rng("faults")),
      live_(town.scenario().faults.size()),
      down_life_(town.scenario().nodes) {}

Duration Faults::end_of(const Fault& fault) const {
  const Scenario& scenario = town_.scenario();
  const Duration settle = scenario.until - scenario.settle;
  return fault.until != Duration{} ? std::min(fault.until, settle) : settle;
}

void Faults::begin() {
  const auto& faults = town_.scenario().faults;
  for (std::uint32_t i = 0; i < faults.size(); ++i) {
    if (faults[i].at >= end_of(faults[i])) continue;
    town_.world().schedule(Mono(faults[i].at), handler_, 0, kStrike, i);
    town_.world().schedule(Mono(end_of(faults[i])), handler_, 0, kHeal, i);
    const bool cuts = faults[i].kind == FaultKind::partition ||
                      faults[i].kind == FaultKind::one_way || faults[i].kind == FaultKind::clog ||
                      faults[i].kind == FaultKind::pause || faults[i].kind == FaultKind::link ||
                      faults[i].kind == FaultKind::move || faults[i].kind == FaultKind::disk;
    if (cuts) hooks_.on_cut(Mono(faults[i].at), Mono(end_of(faults[i])));
  }
}

void Faults::on_event(const Event& event) {
  const auto index = static_cast<std::uint32_t>(event.data);
  switch (static_cast<Kind>(event.kind)) {
    case kStrike:
      return strike(index);
    case kHeal:
      return heal(index);
    case kBack:
      if (down_life_[event.node] == event.data) back(event.node);
      return;
    case kSession:
      return session_over(index, event.node);
  }
}

void Faults::tell(std::uint32_t index, const std::string& text) {
  const Fault& fault = town_.scenario().faults[index];
  town_.journal().tell(std::string(kFaultNames[static_cast<std::size_t>(fault.kind)]), std::nullopt,
                       text);
}

std::vector<NodeIndex> Faults::choose(const Fault& fault) {
  std::vector<NodeIndex> among;
  for (const NodeIndex node : town_.members(fault.who))
    if (node < town_.started()) among.push_back(node);
  const std::size_t count =
      fault.count != 0
          ? fault.count
          : static_cast<std::size_t>(std::uint64_t{among.size()} * fault.share_ppm / 1'000'000);
  if (count >= among.size()) return among;
  // The first `count` of a shuffle.
  for (std::size_t i = 0; i < count; ++i) {
    const auto j = i + static_cast<std::size_t>(rng_.below(among.size() - i));
    std::swap(among[i], among[j]);
  }
  among.resize(count);
  std::sort(among.begin(), among.end());
  return among;
}

void Faults::strike(std::uint32_t index) {
  if (over_ || live_[index].healed) return;
  const Fault& fault = town_.scenario().faults[index];
  const std::vector<NodeIndex> chosen = choose(fault);
  live_[index].struck.insert(chosen.begin(), chosen.end());
  tell(index, std::to_string(chosen.size()) + (chosen.size() == 1 ? " node" : " nodes"));
  if (fault.kind == FaultKind::partition)
    town_.net().partition(chosen);
  else
    for (const NodeIndex node : chosen) strike_node(index, fault, node);
  const Mono next = town_.world().now() + fault.every;
  if (fault.every != Duration{} && next < Mono(end_of(fault)))
    town_.world().schedule(next, handler_, 0, kStrike, index);
}

void Faults::strike_node(std::uint32_t index, const Fault& fault, NodeIndex node) {
  switch (fault.kind) {
    case FaultKind::crash:
      return down(node, CrashKind::power, fault.down);
    case FaultKind::kill:
      return down(node, CrashKind::process, fault.down);
    case FaultKind::churn: {
      const Duration first = draw_duration(rng_, fault.spread, fault.session);
      town_.world().schedule(town_.world().now() + first, handler_, node, kSession, index);
      return;
    }
    case FaultKind::one_way: {
      const NodeIndex mute[] = {node};
      return town_.net().partition_one_way(mute);
    }
    case FaultKind::clog:
      return town_.net().clog(node, town_.world().now() + fault.down);
    case FaultKind::pause:
      return town_.cluster().pause(node, fault.down);
    case FaultKind::link:
      return town_.net().set_link(
          node, fault.swarm ? swarm_link(rng_, town_.group_of(node).link) : fault.link);
    case FaultKind::disk: {
      store::MemoryDisk& disk = town_.disk(node);
      disk.faults =
          fault.swarm ? swarm_disk(rng_, town_.group_of(node).disk, disk.bytes()) : fault.disk;
      return;
    }
    case FaultKind::clock:
      if (town_.up(node)) {
        SimLoop& loop = town_.cluster().loop(node);
        loop.set_wall_offset(loop.wall_offset() + (fault.back ? -fault.by : fault.by));
      }
      return;
    case FaultKind::move:
      return town_.net().set_address(node, kMovedFirst + moves_++);
    case FaultKind::partition:
      return;
  }
}

void Faults::down(NodeIndex node, CrashKind kind, Duration time) {
  if (!town_.up(node)) return;
  hooks_.before_crash(node);
  town_.crash(node, kind);
  ++crashes_;
  town_.world().schedule(town_.world().now() + time, handler_, node, kBack, ++down_life_[node]);
}

void Faults::back(NodeIndex node) {
  if (!town_.up(node)) town_.restart(node);
}

void Faults::session_over(std::uint32_t index, NodeIndex node) {
  const Fault& fault = town_.scenario().faults[index];
  if (over_ || live_[index].healed) return;
  const Duration away = draw_duration(rng_, fault.spread, fault.down);
  const Duration session = draw_duration(rng_, fault.spread, fault.session);
  const bool power = rng_.chance(500'000);
  down(node, power ? CrashKind::power : CrashKind::process, away);
  town_.world().schedule(town_.world().now() + away + session, handler_, node, kSession, index);
}

void Faults::heal(std::uint32_t index) {
  if (live_[index].healed) return;
  live_[index].healed = true;
  const Fault& fault = town_.scenario().faults[index];
  tell(index, "healed");
  switch (fault.kind) {
    case FaultKind::partition:
    case FaultKind::one_way:
    case FaultKind::clog:
      return town_.net().heal();
    case FaultKind::link:
      for (const NodeIndex node : live_[index].struck)
        town_.net().set_link(node, town_.group_of(node).link);
      return;
    case FaultKind::disk:
      for (const NodeIndex node : live_[index].struck)
        town_.disk(node).faults = town_.group_of(node).disk;
      return;
    default:
      return;
  }
}

void Faults::heal_all() {
  over_ = true;
  for (std::uint32_t i = 0; i < live_.size(); ++i) heal(i);
  for (NodeIndex node = 0; node < town_.started(); ++node) back(node);
}

}  // namespace kith::simnet
