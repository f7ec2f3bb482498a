#include "services/daemon/progress.hpp"

#include <unistd.h>

#include <cstdio>

#include "services/daemon/commands.hpp"

namespace kith::daemon {

std::string progress_text(const ProgressFacts& facts, double bytes_per_second) {
  std::string text = facts.phase;
  if (facts.bytes > 0 || facts.bytes_total > 0) text += " " + size_text(facts.bytes);
  if (facts.bytes_total > 0) {
    const auto percent = static_cast<unsigned>(static_cast<double>(facts.bytes) * 100 /
                                               static_cast<double>(facts.bytes_total));
    text += " of " + size_text(facts.bytes_total) + " (" + std::to_string(percent) + "%)";
  }
  if (bytes_per_second >= 1 && facts.bytes > 0) {
    text += ", " + size_text(static_cast<std::uint64_t>(bytes_per_second)) + "/s";
    if (facts.bytes_total > facts.bytes) {
      const double left = static_cast<double>(facts.bytes_total - facts.bytes) / bytes_per_second;
      if (left < 1e9) text += ", " + age_text(static_cast<std::uint64_t>(left) + 1) + " left";
    }
  }
  if (facts.providers > 0) text += ", " + std::to_string(facts.providers) + " providers";
  if (facts.keepers > 0) text += ", " + std::to_string(facts.keepers) + " keepers";
  if (!facts.note.empty()) text += ": " + facts.note;
  return text;
}

Progress::Progress(std::chrono::milliseconds stall)
    : stall_(stall), terminal_(::isatty(STDERR_FILENO) == 1) {
  phase_start_ = moved_ = Clock::now();
}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
}

void Progress::on_facts(const ProgressFacts& facts) {
  const Clock::time_point now = Clock::now();
  if (facts.bytes != facts_.bytes) moved_ = now;
  if (facts.phase != facts_.phase) {
    new_phase_ = true;
    phase_start_ = now;
    phase_bytes_ = facts.bytes;
  }
  facts_ = facts;
  draw_if_due(now);
}

void Progress::draw_if_due(Clock::time_point now) {
  if (facts_.phase.empty() || now - start_ < kQuietAtFirst) return;
  const std::chrono::milliseconds every =
      terminal_ ? kRedrawEvery : std::chrono::milliseconds(kProgressEvery);
  if (new_phase_ || now - last_draw_ >= every) draw(now);
}

Result<void> Progress::on_tick() {
  const Clock::time_point now = Clock::now();
  draw_if_due(now);
  if (stall_.count() == 0 || now - moved_ < stall_) return {};
  return fail(Errc::timeout,
              "nothing moved for " + std::to_string(stall_.count() / 1000) + " seconds",
              "it was " + progress_text(facts_, 0),
              "try again with a longer --timeout, or when more peers are online");
}

void Progress::draw(Clock::time_point now) {
  last_draw_ = now;
  new_phase_ = false;
  const double seconds = std::chrono::duration<double>(now - phase_start_).count();
  const std::uint64_t moved = facts_.bytes > phase_bytes_ ? facts_.bytes - phase_bytes_ : 0;
  const std::string text =
      progress_text(facts_, seconds > 0.2 ? static_cast<double>(moved) / seconds : 0);
  if (terminal_) {
    std::fprintf(stderr, "\r\x1b[K%s", text.substr(0, 120).c_str());
    std::fflush(stderr);
    drawn_ = true;
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
}

}  // namespace kith::daemon
