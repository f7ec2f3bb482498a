// Log: where cores' attachments and drivers say what happened. A line has a stable code, so that a
// scenario can list the ones it expects and a person can search for it. A line that a peer can
// trigger is `debug`, or goes through a RateLimited log. A `warn` or worse fails a simulation
// unless the scenario lists its code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kith {

enum class Level : std::uint8_t { trace, debug, info, warn, error };

class Log {
 public:
  virtual ~Log() = default;
  virtual bool enabled(Level level) const = 0;
  // code: "store.disk-full", lower case, dots between folder and event.
  virtual void write(Level level, std::string_view code, std::string text) = 0;

  void debug(std::string_view code, std::string text) { put(Level::debug, code, std::move(text)); }
  void info(std::string_view code, std::string text) { put(Level::info, code, std::move(text)); }
  void warn(std::string_view code, std::string text) { put(Level::warn, code, std::move(text)); }
  void error(std::string_view code, std::string text) { put(Level::error, code, std::move(text)); }

 private:
  void put(Level level, std::string_view code, std::string text) {
    if (enabled(level)) write(level, code, std::move(text));
  }
};

// Says nothing; for tests that do not look.
class NullLog final : public Log {
 public:
  bool enabled(Level) const override { return false; }
  void write(Level, std::string_view, std::string) override {}
};

}  // namespace kith
