#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "services/daemon/commands.hpp"
#include "services/daemon/daemon.hpp"
#include "services/daemon/network.hpp"
#include "services/daemon/process.hpp"

namespace kith::daemon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kUpWait{60'000};
constexpr std::chrono::milliseconds kDownWait{15'000};
constexpr std::chrono::milliseconds kPoll{50};
constexpr std::size_t kLogShownMax = 4096;

const char* environment(const char* name) { return std::getenv(name); }

bool env_is_one(const char* name) {
  const char* value = environment(name);
  return value != nullptr && std::string_view(value) == "1";
}

void show_node(const boost::json::object& node) {
  std::printf("id       %s\nnetwork  %s\n", text_at(node, "id").c_str(),
              text_at(node, "network").c_str());
  for (const std::string& addr : texts_at(node, "addrs"))
    std::printf("address  %s\n", addr.c_str());
}

void show_status(const boost::json::object& status) {
  std::printf("kith %s, up %s\n", text_at(status, "version").c_str(),
              age_text(number_at(status, "uptime_s")).c_str());
  show_node(status);
  const auto dht = object_at(status, "dht");
  std::printf("peers    %llu connected, %llu in the routing table (%s)\n",
              static_cast<unsigned long long>(number_at(status, "peers")),
              static_cast<unsigned long long>(number_at(dht, "peers")),
              text_at(dht, "mode").c_str());
  const auto storage = object_at(status, "storage");
  std::printf("storage  %s own, %s for others (of %s), quota %s\n",
              size_text(number_at(storage, "own_bytes")).c_str(),
              size_text(number_at(storage, "kept_bytes")).c_str(),
              size_text(number_at(storage, "kept_quota_bytes")).c_str(),
              size_text(number_at(storage, "quota_bytes")).c_str());
  const auto disk = object_at(status, "disk");
  std::printf("disk     %s used, %s free%s\n", size_text(number_at(disk, "used_bytes")).c_str(),
              size_text(number_at(disk, "free_bytes")).c_str(),
              flag_at(disk, "writable") ? "" : "; FULL: nothing more is stored");
  const auto blocks = object_at(status, "blocks");
  std::printf("blocks   %s in, %s out\n", size_text(number_at(blocks, "in_bytes")).c_str(),
              size_text(number_at(blocks, "out_bytes")).c_str());
  for (const auto& topic : objects_at(status, "topics"))
    std::printf("topic    %s, %llu listen\n", text_at(topic, "name").c_str(),
                static_cast<unsigned long long>(number_at(topic, "subscribers")));
}

std::vector<std::string> run_arguments(const Context& context, const ConfigFlags& flags) {
  std::vector<std::string> words{"run"};
  if (context.home.config == context.home.data) {
    words.insert(words.end(), {"--home", context.home.data});
  }
  if (!flags.network.empty()) words.insert(words.end(), {"--network", flags.network});
  for (const std::string& addr : flags.listen) words.insert(words.end(), {"--listen", addr});
  for (const std::string& addr : flags.bootstrap) words.insert(words.end(), {"--bootstrap", addr});
  return words;
}

long file_size(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return 0;
  std::fseek(file, 0, SEEK_END);
  const long size = std::ftell(file);
  std::fclose(file);
  return size < 0 ? 0 : size;
}

// What the daemon that did not start said about it.
std::string log_since(const std::string& path, long from) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return {};
  std::fseek(file, file_size(path) < from ? 0 : from, SEEK_SET);
  std::string text(kLogShownMax, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  const std::size_t error = text.find("error[");
  return error == std::string::npos ? text : text.substr(error);
}

int show_running(const Context& context, bool already) {
  if (already) std::fprintf(stderr, "the daemon is running already\n");
  ApiClient::Call call;
  call.path = "/api/v1/id";
  return ask(context, std::move(call), show_node);
}

// Waits until the API listens: only a daemon that is ready opens it.
int wait_until_up(const Context& context, pid_t pid, long log_start) {
  const auto deadline = Clock::now() + context.timeout.value_or(kUpWait);
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  for (unsigned polls = 0; Clock::now() < deadline; ++polls) {
    if (ApiClient::connect(context.home)) {
      if (terminal && polls > 0) std::fputs("\r\x1b[K", stderr);
      return show_running(context, false);
    }
    if (process_gone(pid)) {
      std::fputs(log_since(context.home.log_file(), log_start).c_str(), stderr);
      return kExitFailed;
    }
    if (terminal && polls % 4 == 0) std::fprintf(stderr, "\r\x1b[Kstarting the daemon ...");
    std::this_thread::sleep_for(kPoll);
  }
  return tell(context, fail(Errc::timeout, "the daemon is not ready yet",
                            "process " + std::to_string(pid) + " is still starting",
                            "kith status, or look at " + context.home.log_file()));
}

Result<Config> checked_config(const Context& context, const ConfigFlags& flags) {
  KITH_TRY(Config config, load_config(context.home, flags, environment));
  KITH_TRY_VOID(find_network(config.network));
  return config;
}

}  // namespace

int run_command(const Context& context, const Run& what) {
  harden_process();
  auto config = load_config(context.home, what.flags, environment);
  if (!config) return tell(context, config.error());
  const RunOptions options{context.home, std::move(*config), context.json,
                           env_is_one("KITH_TEST_ECHO")};
  const auto ended = run_daemon(options);
  return ended ? static_cast<int>(kExitOk) : tell(context, ended.error());
}

int run_command(const Context& context, const Up& what) {
  // A mistake in the configuration is told here rather than in a log.
  if (const auto config = checked_config(context, what.flags); !config)
    return tell(context, config.error());
  if (const auto made = make_home(context.home); !made) return tell(context, made.error());
  if (lock_holder(context.home)) return show_running(context, true);
  const long log_start = file_size(context.home.log_file());
  const auto pid = start_in_background(own_program(), run_arguments(context, what.flags),
                                       context.home.log_file());
  if (!pid) return tell(context, pid.error());
  return wait_until_up(context, *pid, log_start);
}

int run_command(const Context& context, const Down&) {
  const auto holder = lock_holder(context.home);
  if (!holder) return tell_not_running(context);
  bool asked = false;
  if (auto client = ApiClient::connect(context.home)) {
    ApiClient::Call call;
    call.method = "POST";
    call.path = "/api/v1/shutdown";
    asked = client->call(context.home, call).has_value();
  }
  if (!asked && holder->pid > 1) ::kill(holder->pid, SIGTERM);
  const auto deadline = Clock::now() + context.timeout.value_or(kDownWait);
  while (lock_holder(context.home)) {
    if (Clock::now() >= deadline)
      return tell(context, fail(Errc::timeout, "the daemon does not stop",
                                "process " + std::to_string(holder->pid) + " still runs",
                                "kill -9 " + std::to_string(holder->pid) +
                                    " loses nothing that was stored"));
    std::this_thread::sleep_for(kPoll);
  }
  if (context.json) {
    print_line({{"schema", 1}, {"stopped", true}});
  } else {
    std::fprintf(stderr, "the daemon has stopped\n");
  }
  return kExitOk;
}

int run_command(const Context& context, const ShowStatus&) {
  ApiClient::Call call;
  call.path = "/api/v1/status";
  return ask(context, std::move(call), show_status);
}

int run_command(const Context& context, const ShowId&) {
  ApiClient::Call call;
  call.path = "/api/v1/id";
  return ask(context, std::move(call), show_node);
}

}  // namespace kith::daemon
