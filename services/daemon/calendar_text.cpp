#include "services/daemon/calendar_text.hpp"

#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace kith::daemon {
namespace {

constexpr std::size_t kColumnsUsual = 80;
constexpr std::size_t kColumnsMin = 20;
constexpr std::uint64_t kDay = 86'400;

bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string locale(value);
    std::transform(locale.begin(), locale.end(), locale.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

CalendarStyle calendar_style() {
  CalendarStyle style;
  style.utf8 = speaks_utf8();
  style.columns = kColumnsUsual;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    style.columns = std::max<std::size_t>(size.ws_col, kColumnsMin);
  return style;
}

std::string cell_text(std::optional<unsigned> share, bool utf8) {
  if (!share) return utf8 ? "\u00b7" : ".";
  if (*share == 0) return "_";
  const unsigned shade = *share >= 98 ? 3 : *share >= 75 ? 2 : *share >= 25 ? 1 : 0;
  constexpr const char* kPlain[] = {"-", "=", "+", "#"};
  constexpr const char* kBlocks[] = {"\u2591", "\u2592", "\u2593", "\u2588"};
  return utf8 ? kBlocks[shade] : kPlain[shade];
}

Cells join_cells(const Cells& cells, std::size_t cells_max) {
  if (cells.size() <= cells_max || cells_max == 0) return cells;
  const std::size_t each = (cells.size() + cells_max - 1) / cells_max;
  Cells joined;
  for (std::size_t from = 0; from < cells.size(); from += each) {
    unsigned sum = 0, seen = 0;
    for (std::size_t at = from; at < std::min(from + each, cells.size()); ++at) {
      if (!cells[at]) continue;
      sum += *cells[at];
      ++seen;
    }
    joined.push_back(seen == 0 ? std::nullopt : std::optional(sum / seen));
  }
  return joined;
}

std::string row_text(const Cells& cells, const CalendarStyle& style, std::size_t taken) {
  const std::size_t room = style.columns > taken ? style.columns - taken : 1;
  std::string row;
  for (const auto& cell : join_cells(cells, room)) row += cell_text(cell, style.utf8);
  return row;
}

std::string legend_text(std::size_t others, bool utf8) {
  const std::string unseen = cell_text(std::nullopt, utf8);
  std::string text = "value 0-255; " + cell_text(100, utf8) + " all  " + cell_text(50, utf8) +
                     " some  " + cell_text(0, utf8) + " none heard  " + unseen +
                     " not observed; UTC\n" + unseen +
                     " not observed: this node was off, or heard nobody, so it judges nobody\n";
  if (others == 1)
    text +=
        "note: only one other node is shown. If it is the only one that is ever heard,\n"
        "      its absence shows as " +
        unseen +
        ", and its value stays: from here it looks like a\n"
        "      fault of this node's own connection. A third node makes it visible.\n";
  return text;
}

std::string epoch_text(std::uint64_t start_s, std::uint64_t epoch_s) {
  const auto at = static_cast<time_t>(start_s);
  tm parts{};
  if (gmtime_r(&at, &parts) == nullptr) return std::to_string(start_s);
  char text[32];
  const char* format = epoch_s % kDay == 0 ? "%Y-%m-%d" : "%Y-%m-%d %H:%M";
  return std::string(text, strftime(text, sizeof text, format, &parts));
}

}  // namespace kith::daemon
