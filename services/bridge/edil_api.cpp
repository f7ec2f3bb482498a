#include "services/bridge/edil_api.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace kith::bridge {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kLocalMs = 30'000;
constexpr std::uint64_t kCreateMs = 60'000;
constexpr std::uint64_t kJoinMs = 300'000;  // reads the owner's files
constexpr std::size_t kWordMax = 16;

Result<TimedRequest> timed(Body& body, edil::Request request, std::uint64_t otherwise_ms) {
  const std::uint64_t ms = body.number_or("timeout_ms", otherwise_ms, 0, kTimeoutMsMax);
  KITH_TRY_VOID(body.finish());
  return TimedRequest{std::move(request), std::chrono::milliseconds(ms)};
}

edil::TaskId task_of(Body& body) {
  const auto id = edil::parse_task(body.text("task", 2 * kSha256Size));
  if (!id) body.blame(id.error());
  return id ? *id : edil::TaskId{};
}

// The place of a word among `words`; the first when it is missing.
std::size_t word_of(Body& body, std::string_view key,
                    std::initializer_list<std::string_view> words) {
  const std::string given = body.text_or(key, kWordMax, *words.begin());
  std::size_t place = 0;
  std::string known;
  for (const std::string_view word : words) {
    if (given == word) return place;
    known += (place == 0 ? "'" : " or '") + std::string(word) + "'";
    ++place;
  }
  body.blame(fail(Errc::usage, "'" + std::string(key) + "' must be " + known));
  return 0;
}

std::uint32_t small(Body& body, std::string_view key, std::uint32_t otherwise, std::uint32_t max) {
  return static_cast<std::uint32_t>(body.number_or(key, otherwise, 0, max));
}

void put(json::object& out, const edil::Accuracy& accuracy) {
  if (accuracy.of == 0) return;
  out["right"] = accuracy.right;
  out["of"] = accuracy.of;
  out["accuracy"] = static_cast<double>(accuracy.right) / static_cast<double>(accuracy.of);
}

json::object json_of(const edil::RoundInfo& round) {
  json::object out{{"round", round.round},     {"leader", round.leader.text()},
                   {"view", round.view},       {"contributors", round.contributors},
                   {"samples", round.samples}, {"model", round.model.text()}};
  put(out, round.accuracy);
  return out;
}

json::object json_of(const edil::TaskInfo& info) {
  const schema::EdilTask& task = info.task;
  constexpr std::string_view kData[] = {"digits", "digits by label", "own"};
  json::object out{{"task", edil::task_text(info.id)},
                   {"name", valid_utf8(task.name)},
                   {"creator", info.creator.text()},
                   {"model_kind", task.shape.kind == schema::ModelKind::mlp ? "mlp" : "softmax"},
                   {"inputs", task.shape.inputs},
                   {"hidden", task.shape.hidden},
                   {"outputs", task.shape.outputs},
                   {"parameters", task.shape.parameters()},
                   {"first_model", task.first_model.text()},
                   {"rounds", task.rounds},
                   {"min", task.contributors_min},
                   {"strategy", "fedavg"},
                   {"rate_millionths", task.rate_millionths},
                   {"epochs", task.epochs},
                   {"batch", task.batch},
                   {"data", std::string(kData[static_cast<std::size_t>(task.data)])},
                   {"samples_each", task.samples},
                   {"round_ms", task.round_ms},
                   {"created_ms", task.created_ms},
                   {"role", std::string(edil::role_name(info.role))},
                   {"round", info.round},
                   {"model", info.model.text()},
                   {"joined", info.joined},
                   {"updates", info.updates},
                   {"weight", info.weight},
                   {"own_samples", info.own_samples},
                   {"doing", info.doing},
                   {"encrypted", false}};
  put(out, info.accuracy);
  return out;
}

void write(const edil::TaskInfo& info, json::object& out) {
  for (auto& field : json_of(info)) out[field.key()] = field.value();
}
void write(const edil::TaskList& list, json::object& out) {
  json::array tasks;
  for (const edil::TaskInfo& info : list.tasks) tasks.emplace_back(json_of(info));
  out["tasks"] = std::move(tasks);
}
void write(const edil::RoundList& list, json::object& out) {
  json::array rounds;
  for (const edil::RoundInfo& round : list.rounds) rounds.emplace_back(json_of(round));
  out["rounds"] = std::move(rounds);
}

}  // namespace

Result<TimedRequest> parse_fl_list(Body& body) { return timed(body, edil::ListTasks{}, kLocalMs); }

