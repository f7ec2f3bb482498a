// A run as the program sees it, without running one.
#pragma once

#include "simnet/program/report_data.hpp"
#include "simnet/scenario/scenario_toml.hpp"

namespace kith::simnet {

inline ReportData a_run() {
  ReportData data;
  data.name = "hello";
  data.about = "A thousand homes.";
  data.seed = 7;
  data.hash = 0x0123456789abcdef;
  data.nodes = 1000;
  data.events = 1'234'567;
  data.simulated_s = 90;
  data.wall_s = 45;
  data.cpu_s = 40;
  data.rss_mib = 300.5;
  data.metrics = {{"nodes.up", 1000},
                  {"nodes.ready", 1000},
                  {"gossip.published", 20},
                  {"gossip.due", 19980},
                  {"gossip.delivery", 1},
                  {"gossip.latency_ms_p50", 105.08},
                  {"gossip.latency_ms_p99", 230.5},
                  {"gossip.hops_p50", 2},
                  {"gossip.hops_max", 4},
                  {"gossip.copies", 7.94},
                  {"net.bytes", 123456789}};
  data.verdicts = {{"every node that is up is ready", true, "1000 of 1000"},
                   {"expect gossip.delivery >= 1", true, "1"}};
  data.commit = "abc123";
  data.version = "0.1.0";
  data.started = "2026-11-28T13:00:00Z";
  data.command = "kith-sim run hello --seed 7";
  for (std::int64_t s = 0; s < 90; ++s)
    data.seconds.push_back({s, 1000u + static_cast<std::uint64_t>(s), 5'000'000, 1000, 1, 999});
  data.histograms = {{"gossip latency", "us", 4, 90000, {{40000, 1}, {90000, 2}, {230000, 1}}},
                     {"gossip hops", "hops", 4, 2, {{1, 1}, {2, 2}, {3, 1}}},
                     {"find time", "us", 3, 5, {{0, 1}, {900, 2}}}};
  data.lanes = {{"partition", 2, {{30, 40}}, {30, 35}}, {"log", 1, {}, {50.5}}};
  data.journal = {"30.000 s  partition: 40 nodes"};
  data.groups = {"far", "rest"};
  data.picture.group = {0, 1, 1, 0};
  data.picture.up = {true, true, false, true};
  data.picture.edges = {{0, 1}, {1, 3}};
  Scenario scenario;
  scenario.name = data.name;
  scenario.nodes = 1000;
  data.scenario = scenario_text(scenario);
  return data;
}

}  // namespace kith::simnet
