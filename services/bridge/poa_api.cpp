#include "services/bridge/poa_api.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace kith::bridge {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kShowMs = 30'000;
constexpr std::uint64_t kAskMs = 60'000;

Result<TimedRequest> timed(Body& body, poa::Request request, std::uint64_t otherwise_ms) {
  const std::uint64_t ms = body.number_or("timeout_ms", otherwise_ms, 0, kTimeoutMsMax);
  KITH_TRY_VOID(body.finish());
  return TimedRequest{std::move(request), std::chrono::milliseconds(ms)};
}

std::int64_t seconds_of(Duration time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

void put_timing(const poa::Timing& timing, json::object& out) {
  out["beat_s"] = seconds_of(timing.beat);
  out["epoch_s"] = seconds_of(timing.epoch);
}

json::object json_of(const poa::EpochView& epoch, const poa::Timing& timing) {
  json::array cells;
  for (const std::uint8_t cell : epoch.cells) {
    if (cell == poa::kNoView)
      cells.emplace_back(nullptr);
    else
      cells.emplace_back(cell);
  }
  return {{"epoch", epoch.epoch},
          {"start_s", epoch.epoch * static_cast<std::uint64_t>(seconds_of(timing.epoch))},
          {"up", epoch.up},
          {"seen", epoch.seen},
          {"value", epoch.value},
          {"cells", std::move(cells)}};
}

json::object json_of(const poa::PeerView& peer, const poa::Timing& timing) {
  json::array epochs;
  for (const poa::EpochView& epoch : peer.epochs) epochs.emplace_back(json_of(epoch, timing));
  json::object out{{"id", peer.id.text()},
                   {"self", peer.self},
                   {"capacity",
                    {{"cores", peer.capacity.cores},
                     {"memory_mib", peer.capacity.memory_mib},
                     {"disk_free_mib", peer.capacity.disk_free_mib},
                     {"keeps", (peer.capacity.flags & schema::kKeepsForOthers) != 0}}},
                   {"epochs", std::move(epochs)}};
  if (peer.heard_slot)
    out["heard_s"] = *peer.heard_slot * static_cast<std::uint64_t>(seconds_of(timing.beat));
  return out;
}

void write(const poa::Calendar& calendar, json::object& out) {
  put_timing(calendar.timing, out);
  out["epoch"] = calendar.epoch;
  out["now_s"] = calendar.slot * static_cast<std::uint64_t>(seconds_of(calendar.timing.beat));
  json::array peers;
  for (const poa::PeerView& peer : calendar.peers)
    peers.emplace_back(json_of(peer, calendar.timing));
  out["peers"] = std::move(peers);
}

void write(const poa::Table& table, json::object& out) {
  out["owner"] = table.owner.text();
  put_timing(table.timing, out);
  out["time_ms"] = table.time_ms;
  out["first_epoch"] = table.first_epoch;
  out["up"] = json::array(table.up.begin(), table.up.end());
  json::array peers;
  for (const schema::StatementEntry& entry : table.peers)
    peers.push_back(
        json::object{{"id", entry.peer.text()},
                     {"values", json::array(entry.values.begin(), entry.values.end())}});
  out["peers"] = std::move(peers);
}

}  // namespace

Result<TimedRequest> parse_uptime(Body& body) { return timed(body, poa::ShowUptime{}, kShowMs); }

Result<TimedRequest> parse_uptime_show(Body& body) {
  poa::ShowUptime show;
  if (body.has("peer")) show.peer = body.peer_id("peer");
  show.epochs =
      static_cast<std::uint32_t>(body.number_or("epochs", poa::kEpochsKept, 1, poa::kEpochsKept));
  return timed(body, std::move(show), kShowMs);
}

Result<TimedRequest> parse_uptime_ask(Body& body) {
  poa::AskUptime ask{body.peer_id("peer")};
  return timed(body, std::move(ask), kAskMs);
}

void write_uptime(const node::Answer& answer, json::object& out) {
  if (const auto* uptime = std::get_if<poa::Answer>(&answer))
    std::visit([&](const auto& kind) { write(kind, out); }, *uptime);
}

json::object event(const poa::Progress& progress) {
  const auto& pages = std::get<poa::TablePages>(progress);
  return {{"event", "pages"}, {"pages", pages.pages}, {"peers", pages.peers}};
}

std::string poa_metrics(const poa::Status& status) {
  std::string text;
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help) {
    text += "# HELP kith_poa_" + std::string(name) + " " + std::string(help) +
            "\n# TYPE kith_poa_" + std::string(name) + " " + std::string(type) + "\n";
  };
  const auto labelled = [&](std::string_view name, std::string_view label, std::string_view is,
                            std::uint64_t number) {
    text += "kith_poa_" + std::string(name);
    if (!is.empty()) text += "{" + std::string(label) + "=\"" + std::string(is) + "\"}";
    text += " " + std::to_string(number) + "\n";
  };
  const auto value = [&](std::string_view name, std::string_view is, std::uint64_t number) {
    labelled(name, "became", is, number);
  };
  const poa::BeatCounters& beats = status.beats;
  family("beats_total", "counter", "Beats heard, by what became of them.");
  value("beats_total", "counted", beats.counted);
  value("beats_total", "spare", beats.spare);
  value("beats_total", "early", beats.early);
  value("beats_total", "flooding", beats.flooding);
  value("beats_total", "repeated", beats.repeated);
  value("beats_total", "replayed", beats.replayed);
  value("beats_total", "stale", beats.stale);
  value("beats_total", "future", beats.future);
  value("beats_total", "mismatched", beats.mismatched);
  value("beats_total", "malformed", beats.malformed);
  value("beats_total", "truncated", beats.truncated);
  value("beats_total", "oversized", beats.oversized);
  value("beats_total", "strangers", beats.strangers);
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help,
                       std::uint64_t number) {
    family(name, type, help);
    value(name, {}, number);
  };
  one("beats_sent_total", "counter", "Beats that this node published.", status.sent);
  one("peers", "gauge", "Peers of which a beat was heard.", status.peers);
  one("epoch", "gauge", "The present epoch.", status.epoch);
  one("up_slots", "gauge", "Slots of this epoch that this node observed.", status.up_slots);
  one("clock_steps_total", "counter", "Steps ahead of the wall clock.", status.clock_steps);
  one("pages_given_total", "counter", "Pages of the table given to peers.", status.pages_given);
  const auto refused = [&](std::string_view name, std::string_view why, std::uint64_t number) {
    labelled(name, "why", why, number);
  };
  const poa::QuestionCounters& questions = status.questions;
  family("questions_refused_total", "counter", "Questions for the table, refused, by why.");
  refused("questions_refused_total", "flooding", questions.flooding);
  refused("questions_refused_total", "malformed", questions.malformed);
  refused("questions_refused_total", "truncated", questions.truncated);
  refused("questions_refused_total", "oversized", questions.oversized);
  refused("questions_refused_total", "unready", questions.unready);
  const poa::AnswerCounters& answers = status.answers;
  family("answers_faulty_total", "counter", "Tables of peers; all but future ones were refused.");
  refused("answers_faulty_total", "forged", answers.forged);
  refused("answers_faulty_total", "replayed", answers.replayed);
  refused("answers_faulty_total", "malformed", answers.malformed);
  refused("answers_faulty_total", "truncated", answers.truncated);
  refused("answers_faulty_total", "oversized", answers.oversized);
  refused("answers_faulty_total", "stale", answers.stale);
  refused("answers_faulty_total", "future", answers.future);
  return text;
}

}  // namespace kith::bridge
