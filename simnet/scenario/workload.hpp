// Workload: what the people of a scenario ask of their nodes, and what they were told. It keeps
// what was acknowledged, for the checks that come after.
//
// An act is asked of a node drawn among those of `who` that are up and ready. A node that dies
// before it answers leaves its act unanswered, which is nobody's fault.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "simnet/scenario/deliveries.hpp"
#include "simnet/scenario/histogram.hpp"
#include "simnet/scenario/town.hpp"

namespace kith::simnet {

// Of one [[work]].
struct WorkFigures {
  std::uint64_t asked = 0;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t unanswered = 0;  // the node died, or the run ended
  std::uint64_t nobody = 0;      // nobody was up to be asked
  Histogram took_us;             // of those done
  Histogram messages;            // lookup, find: requests sent
  Histogram hops;                // of the longest way to a peer of the answer
  Histogram dead_ends;           // of those, failed
  std::uint64_t true_found = 0;  // lookup: of the true nearest
  std::uint64_t true_due = 0;
  std::uint64_t read = 0;  // file, provide: readers that got it
  std::uint64_t read_wrong = 0;
  std::uint64_t read_failed = 0;
  Histogram read_us;
};

struct AckedFile {
  NodeIndex owner = 0;
  Cid cid;
  std::uint64_t content = 0;  // its seed
  std::uint64_t size = 0;
  std::uint32_t spread = 0;
};
struct AckedSpace {
  std::map<std::string, std::string> values;
  std::int64_t counted = 0;    // increments acknowledged
  std::int64_t uncertain = 0;  // asked, and never answered
};
struct Lesson {  // of a "learn"
  edil::TaskId task{};
  std::uint32_t rounds = 0;
  std::vector<NodeIndex> joined;  // those whose join was acknowledged
};

class Workload final : public EventHandler {
 public:
  Workload(Town& town, Deliveries& deliveries);
  void begin();  // schedules everything

  void on_ready(NodeIndex node) { ready_[node] = true; }
  void on_crash(NodeIndex node);
  void on_done(NodeIndex node, RequestId id, Result<node::Answer> answer);
  void on_routed(NodeIndex node, RequestId id, Result<dht::RoutingAnswer> answer);
  bool ready(NodeIndex node) const { return ready_[node] && town_.up(node); }

  const std::vector<WorkFigures>& figures() const { return figures_; }
  const std::vector<AckedFile>& files() const { return files_; }
  std::map<std::string, AckedSpace> spaces() const;
  const std::vector<Lesson>& lessons() const { return lessons_; }
  static Bytes content_of(std::uint64_t seed, std::uint64_t size);

  void on_event(const Event& event) override;

 private:
  enum Kind : std::uint16_t { kAct, kRead, kJoin };
  enum class Stage : std::uint8_t { first, read, join };
  struct Asked {
    std::uint32_t work = 0;
    Stage stage = Stage::first;
    Mono at{};
    std::uint64_t ref = 0;  // which file, key, lesson
    std::string key, value;
    std::int64_t by = 0;
  };
  using AskedKey = std::pair<NodeIndex, std::uint64_t>;

  std::optional<NodeIndex> draw(const std::string& who);
  void act(std::uint32_t index);
  void act_once(std::uint32_t index);
  void remember(NodeIndex node, RequestId id, Asked asked);
  void read_later(std::uint64_t ref, Duration wait);
  void read(std::uint32_t index, std::uint64_t ref);
  void join(std::uint64_t lesson);
  void learn(std::uint32_t index, NodeIndex node);
  void finish(const Asked& asked, NodeIndex node, Result<node::Answer>& answer);
  void finish_read(const Asked& asked, Result<node::Answer>& answer);
  void judge_lookup(WorkFigures& figures, NodeIndex asker, const Asked& asked,
                    const dht::RoutingAnswer& answer);
  void fail(const Asked& asked, NodeIndex node, const Error& error);
  Duration end_of(const Work& work) const;

  Town& town_;
  Deliveries& deliveries_;
  std::uint16_t handler_;
  Rng rng_;
  std::vector<bool> ready_;
  std::vector<WorkFigures> figures_;
  std::map<AskedKey, Asked> asked_;
  struct Thing {  // a file or a provided hash
    std::uint32_t work = 0;
    NodeIndex owner = 0;
    Cid cid;
    std::uint64_t content = 0, size = 0;
    std::uint32_t readers_left = 0;
  };
  std::vector<Thing> things_;
  std::vector<AckedFile> files_;
  std::map<std::string, AckedSpace> spaces_;
  std::vector<Lesson> lessons_;
  std::vector<std::uint32_t> lesson_work_;
  std::uint64_t keys_ = 0;
};

}  // namespace kith::simnet
