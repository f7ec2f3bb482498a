// ConsoleLog: Log as lines of text on stderr, by spdlog: time, level, code, text. What runs in the
// background has its stderr in the home folder's log file.
#pragma once

#include <memory>

#include "net/base/log.hpp"

namespace kith::daemon {

class ConsoleLog final : public Log {
 public:
  explicit ConsoleLog(Level level);
  ~ConsoleLog() override;
  bool enabled(Level level) const override { return level >= level_; }
  void write(Level level, std::string_view code, std::string text) override;

 private:
  struct Impl;
  Level level_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kith::daemon