Result<TimedRequest> parse_fl_create(Body& body) {
  schema::EdilTask task;
  task.name = body.text_or("name", schema::kEdilNameMax, "");
  const bool mlp = word_of(body, "model", {"softmax", "mlp"}) == 1;
  task.shape.kind = mlp ? schema::ModelKind::mlp : schema::ModelKind::softmax;
  task.shape.inputs = small(body, "inputs", 784, schema::kInputsMax);
  task.shape.hidden = small(body, "hidden", mlp ? 32 : 0, schema::kHiddenMax);
  task.shape.outputs = small(body, "outputs", 10, schema::kOutputsMax);
  task.rounds = small(body, "rounds", 10, schema::kRoundsMax);
  task.contributors_min = small(body, "min", 1, schema::kContributorsMax);
  const bool own = word_of(body, "data", {"digits", "own"}) == 1;
  const bool by_label = word_of(body, "split", {"iid", "labels"}) == 1;
  task.data = own        ? schema::DataKind::own
              : by_label ? schema::DataKind::digits_by_label
                         : schema::DataKind::digits_iid;
  task.samples = small(body, "samples", 500, schema::kSamplesMax);
  task.rate_millionths = small(body, "rate_millionths", mlp ? 200'000 : 100'000, schema::kRateMax);
  task.epochs = small(body, "epochs", 2, schema::kEpochsMax);
  task.batch = small(body, "batch", 16, schema::kBatchMax);
  task.round_ms = small(body, "round_ms", 30'000, schema::kRoundMsMax);
  if (auto good = schema::check_task(task); !good) {
    Error error = good.error();
    error.code = Errc::usage;
    body.blame(std::move(error));
  }
  return timed(body, edil::CreateTask{std::move(task)}, kCreateMs);
}

Result<TimedRequest> parse_fl_join(Body& body) {
  edil::JoinTask join;
  join.task = task_of(body);
  join.data.kind = static_cast<edil::SourceKind>(word_of(body, "source", {"drawn", "idx", "csv"}));
  if (join.data.kind != edil::SourceKind::drawn) join.data.path = body.path("path");
  join.follow = body.flag_or("follow", false);
  return timed(body, std::move(join), kJoinMs);
}

Result<TimedRequest> parse_fl_leave(Body& body) {
  const edil::LeaveTask what{task_of(body)};
  return timed(body, what, kLocalMs);
}
Result<TimedRequest> parse_fl_show(Body& body) {
  const edil::ShowTask what{task_of(body)};
  return timed(body, what, kLocalMs);
}
Result<TimedRequest> parse_fl_rounds(Body& body) {
  const edil::ShowRounds what{task_of(body)};
  return timed(body, what, kLocalMs);
}
Result<TimedRequest> parse_fl_wait(Body& body) {
  const edil::WaitTask what{task_of(body)};
  return timed(body, what, 0);
}

void write_fl(const node::Answer& answer, json::object& out) {
  if (const auto* fl = std::get_if<edil::Answer>(&answer))
    std::visit([&](const auto& kind) { write(kind, out); }, *fl);
}

json::object event(const edil::Progress& progress) {
  json::object out = json_of(std::get<edil::RoundInfo>(progress));
  out["event"] = "round";
  return out;
}

std::string edil_metrics(const edil::Status& status) {
  std::string text;
  const auto one = [&](const std::string& name, std::string_view type, std::string_view help,
                       std::uint64_t number) {
    text += "# HELP kith_edil_" + name + " " + std::string(help) + "\n# TYPE kith_edil_" + name +
            " " + std::string(type) + "\nkith_edil_" + name + " " + std::to_string(number) + "\n";
  };
  const edil::Counters& count = status.counters;
  one("tasks", "gauge", "Learning tasks known.", status.tasks);
  one("tasks_joined", "gauge", "Learning tasks that this node takes part in.", status.tasks_joined);
  one("updates_in_total", "counter", "Whole updates of others.", count.updates_in);
  one("update_bytes_in_total", "counter", "Bytes of parts of updates.", count.update_bytes_in);
  one("updates_out_total", "counter", "Own updates published.", count.updates_out);
  one("rounds_closed_total", "counter", "Rounds whose model was taken over.", count.rounds_closed);
  one("rounds_led_total", "counter", "Rounds that this node closed.", count.rounds_led);
  one("switches_total", "counter", "Changes to a chain of more weight.", count.switches);
  one("samples_trained_total", "counter", "Samples seen by the trainer.", count.samples_trained);
  one("blamed_total", "counter", "False answers by stream.", count.blamed);
  text +=
      "# HELP kith_edil_refused_total What came from others and was refused.\n"
      "# TYPE kith_edil_refused_total counter\n";
  const auto refused = [&](std::string_view why, std::uint64_t number) {
    text += "kith_edil_refused_total{why=\"" + std::string(why) + "\"} " + std::to_string(number) +
            "\n";
  };
  refused("forged", count.forged);
  refused("replayed", count.replayed);
  refused("truncated", count.truncated);
  refused("oversized", count.oversized);
  refused("malformed", count.malformed);
  refused("future_dated", count.future_dated);
  refused("wrong_base", count.wrong_base);
  refused("wrong_model", count.wrong_model);
  refused("not_joined", count.not_joined);
  refused("equivocated", count.equivocated);
  refused("full", count.full);
  return text;
}

}  // namespace kith::bridge
