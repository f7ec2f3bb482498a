// Scenario: what a simulation runs, as plain data. One struct, read from TOML and written back to
// it by one description of its fields (fields.hpp).
//
// Nodes are numbered from 0. Groups take theirs from the front, in their order; what is left is the
// group "rest". `who` names a group, or "all". Times are virtual, from the start of the run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/base/time.hpp"
#include "services/store/memory_store.hpp"
#include "simnet/link.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

inline constexpr std::size_t kScenarioBytesMax = 1u << 20;
inline constexpr std::size_t kGroupsMax = 64;
inline constexpr std::size_t kWorksMax = 256;
inline constexpr std::size_t kFaultsMax = 256;
inline constexpr std::size_t kExpectsMax = 256;
inline constexpr Duration kUntilMax = 24h * 366;

enum class Fidelity : std::uint8_t { messages, bytes };

// The program on a machine. Figures of gossip are those of gossipsub v1.1.
struct NodeSpec {
  std::vector<std::string> topics;  // subscribed from its start
  std::vector<std::string> spaces;  // CSTORE namespaces held from its start
  bool beats = true;                // Proof-of-Availability
  Duration beat = 10s;
  Duration epoch = 24h;
  bool dht_server = true;
  bool keeps = true;  // others' public blocks
  std::uint64_t quota = 1u << 30;
  std::uint32_t connections = 1024;             // at most
  std::uint32_t keep_low = 64, keep_high = 96;  // idle ones are closed above, down to
  std::uint32_t degree = 6, degree_low = 5, degree_high = 12, degree_lazy = 6;
};

// A machine's clock.
struct ClockSpec {
  Duration skew{};              // of the wall clock: drawn in [-skew, skew]
  std::uint32_t drift_ppm = 0;  // the same
};

struct Group {
  std::string name;
  std::uint32_t count = 0;
  std::uint32_t share_ppm = 0;  // of all nodes, when count is 0
  LinkOptions link;             // as [link], where it says nothing
  store::MemoryFaults disk;     // as [disk]
  NodeSpec node;                // as [node]
  ClockSpec clock;              // as [clock]
};

enum class Graph : std::uint8_t { bootstrap, random, ring, full };
struct Topology {
  Graph graph = Graph::bootstrap;  // bootstrap: nodes know some others, and look around
  std::uint32_t degree = 20;       // random: connections that each node makes or gets, about
  std::uint32_t contacts = 3;      // addresses that a node starts with ...
  std::uint32_t seeds = 20;        // ... of the first so many nodes
  std::uint32_t dead_ppm = 0;      // of the contacts: nobody is there
  Duration join = 0s;              // nodes start at times drawn within it, in order
};

enum class WorkKind : std::uint8_t { publish, lookup, find, provide, file, put, count, learn };
struct Work {
  WorkKind kind = WorkKind::publish;
  std::string label;  // what its metrics begin with; the kind's name when empty
  std::string who = "all";
  Duration at{};
  Duration until{};        // 0: the end of the run, less `settle`
  Duration every{};        // one act by one drawn node; 0: once, `acts` at once
  std::uint32_t acts = 1;  // of each time
  std::string topic = "news";
  std::string space = "shared";
  std::uint32_t keys = 0;       // put: so many keys that all write in turn; 0: a new one each time
  std::uint64_t size = 256;     // of a message, value or file
  std::uint32_t spread = 0;     // file: copies elsewhere before it counts as added
  std::uint32_t readers = 1;    // file, provide: drawn nodes that fetch it ...
  Duration wait = 10s;          // ... so long after it was acknowledged
  Duration deadline = 60s;      // of one request
  std::uint32_t rounds = 3;     // learn
  std::uint32_t learners = 5;   // learn: nodes that join, the creator one of them
  std::uint32_t samples = 200;  // learn: of each
};

enum class FaultKind : std::uint8_t {
  partition,  // the chosen cannot reach the rest, nor be reached
  one_way,    // what the chosen send does not arrive
  clog,       // nothing of theirs gets through; then all of it
  crash,      // power cut: what was not synced is lost; back after `down`
  kill,       // the process dies; the machine resets its connections; back after `down`
  pause,      // the process stands still
  churn,      // sessions and absences of drawn lengths
  link,       // another link while it lasts
  disk,       // another disk while it lasts
  clock,      // the wall clock jumps by `by`
  move        // another address
};
enum class Spread : std::uint8_t { exponential, pareto, uniform, fixed };
struct Fault {
  FaultKind kind = FaultKind::crash;
  std::string who = "all";
  std::uint32_t count = 0;  // drawn among `who`; 0: share_ppm of them
  std::uint32_t share_ppm = 1'000'000;
  Duration at{};
  Duration until{};                     // healed then; 0: the end of the run, less `settle`
  Duration every{};                     // drawn anew so often until then; 0: once
  Duration down = 10s;                  // churn: mean
  Duration session = 10min;             // churn: mean
  Spread spread = Spread::exponential;  // churn: of both
  bool back = false;                    // clock: jumps into the past
  Duration by{};                        // clock
  bool swarm = false;                   // link, disk: drawn from the seed instead
  LinkOptions link;                     // as the chosen's own, where it says nothing
  store::MemoryFaults disk;             // the same
};

struct Expect {
  std::string metric;
  bool has_min = false, has_max = false;
  double min = 0, max = 0;
};

struct Scenario {
  std::string name;
  std::string about;  // one or two sentences
  Fidelity fidelity = Fidelity::messages;
  std::uint32_t nodes = 0;
  std::uint64_t seed = 1;
  Duration until{};
  Duration settle = 30s;     // at the end: faults are healed, nothing new is asked
  std::uint64_t memory = 0;  // that the run may take; 0: what the machine has
  LinkOptions link;
  NetOptions net;
  std::vector<std::string> regions;                    // names; LinkOptions::region counts from 0
  std::vector<std::vector<std::uint32_t>> latency_ms;  // one way, from row to column
  store::MemoryFaults disk;
  NodeSpec node;
  ClockSpec clock;
  Topology topology;
  std::vector<Group> groups;
  std::vector<Work> work;
  std::vector<Fault> faults;
  std::vector<std::string> log_expected;  // codes at warn or worse that do not fail the run
  std::vector<Expect> expects;
};

}  // namespace kith::simnet
