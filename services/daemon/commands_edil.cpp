#include <unistd.h>

#include <array>
#include <climits>
#include <cmath>
#include <cstdio>

#include "services/daemon/commands.hpp"

namespace kith::daemon {
namespace {

using boost::json::object;
using Number = unsigned long long;
using Verb = FlCommand::Verb;

constexpr std::size_t kTaskDigits = 64;

ApiClient::Call call_of(const Context& context, const std::string& verb, object body) {
  ApiClient::Call call;
  call.method = "POST";
  call.path = "/api/v1/fl/" + verb;
  call.body = std::move(body);
  add_timeout(context, call.body);
  return call;
}

Result<object> ask_daemon(const Context& context, ApiClient::Call call) {
  auto client = ApiClient::connect(context.home);
  if (!client) return fail(Errc::closed, "the daemon is not running");
  return client->call(context.home, call);
}

// The whole id, when only its first digits are given.
Result<std::string> whole_id(const Context& context, const std::string& given) {
  if (given.size() == kTaskDigits) return given;
  ApiClient::Call call;
  call.path = "/api/v1/fl";
  KITH_TRY(const object list, ask_daemon(context, std::move(call)));
  std::vector<std::string> fitting;
  for (const object& task : objects_at(list, "tasks"))
    if (text_at(task, "task").starts_with(given)) fitting.push_back(text_at(task, "task"));
  if (fitting.size() == 1) return fitting.front();
  return fail(
      Errc::not_found,
      fitting.empty() ? "no known task begins with " + given : "several tasks begin with " + given,
      {}, fitting.empty() ? "kith fl ls" : "give more digits of it");
}

object create_body(const FlCommand& what) {
  object body;
  const bool own = what.data.starts_with("idx:") || what.data.starts_with("csv:");
  if (!what.name.empty()) body["name"] = what.name;
  if (!what.model.empty()) body["model"] = what.model;
  if (own) body["data"] = "own";
  if (!what.split.empty()) body["split"] = what.split;
  const auto number = [&](const char* key, std::uint64_t value) {
    if (value > 0) body[key] = value;
  };
  number("inputs", what.inputs);
  number("hidden", what.hidden);
  number("outputs", what.outputs);
  number("rounds", what.rounds);
  number("min", what.min);
  number("samples", what.samples);
  number("epochs", what.epochs);
  number("batch", what.batch);
  number("rate_millionths", static_cast<std::uint64_t>(std::lround(what.rate * 1e6)));
  number("round_ms", static_cast<std::uint64_t>(std::lround(what.round_seconds * 1e3)));
  return body;
}

object join_body(const FlCommand& what, const std::string& task) {
  object body{{"task", task}};
  if (what.follow) body["follow"] = true;
  if (!what.data.starts_with("idx:") && !what.data.starts_with("csv:")) return body;
  body["source"] = what.data.substr(0, 3);
  std::string path = what.data.substr(4);
  std::array<char, PATH_MAX> here{};
  if (!path.starts_with('/') && ::getcwd(here.data(), here.size()) != nullptr)
    path = std::string(here.data()) + "/" + path;
  body["path"] = path;
  return body;
}

void warn_plain(const Context& context) {
  if (!context.json)
    std::fprintf(stderr,
                 "updates travel in plain for now: who listens may learn about the samples\n");
}

std::string accuracy_text(const object& of) {
  if (number_at(of, "of") == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f%%", 100 * real_at(of, "accuracy"));
  return text;
}

void show_round(const object& round) {
  std::printf("%llu\t%llu contributors\t%llu samples\t%s\t%s\n",
              static_cast<Number>(number_at(round, "round")),
              static_cast<Number>(number_at(round, "contributors")),
              static_cast<Number>(number_at(round, "samples")), accuracy_text(round).c_str(),
              text_at(round, "model").c_str());
  std::fflush(stdout);
}

void show_task(const object& task) {
  std::printf("task       %s\nname       %s\ncreator    %s\n", text_at(task, "task").c_str(),
              text_at(task, "name").c_str(), text_at(task, "creator").c_str());
  std::printf("model      %s, %llu inputs, %llu hidden, %llu outputs: %llu parameters\n",
              text_at(task, "model_kind").c_str(), static_cast<Number>(number_at(task, "inputs")),
              static_cast<Number>(number_at(task, "hidden")),
              static_cast<Number>(number_at(task, "outputs")),
              static_cast<Number>(number_at(task, "parameters")));
  std::printf("training   %s, %llu samples each, %llu epochs a round, batch %llu, rate %g\n",
              text_at(task, "data").c_str(), static_cast<Number>(number_at(task, "samples_each")),
              static_cast<Number>(number_at(task, "epochs")),
              static_cast<Number>(number_at(task, "batch")),
              static_cast<double>(number_at(task, "rate_millionths")) * 1e-6);
  std::printf("round      %llu of %llu, %llu contributors at least\n",
              static_cast<Number>(number_at(task, "round")),
              static_cast<Number>(number_at(task, "rounds")),
              static_cast<Number>(number_at(task, "min")));
  std::printf("here       %s, %s; %llu joined, %llu updates of this round\n",
              text_at(task, "role").c_str(), text_at(task, "doing").c_str(),
              static_cast<Number>(number_at(task, "joined")),
              static_cast<Number>(number_at(task, "updates")));
  std::printf("accuracy   %s of %llu held-out samples\nmodel CID  %s\n",
              accuracy_text(task).c_str(), static_cast<Number>(number_at(task, "of")),
              text_at(task, "model").c_str());
  std::printf("updates    in plain for now\n");
}

int list_tasks(const Context& context) {
  ApiClient::Call call;
  call.path = "/api/v1/fl";
  return ask(context, std::move(call), [](const object& answer) {
    for (const object& task : objects_at(answer, "tasks"))
      std::printf("%s\t%llu/%llu\t%s\t%s\t%s\n", text_at(task, "task").substr(0, 16).c_str(),
                  static_cast<Number>(number_at(task, "round")),
                  static_cast<Number>(number_at(task, "rounds")), text_at(task, "role").c_str(),
                  text_at(task, "doing").c_str(), text_at(task, "name").c_str());
  });
}

int create_task(const Context& context, const FlCommand& what) {
  warn_plain(context);
  return ask(context, call_of(context, "create", create_body(what)), [](const object& answer) {
    const std::string task = text_at(answer, "task");
    std::fprintf(stderr, "announced; take part with: kith fl join %s\n",
                 task.substr(0, 16).c_str());
    std::printf("%s\n", task.c_str());
  });
}

// Lines of rounds until the last; then the task.
int wait_for(const Context& context, const std::string& task) {
  ApiClient::Call call = call_of(context, "wait", {{"task", task}});
  call.on_line = [&](const object& line) -> Result<void> {
    if (text_at(line, "event") != "round") return {};
    if (context.json)
      print_line(line);
    else
      show_round(line);
    return {};
  };
  const auto done = ask_daemon(context, std::move(call));
  if (!done) return tell(context, done.error());
  if (context.json)
    print_line(*done);
  else
    show_task(*done);
  return kExitOk;
}

int run_task(const Context& context, const FlCommand& what) {
  warn_plain(context);
  const auto created = ask_daemon(context, call_of(context, "create", create_body(what)));
  if (!created) return tell(context, created.error());
  const std::string task = text_at(*created, "task");
  if (!context.json)
    std::fprintf(stderr, "task %s; others take part with: kith fl join %s\n", task.c_str(),
                 task.substr(0, 16).c_str());
  const auto joined = ask_daemon(context, call_of(context, "join", join_body(what, task)));
  if (!joined) return tell(context, joined.error());
  return wait_for(context, task);
}

}  // namespace

int run_command(const Context& context, const FlCommand& what) {
  if (!ApiClient::connect(context.home)) return tell_not_running(context);
  if (what.verb == Verb::list) return list_tasks(context);
  if (what.verb == Verb::create) return create_task(context, what);
  if (what.verb == Verb::run) return run_task(context, what);
  const auto task = whole_id(context, what.task);
  if (!task) return tell(context, task.error());
  switch (what.verb) {
    case Verb::join:
      warn_plain(context);
      return ask(context, call_of(context, "join", join_body(what, *task)),
                 [](const object& answer) {
                   std::fprintf(stderr, "%s with %llu samples\n", text_at(answer, "role").c_str(),
                                static_cast<Number>(number_at(answer, "own_samples")));
                   std::printf("%s\n", text_at(answer, "task").c_str());
                 });
    case Verb::leave:
      return ask(context, call_of(context, "leave", {{"task", *task}}),
                 [](const object&) { std::fprintf(stderr, "left\n"); });
    case Verb::rounds:
      return ask(context, call_of(context, "rounds", {{"task", *task}}), [](const object& answer) {
        for (const object& round : objects_at(answer, "rounds")) show_round(round);
      });
    default:
      return ask(context, call_of(context, "show", {{"task", *task}}), show_task);
  }
}

}  // namespace kith::daemon
