#include "services/daemon/commands.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <cstdlib>

#include "services/bridge/answers.hpp"
#include "services/bridge/version.hpp"

namespace kith::daemon {
namespace {

namespace json = boost::json;

const json::value* find(const json::object& object, std::string_view key) {
  return object.if_contains(json::string_view(key.data(), key.size()));
}

const char* environment(const char* name) { return std::getenv(name); }

int show_version(bool as_json) {
  const std::string version(bridge::kVersion);
  if (as_json) {
    print_line({{"schema", bridge::kSchema}, {"version", version}});
  } else {
    std::printf("kith %s\n", version.c_str());
  }
  return kExitOk;
}

int dispatch(const Invocation& in) {
  if (const auto* help = std::get_if<Help>(&in.command)) {
    std::fputs(help->text.c_str(), stdout);
    return kExitOk;
  }
  if (std::holds_alternative<Version>(in.command)) return show_version(in.json);
  const auto home = find_home(in.home, environment);
  if (!home) return tell(Context{{}, in.json, {}}, home.error());
  const Context context{*home, in.json, in.timeout};
  return std::visit(
      [&](const auto& what) -> int {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, Help> || std::is_same_v<What, Version>)
          return kExitOk;
        else
          return run_command(context, what);
      },
      in.command);
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments) {
  const auto in = parse_command_line(arguments);
  if (in) return dispatch(*in);
  // Which flags were given is not known then, but this one shows.
  const bool as_json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  return tell(Context{{}, as_json, {}}, in.error());
}

int ask(const Context& context, ApiClient::Call call, const Show& show) {
  auto client = ApiClient::connect(context.home);
  if (!client) return tell_not_running(context);
  const auto answer = client->call(context.home, call);
  if (!answer) return tell(context, answer.error());
  if (context.json) {
    print_line(*answer);
  } else {
    show(*answer);
  }
  return kExitOk;
}

void add_timeout(const Context& context, json::object& body) {
  if (context.timeout) body["timeout_ms"] = context.timeout->count();
}

void print_line(const json::object& object) {
  const std::string text = json::serialize(json::value(object)) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int tell(const Context& context, const Error& error) {
  std::fprintf(stderr, "%s\n", describe(error).c_str());
  if (context.json) print_line({{"schema", bridge::kSchema}, {"error", bridge::json_of(error)}});
  return exit_of(error.code);
}

std::string command_for(const Home& home, std::string_view command) {
  // With XDG's folders, or KITH_HOME, the plain command finds the same home.
  const char* variable = environment("KITH_HOME");
  const bool named = home.config == home.data && (variable == nullptr || home.data != variable);
  return "kith " + (named ? "--home " + home.data + " " : std::string()) + std::string(command);
}

int tell_not_running(const Context& context) {
  const Home& home = context.home;
  const auto holder = lock_holder(home);
  Error error = fail(Errc::closed, "the daemon is not running",
                     "nobody listens on " + home.socket_file(), command_for(home, "up"));
  if (holder) {
    error.what = "the daemon does not answer";
    error.why = "process " + std::to_string(holder->pid) + " holds " + home.data + " since " +
                holder->since + "; it may still be starting";
    error.fix = "try again, or look at " + home.log_file();
  }
  tell(context, error);
  return kExitNotRunning;
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::uint64_t number_at(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  if (value == nullptr) return 0;
  if (const auto* natural = value->if_uint64()) return *natural;
  const auto* integer = value->if_int64();
  return integer != nullptr && *integer > 0 ? static_cast<std::uint64_t>(*integer) : 0;
}

double real_at(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  if (value == nullptr) return 0;
  if (const double* real = value->if_double()) return *real;
  return static_cast<double>(number_at(object, key));
}

bool flag_at(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  const bool* flag = value == nullptr ? nullptr : value->if_bool();
  return flag != nullptr && *flag;
}

std::vector<std::string> texts_at(const json::object& object, std::string_view key) {
  std::vector<std::string> out;
  const json::value* value = find(object, key);
  const json::array* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr) return out;
  for (const json::value& item : *array)
    if (const json::string* text = item.if_string()) out.emplace_back(text->data(), text->size());
  return out;
}

std::vector<json::object> objects_at(const json::object& object, std::string_view key) {
  std::vector<json::object> out;
  const json::value* value = find(object, key);
  const json::array* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr) return out;
  for (const json::value& item : *array)
    if (const json::object* inner = item.if_object()) out.push_back(*inner);
  return out;
}

json::object object_at(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  const json::object* inner = value == nullptr ? nullptr : value->if_object();
  return inner == nullptr ? json::object() : *inner;
}

std::string size_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1024; size /= 1024) ++unit;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", size, kUnits[unit]);
  return text;
}

std::string age_text(std::uint64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600)
    return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  if (seconds < 86'400)
    return std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) + " min";
  return std::to_string(seconds / 86'400) + " d " + std::to_string(seconds / 3600 % 24) + " h";
}

}  // namespace kith::daemon
