#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdio>

#include "services/daemon/calendar_text.hpp"
#include "services/daemon/commands.hpp"

namespace kith::daemon {
namespace {

using boost::json::object;

using Number = unsigned long long;

Cells cells_at(const object& epoch) {
  Cells cells;
  const auto* found = epoch.if_contains("cells");
  if (found == nullptr || !found->is_array()) return cells;
  for (const auto& cell : found->get_array()) {
    boost::system::error_code failed;
    const auto share = cell.to_number<unsigned>(failed);
    cells.push_back(failed ? std::nullopt : std::optional(share));
  }
  return cells;
}

std::vector<Number> numbers_at(const object& from, std::string_view key) {
  std::vector<Number> numbers;
  const auto* found = from.if_contains(boost::json::string_view(key.data(), key.size()));
  if (found == nullptr || !found->is_array()) return numbers;
  for (const auto& one : found->get_array()) {
    boost::system::error_code failed;
    numbers.push_back(one.to_number<Number>(failed));
  }
  return numbers;
}

std::string heard_text(const object& peer, Number now_s) {
  if (flag_at(peer, "self")) return "this node";
  if (peer.if_contains("heard_s") == nullptr) return "not heard in its slots yet";
  const Number at = number_at(peer, "heard_s");
  return "heard " + age_text(now_s > at ? now_s - at : 0) + " ago";
}

void show_calendar(const object& answer) {
  const CalendarStyle style = calendar_style();
  const Number epoch_s = number_at(answer, "epoch_s");
  std::size_t others = 0;
  for (const object& peer : objects_at(answer, "peers")) {
    others += flag_at(peer, "self") ? 0 : 1;
    const object capacity = object_at(peer, "capacity");
    std::printf("%s  %s", text_at(peer, "id").c_str(),
                heard_text(peer, number_at(answer, "now_s")).c_str());
    if (number_at(capacity, "cores") > 0)
      std::printf("  %llu cores, %s", static_cast<Number>(number_at(capacity, "cores")),
                  size_text(number_at(capacity, "memory_mib") << 20).c_str());
    std::printf("\n");
    bool observed = false;
    for (const object& epoch : objects_at(peer, "epochs")) {
      if (number_at(epoch, "up") == 0) continue;  // nothing was observed
      observed = true;
      char front[64];
      const int taken = std::snprintf(front, sizeof front, "  %s %3llu ",
                                      epoch_text(number_at(epoch, "start_s"), epoch_s).c_str(),
                                      static_cast<Number>(number_at(epoch, "value")));
      std::printf("%s%s\n", front,
                  row_text(cells_at(epoch), style, static_cast<std::size_t>(taken)).c_str());
    }
    if (!observed) std::printf("  nothing was observed yet\n");
  }
  std::printf("%s", legend_text(others, style.utf8).c_str());
}

// Values only: another node's word.
void show_table(const object& answer) {
  const Number epoch_s = number_at(answer, "epoch_s");
  const std::vector<Number> up = numbers_at(answer, "up");
  std::printf("as %s says that it observed:\n", text_at(answer, "owner").c_str());
  for (const object& peer : objects_at(answer, "peers")) {
    std::printf("%s\n", text_at(peer, "id").c_str());
    const std::vector<Number> values = numbers_at(peer, "values");
    for (std::size_t i = 0; i < values.size() && i < up.size(); ++i) {
      if (up[i] == 0) continue;
      const Number start = (number_at(answer, "first_epoch") + i) * epoch_s;
      std::printf("  %s %3llu\n", epoch_text(start, epoch_s).c_str(), values[i]);
    }
  }
}

}  // namespace

int run_command(const Context& context, const UptimeShow& what) {
  ApiClient::Call call;
  call.method = "POST";
  call.path = what.from.empty() ? "/api/v1/uptime/show" : "/api/v1/uptime/ask";
  if (!what.from.empty()) {
    call.body["peer"] = what.from;
  } else {
    if (!what.peer.empty()) call.body["peer"] = what.peer;
    if (what.epochs > 0) call.body["epochs"] = what.epochs;
  }
  add_timeout(context, call.body);
  return ask(context, std::move(call), what.from.empty() ? show_calendar : show_table);
}

}  // namespace kith::daemon
