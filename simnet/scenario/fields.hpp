// The fields of a Scenario, described once: what reads TOML and what writes it both walk them. A
// field has a key, a unit (by the method's name) and, for numbers, its least and greatest value.
#pragma once

#include <array>
#include <string_view>

#include "simnet/scenario/scenario.hpp"

namespace kith::simnet {

inline constexpr std::array<std::string_view, 2> kFidelityNames{"messages", "bytes"};
inline constexpr std::array<std::string_view, 4> kGraphNames{"bootstrap", "random", "ring", "full"};
inline constexpr std::array<std::string_view, 8> kWorkNames{"publish", "lookup", "find",  "provide",
                                                            "file",    "put",    "count", "learn"};
inline constexpr std::array<std::string_view, 11> kFaultNames{
    "partition", "one-way", "clog", "crash", "kill", "pause",
    "churn",     "link",    "disk", "clock", "move"};
inline constexpr std::array<std::string_view, 4> kSpreadNames{"exponential", "pareto", "uniform",
                                                              "fixed"};
inline constexpr std::array<std::string_view, 2> kJitterNames{"uniform", "normal"};
inline constexpr std::array<std::string_view, 6> kNatNames{
    "open", "full-cone", "restricted", "port-restricted", "symmetric", "carrier"};
inline constexpr std::uint64_t kMany = 1'000'000;
inline constexpr Duration kHourLong = 1h;

template <class F>
void describe(F& f, LinkOptions& v) {
  f.time("latency", v.latency, 0s, kHourLong);
  f.time("jitter", v.jitter, 0s, kHourLong);
  f.choice("jitter_kind", v.jitter_kind, kJitterNames);
  f.bandwidth("up", v.up_bytes_per_second);
  f.bandwidth("down", v.down_bytes_per_second);
  f.size("window", v.receive_window, 1024, 1u << 30);
  f.share("dial_failures", v.dial_failure_ppm);
  f.share("resets", v.reset_ppm);
  f.share("cuts", v.cut_ppm);
  f.share("loss", v.loss_ppm);
  f.number("region", v.region, 0, 31);
  f.choice("nat", v.nat, kNatNames);
  f.time("cpu_per_message", v.cpu_per_message, 0s, 1s);
}

template <class F>
void describe(F& f, NetOptions& v) {
  f.time("dial_timeout", v.dial_timeout, 1ms, kHourLong);
  f.time("pipe_timeout", v.pipe_timeout, 1ms, kHourLong);
  f.time("retransmit", v.retransmit, 1ms, kHourLong);
}

template <class F>
void describe(F& f, store::MemoryFaults& v) {
  f.size("room", v.bytes_max, 0, UINT64_MAX);
  f.time("write_delay", v.write_delay, 0s, kHourLong);
  f.time("read_delay", v.read_delay, 0s, kHourLong);
  f.share("rot", v.rot_ppm);
  f.flag("torn", v.torn);
  f.flag("cold", v.forget_cache);
}

template <class F>
void describe(F& f, NodeSpec& v) {
  f.texts("topics", v.topics, 100);
  f.texts("spaces", v.spaces, 64);
  f.flag("beats", v.beats);
  f.time("beat", v.beat, 1s, 60s);
  f.time("epoch", v.epoch, 60s, 24h * 7);
  f.flag("dht_server", v.dht_server);
  f.flag("keeps", v.keeps);
  f.size("quota", v.quota, 0, UINT64_MAX);
  f.number("connections", v.connections, 8, 65536);
  f.number("keep_low", v.keep_low, 1, 65536);
  f.number("keep_high", v.keep_high, 1, 65536);
  f.number("degree", v.degree, 1, 64);
  f.number("degree_low", v.degree_low, 1, 64);
  f.number("degree_high", v.degree_high, 1, 128);
  f.number("degree_lazy", v.degree_lazy, 0, 128);
}

template <class F>
void describe(F& f, ClockSpec& v) {
  f.time("skew", v.skew, 0s, 24h * 366);
  f.share("drift", v.drift_ppm);
}

template <class F>
void describe(F& f, Topology& v) {
  f.choice("graph", v.graph, kGraphNames);
  f.number("degree", v.degree, 1, 1000);
  f.number("contacts", v.contacts, 0, 64);
  f.number("seeds", v.seeds, 1, kMany);
  f.share("dead", v.dead_ppm);
  f.time("join", v.join, 0s, 24h);
}

template <class F>
void describe(F& f, Group& v) {
  f.text("name", v.name);
  f.number("count", v.count, 0, kMany);
  f.share("share", v.share_ppm);
  f.table("link", v.link);
  f.table("disk", v.disk);
  f.table("node", v.node);
  f.table("clock", v.clock);
}

template <class F>
void describe(F& f, Work& v) {
  f.choice("do", v.kind, kWorkNames);
  f.text("label", v.label);
  f.text("who", v.who);
  f.time("at", v.at, 0s, kUntilMax);
  f.time("until", v.until, 0s, kUntilMax);
  f.interval("every", v.every);
  f.number("acts", v.acts, 1, kMany);
  f.text("topic", v.topic);
  f.text("space", v.space);
  f.number("keys", v.keys, 0, kMany);
  f.size("size", v.size, 16, 1u << 30);
  f.number("spread", v.spread, 0, 16);
  f.number("readers", v.readers, 0, 64);
  f.time("wait", v.wait, 0s, kUntilMax);
  f.time("deadline", v.deadline, 1ms, kUntilMax);
  f.number("rounds", v.rounds, 1, 1000);
  f.number("learners", v.learners, 1, 256);
  f.number("samples", v.samples, 10, 60000);
}

template <class F>
void describe(F& f, Fault& v) {
  f.choice("kind", v.kind, kFaultNames);
  f.text("who", v.who);
  f.number("count", v.count, 0, kMany);
  f.share("share", v.share_ppm);
  f.time("at", v.at, 0s, kUntilMax);
  f.time("until", v.until, 0s, kUntilMax);
  f.interval("every", v.every);
  f.time("down", v.down, 0s, kUntilMax);
  f.time("session", v.session, 1ms, kUntilMax);
  f.choice("spread", v.spread, kSpreadNames);
  f.time("by", v.by, 0s, 24h * 366);
  f.flag("back", v.back);
  f.flag("swarm", v.swarm);
  f.table("link", v.link);
  f.table("disk", v.disk);
}

template <class F>
void describe(F& f, Expect& v) {
  f.text("metric", v.metric);
  f.real("min", v.min, v.has_min);
  f.real("max", v.max, v.has_max);
}

template <class F>
void describe(F& f, Scenario& v) {
  f.text("name", v.name);
  f.text("about", v.about);
  f.choice("fidelity", v.fidelity, kFidelityNames);
  f.number("nodes", v.nodes, 1, kNodesMax);
  f.number("seed", v.seed, 0, INT64_MAX);
  f.time("until", v.until, 1ms, kUntilMax);
  f.time("settle", v.settle, 0s, kUntilMax);
  f.size("memory", v.memory, 0, UINT64_MAX);
  f.texts("log_expected", v.log_expected, 256);
  f.texts("regions", v.regions, 32);
  f.matrix("latency_ms", v.latency_ms, v.regions.size(), 10'000);
  f.table("link", v.link);
  f.table("net", v.net);
  f.table("disk", v.disk);
  f.table("node", v.node);
  f.table("clock", v.clock);
  f.table("topology", v.topology);
  f.list("group", v.groups, kGroupsMax,
         [&] { return Group{{}, 0, 0, v.link, v.disk, v.node, v.clock}; });
  f.list("work", v.work, kWorksMax, [] { return Work{}; });
  f.list("fault", v.faults, kFaultsMax, [&] {
    Fault fault;
    fault.link = v.link;
    fault.disk = v.disk;
    return fault;
  });
  f.list("expect", v.expects, kExpectsMax, [] { return Expect{}; });
}

}  // namespace kith::simnet
