// The calendar of `kith uptime show` as text: a row an epoch, a cell a part of it, shaded by the
// share of slots in which the peer was heard.
//
//   .  this node saw nothing of that part (it was away or heard nobody, or the part is to come)
//   _  the peer was not heard at all: a hole
//   Shades between are quarters; without UTF-8 they are - = and #.
//
// Cells are joined when the terminal is too narrow for them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace kith::daemon {

struct CalendarStyle {
  bool utf8 = false;
  std::size_t columns = 80;
};
// From the environment's locale and the terminal of stdout; 80 columns when it is none.
CalendarStyle calendar_style();

using Cells = std::vector<std::optional<unsigned>>;  // none: nothing was seen of it

std::string cell_text(std::optional<unsigned> share, bool utf8);
// At most `cells_max` cells: neighbours become their mean, of those that were seen.
Cells join_cells(const Cells& cells, std::size_t cells_max);
// What the signs mean. `others`: the peers that are shown; with a single one (as in a home of two
// machines) it says why that one's absence is never seen: this node counts only while it hears
// anybody, since it cannot tell "the other is away" from "my own connection is down".
std::string legend_text(std::size_t others, bool utf8);
std::string row_text(const Cells& cells, const CalendarStyle& style, std::size_t taken);
// "2026-11-20", or "2026-11-20 14:00" for epochs shorter than a day. UTC.
std::string epoch_text(std::uint64_t start_s, std::uint64_t epoch_s);

}  // namespace kith::daemon
