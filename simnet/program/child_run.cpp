#include "simnet/program/child_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>

#include "simnet/program/json_text.hpp"
#include "simnet/program/text.hpp"
#include "simnet/scenario/scenario_toml.hpp"

namespace kith::simnet {
namespace {

constexpr std::size_t kSaidMax = 2000;
constexpr int kPollMs = 10;

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t took = ::write(file, text.data(), text.size());
    if (took < 0 && errno == EINTR) continue;
    if (took < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(took));
  }
  return true;
}

std::string read_all(int file) {
  std::string text;
  char piece[65536];
  for (;;) {
    const ssize_t got = ::read(file, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

boost::json::object error_json(const Error& error) {
  return {{"code", static_cast<int>(error.code)},
          {"what", error.what},
          {"why", error.why},
          {"fix", error.fix}};
}

}  // namespace

// One line of JSON, then the recorded events as they lie in memory: both ends are one program.
std::string child_text(const ChildRun& run) {
  boost::json::array failed, seconds, handlers;
  for (const Verdict& v : run.failed) failed.push_back({{"what", v.what}, {"found", v.found}});
  for (const auto& s : run.seconds) seconds.push_back(boost::json::array{s.second, s.hash});
  for (const std::string& name : run.handlers) handlers.emplace_back(name);
  boost::json::object all{{"ok", run.ok},
                          {"hash", run.hash},
                          {"simulated_s", run.simulated_s},
                          {"failed", std::move(failed)},
                          {"seconds", std::move(seconds)},
                          {"handlers", std::move(handlers)}};
  if (run.error) all["error"] = error_json(*run.error);
  std::string text = boost::json::serialize(all) + "\n";
  for (const RecordedEvent& one : run.recorded)
    text.append(reinterpret_cast<const char*>(&one), sizeof one);
  return text;
}

ChildRun read_child_text(std::string_view text) {
  ChildRun run;
  const std::size_t line = text.find('\n');
  try {  // a child that died while it wrote
    const boost::json::value all = boost::json::parse(text.substr(0, line));
    if (const auto* error = all.as_object().if_contains("error")) {
      run.error = Error{static_cast<Errc>(error->at("code").to_number<std::uint16_t>()),
                        std::string(error->at("what").as_string()),
                        std::string(error->at("why").as_string()),
                        std::string(error->at("fix").as_string())};
      return run;
    }
    run.ok = all.at("ok").as_bool();
    run.hash = all.at("hash").to_number<std::uint64_t>();
    run.simulated_s = all.at("simulated_s").to_number<double>();
    for (const auto& v : all.at("failed").as_array())
      run.failed.push_back(
          {std::string(v.at("what").as_string()), false, std::string(v.at("found").as_string())});
    for (const auto& s : all.at("seconds").as_array())
      run.seconds.push_back(
          {s.at(0).to_number<std::int64_t>(), s.at(1).to_number<std::uint64_t>()});
    for (const auto& name : all.at("handlers").as_array())
      run.handlers.emplace_back(name.as_string());
  } catch (const std::exception&) {
    return run;
  }
  std::string_view rest = text.substr(line + 1);
  run.recorded.resize(rest.size() / sizeof(RecordedEvent));
  if (!run.recorded.empty())
    std::memcpy(static_cast<void*>(run.recorded.data()), rest.data(),
                run.recorded.size() * sizeof(RecordedEvent));
  run.ended = true;
  return run;
}

int run_as_child(std::optional<std::int64_t> record_second) {
  ChildRun run;
  const std::string text = read_all(STDIN_FILENO);
  auto scenario = read_scenario(text, "stdin");
  RunHooks hooks;
  hooks.record_second = record_second;
  hooks.recorded = &run.recorded;
  auto result = scenario ? run_scenario(*scenario, hooks) : Result<RunResult>(scenario.error());
  if (!result) {
    run.error = result.error();
  } else {
    run.ok = result->ok;
    run.hash = result->hash;
    run.simulated_s = result->simulated_s;
    run.seconds = std::move(result->second_hashes);
    run.handlers = std::move(result->handlers);
    for (const Verdict& verdict : result->verdicts)
      if (!verdict.ok) run.failed.push_back(verdict);
  }
  return write_all(STDOUT_FILENO, child_text(run)) ? 0 : 1;
}

Result<void> Children::start(std::uint64_t id, const std::string& scenario,
                             std::optional<std::int64_t> record_second) {
  const int in = ::memfd_create("scenario", MFD_CLOEXEC);
  const int out = ::memfd_create("result", MFD_CLOEXEC);
  const int err = ::memfd_create("stderr", MFD_CLOEXEC);
  const auto fail_all = [&](const char* what) {
    const int error = errno;
    for (const int file : {in, out, err})
      if (file >= 0) ::close(file);
    return fail(Errc::io, std::string("a child process cannot be started: ") + what,
                std::strerror(error));
  };
  if (in < 0 || out < 0 || err < 0) return fail_all("memfd_create");
  if (!write_all(in, scenario) || ::lseek(in, 0, SEEK_SET) != 0) return fail_all("write");
  std::vector<std::string> words{"kith-sim", "child"};
  if (record_second) {
    words.emplace_back("--record");
    words.push_back(std::to_string(*record_second));
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_all("fork");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no child outlives an interrupted sweep
    if (::getppid() != parent) ::_exit(127);
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execv("/proc/self/exe", argv.data());
    ::_exit(127);
  }
  ::close(in);
  live_.push_back({id, pid, out, err});
  return {};
}

std::optional<std::pair<std::uint64_t, ChildRun>> Children::wait(
    std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!live_.empty()) {
    for (std::size_t i = 0; i < live_.size(); ++i) {
      int status = 0;
      if (::waitpid(live_[i].pid, &status, WNOHANG) != live_[i].pid) continue;
      const Live live = live_[i];
      live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(i));
      return std::pair(live.id, collect(live, status));
    }
    if (std::chrono::steady_clock::now() >= end) return std::nullopt;
    ::poll(nullptr, 0, kPollMs);
  }
  return std::nullopt;
}

