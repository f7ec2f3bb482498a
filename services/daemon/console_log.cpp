#include "services/daemon/console_log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/ansicolor_sink.h>

#include <cstdlib>

namespace kith::daemon {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::trace:
      return spdlog::level::trace;
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// A line feed in a text would let a peer write lines of its own.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return text;
}

}  // namespace

struct ConsoleLog::Impl {
  explicit Impl(spdlog::color_mode color)
      : logger("kith", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(color)) {}
  spdlog::logger logger;
};

ConsoleLog::ConsoleLog(Level level)
    : level_(level),
      impl_(std::make_unique<Impl>(std::getenv("NO_COLOR") != nullptr
                                       ? spdlog::color_mode::never
                                       : spdlog::color_mode::automatic)) {
  impl_->logger.set_level(to_spdlog(level));
  impl_->logger.set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-5l%$ %v");
  impl_->logger.flush_on(spdlog::level::trace);
}

ConsoleLog::~ConsoleLog() = default;

void ConsoleLog::write(Level level, std::string_view code, std::string text) {
  const std::string line = std::string(code) + " " + one_line(std::move(text));
  impl_->logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace kith::daemon
