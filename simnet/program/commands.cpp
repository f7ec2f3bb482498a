#include "simnet/program/commands.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "simnet/program/child_run.hpp"
#include "simnet/program/json_text.hpp"
#include "simnet/program/output_folder.hpp"
#include "simnet/program/page.hpp"
#include "simnet/program/progress_line.hpp"
#include "simnet/program/source.hpp"
#include "simnet/program/summary.hpp"
#include "simnet/program/text.hpp"

namespace kith::simnet {
namespace {

int exit_of(Errc code) {
  switch (code) {
    case Errc::usage:
    case Errc::configuration:
    case Errc::oversized:  // a scenario above its limit
      return kExitUsage;
    default:
      return kExitError;
  }
}

struct Visitor {
  Result<Exit> operator()(const HelpCommand& help) const {
    KITH_TRY_VOID(print(help.text));
    return kExitOk;
  }
  Result<Exit> operator()(const VersionCommand&) const {
    KITH_TRY_VOID(print("kith-sim " + std::string(program_version()) + " (" +
                        std::string(program_commit()) + ")\n"));
    return kExitOk;
  }
  Result<Exit> operator()(const ChildCommand& child) const {
    return static_cast<Exit>(run_as_child(child.record_second));
  }
  template <class C>
  Result<Exit> operator()(const C& command) const {
    return execute(command);
  }
};

}  // namespace

Result<void> print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return {};
  return fail(errno == ENOSPC ? Errc::disk_full : Errc::io, "stdout cannot be written",
              std::strerror(errno));
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

int run_command_line(std::vector<std::string> arguments) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of print()
  auto command = parse_command_line(std::move(arguments));
  auto code = command ? std::visit(Visitor{}, *command) : Result<Exit>(command.error());
  if (code) return *code;
  std::fprintf(stderr, "%s\n", describe(code.error()).c_str());
  return exit_of(code.error().code);
}

Result<Exit> execute(const RunCommand& command) {
  KITH_TRY(const Scenario scenario, load_scenario(command.source));
  std::optional<OutputFolder> out;
  if (!command.out.empty()) {
    KITH_TRY_VOID(check_memory(scenario));  // before a run that the folder holds is removed
    KITH_TRY(out, OutputFolder::open(command.out, command.overwrite, scenario_text(scenario)));
  }
  const std::string started = utc_now();
  ProgressLine line(command.quiet);
  RunHooks hooks;
  hooks.progress = [&](const RunProgress& progress) { line.on_progress(progress); };
  KITH_TRY(const RunResult result, run_scenario(scenario, hooks));
  line.clear();
  const ReportData data =
      make_report_data(scenario, result, repeat_command(command.source), started);
  // The figures first: they are worth more than the folder.
  if (command.json) {
    KITH_TRY_VOID(print(json_text(summary_json(data)) + "\n"));
  } else {
    KITH_TRY_VOID(print(summary_text(data)));
  }
  if (out) {
    KITH_TRY_VOID(out->write(data, result));
    if (!command.json) KITH_TRY_VOID(print("report: " + out->report_path() + "\n"));
  }
  return result.ok ? kExitOk : kExitFailed;
}

Result<Exit> execute(const ListCommand&) {
  std::string text;
  for (const Shipped& shipped : shipped_scenarios()) {
    KITH_TRY(const Scenario scenario, read_scenario(shipped.text, std::string(shipped.name)));
    std::string name(shipped.name);
    name.resize(std::max<std::size_t>(name.size() + 2, 18), ' ');
    text += name + scenario.about + "\n";
  }
  KITH_TRY_VOID(print(text));
  return kExitOk;
}

Result<Exit> execute(const ShowCommand& command) {
  KITH_TRY(const Shipped shipped, find_shipped(command.name));
  KITH_TRY_VOID(print(std::string(shipped.text)));
  return kExitOk;
}

Result<Exit> execute(const ExportCommand& command) {
  KITH_TRY(const Scenario scenario, load_scenario(command.source));
  KITH_TRY_VOID(print(scenario_text(scenario)));
  return kExitOk;
}

}  // namespace kith::simnet
