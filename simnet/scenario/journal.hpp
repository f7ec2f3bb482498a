// Journal: what a run tells beside its figures: one line an event that a researcher would look for
// (a fault, a failed request, an unexpected log line). And LogBook, the Log of every simulated
// node: what is at warn or worse and not expected fails the run.
// Bounds: kJournalMax lines; what is beyond is counted.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/base/log.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

inline constexpr std::size_t kJournalMax = 100'000;

struct JournalLine {
  Mono at{};
  std::string kind;  // "crash", "publish", "log"
  std::optional<NodeIndex> node;
  std::string text;
};

class Journal {
 public:
  explicit Journal(World& world) : world_(world) {}
  void tell(std::string kind, std::optional<NodeIndex> node, std::string text) {
    if (lines_.size() == kJournalMax)
      ++dropped_;
    else
      lines_.push_back({world_.now(), std::move(kind), node, std::move(text)});
  }
  const std::vector<JournalLine>& lines() const { return lines_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  World& world_;
  std::vector<JournalLine> lines_;
  std::uint64_t dropped_ = 0;
};

class LogBook {
 public:
  LogBook(Journal& journal, std::vector<std::string> expected);
  void write(NodeIndex node, Level level, std::string_view code, const std::string& text);
  std::uint64_t unexpected() const { return unexpected_; }
  const std::map<std::string, std::uint64_t>& by_code() const { return by_code_; }

 private:
  Journal& journal_;
  std::vector<std::string> expected_;
  std::map<std::string, std::uint64_t> by_code_;  // at warn or worse
  std::uint64_t unexpected_ = 0;
};

class NodeLog final : public Log {
 public:
  NodeLog(LogBook& book, NodeIndex node) : book_(book), node_(node) {}
  bool enabled(Level level) const override { return level >= Level::warn; }
  void write(Level level, std::string_view code, std::string text) override {
    book_.write(node_, level, code, text);
  }

 private:
  LogBook& book_;
  NodeIndex node_;
};

}  // namespace kith::simnet