ChildRun Children::collect(const Live& live, int status) {
  ::lseek(live.out, 0, SEEK_SET);
  ::lseek(live.err, 0, SEEK_SET);
  ChildRun run = read_child_text(read_all(live.out));
  if (WIFSIGNALED(status)) {
    run.died = "killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
               ::strsignal(WTERMSIG(status)) + ")";
  } else if (!run.ended && !run.error) {
    run.died = "ended with exit code " + std::to_string(WEXITSTATUS(status)) + " and no result";
  }
  if (!run.died.empty()) {
    run.ended = false;
    run.said = read_all(live.err);
    if (run.said.size() > kSaidMax) run.said.erase(0, run.said.size() - kSaidMax);
  }
  ::close(live.out);
  ::close(live.err);
  return run;
}

void Children::kill_above(std::uint64_t id) {
  std::erase_if(live_, [id](const Live& live) {
    if (live.id <= id) return false;
    ::kill(live.pid, SIGKILL);
    ::waitpid(live.pid, nullptr, 0);
    ::close(live.out);
    ::close(live.err);
    return true;
  });
}

void Children::kill_all() {
  for (Live& live : live_) live.id = UINT64_MAX;
  kill_above(0);
}

Result<std::pair<ChildRun, ChildRun>> run_two(const std::string& left, const std::string& right,
                                              std::size_t jobs,
                                              std::optional<std::int64_t> record_second) {
  Children children(std::min<std::size_t>(jobs, 2));
  std::pair<ChildRun, ChildRun> both;
  std::uint64_t started = 0;
  while (started < 2 || !children.empty()) {
    while (started < 2 && !children.full()) {
      KITH_TRY_VOID(children.start(started, started == 0 ? left : right, record_second));
      ++started;
    }
    if (auto one = children.wait(std::chrono::seconds(1)))
      (one->first == 0 ? both.first : both.second) = std::move(one->second);
  }
  return both;
}

}  // namespace kith::simnet
