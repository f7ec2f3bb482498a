#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>

#include "schema/base/base_encoding.hpp"
#include "schema/base/nearest.hpp"
#include "simnet/program/invocation.hpp"
#include "simnet/program/text.hpp"
#include "simnet/scenario/units.hpp"

namespace kith::simnet {
namespace {

constexpr std::uint32_t kJobsMax = 256;
constexpr std::uint32_t kSeedsMax = 10'000'000;

// The command tree. Options write into members; each leaf knows how its Command is made.
class Parser {
 public:
  Parser() : root_("kith-sim: any number of Kith's nodes in virtual time.", "kith-sim") {
    root_.allow_extras();
    root_.fallthrough();
    root_.require_subcommand(0, 1);
    root_.get_formatter()->column_width(34);
    add_run();
    add_verify();
    add_sweep();
    add_folders();
    add_scenarios();
  }

  Result<Command> parse(std::vector<std::string> arguments) {
    if (!arguments.empty() && arguments.front() == "help") {  // `help run`
      arguments.erase(arguments.begin());
      arguments.emplace_back("--help");
    }
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    std::optional<Error> error;
    try {
      root_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      return Command(HelpCommand{root_.help()});
    } catch (const CLI::Error& thrown) {
      error = fail(Errc::usage, thrown.what(), {}, "kith-sim " + path_of_leaf() + "--help");
    }
    // A mistyped flag or subcommand explains what else is missing, so it comes first.
    for (const std::string& extra : root_.remaining(true))
      if (extra != "--") return unknown(extra);
    if (error) return *error;
    const CLI::App* app = selected();
    for (const auto& [candidate, make] : leaves_)
      if (candidate == app) return make();
    return fail(Errc::usage, "kith-sim " + path_of_leaf() + "wants a command", {},
                "kith-sim " + path_of_leaf() + "--help lists them; kith-sim run hello is a start");
  }

 private:
  using Make = std::function<Result<Command>()>;

  CLI::App* leaf(CLI::App& parent, const std::string& name, const std::string& what, Make make) {
    CLI::App* app = parent.add_subcommand(name, what);
    leaves_.emplace_back(app, std::move(make));
    return app;
  }
  void add_source(CLI::App* app, bool seed = true) {
    app->add_option("SCENARIO", name_, "a file, or the name of a shipped one (scenario ls)")
        ->required();
    if (seed) app->add_option("--seed", seed_, "instead of the scenario's");
    app->add_option("--nodes", nodes_, "instead of the scenario's");
    app->add_option("--until", until_, "how long, such as 90s or 5m");
    app->add_option("--set", sets_, "any value, such as link.latency=50ms; may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  void add_jobs(CLI::App* app, const char* what = "processes at once") {
    app->add_option("--jobs", jobs_, what)->check(CLI::Range(std::uint32_t{1}, kJobsMax));
  }
  void add_quiet(CLI::App* app) { app->add_flag("--quiet", quiet_, "no progress on stderr"); }

  void add_run() {
    CLI::App* app = leaf(root_, "run", "run a scenario and judge it", [this]() -> Result<Command> {
      KITH_TRY(Source source, make_source());
      if (overwrite_ && out_.empty())
        return fail(Errc::usage, "--overwrite without --out", {}, "--out DIR --overwrite");
      return Command(RunCommand{std::move(source), out_, overwrite_, json_, quiet_});
    });
    add_source(app);
    app->add_option("--out", out_, "a folder for figures, hashes, journal and report.html");
    app->add_flag("--overwrite", overwrite_, "replace the run that the folder holds");
    app->add_flag("--json", json_, "end with one line of JSON");
    add_jobs(app, "as elsewhere; one run takes one process, so nothing changes here");
    add_quiet(app);
  }
  void add_verify() {
    CLI::App* app =
        leaf(root_, "verify", "run twice, and compare every event", [this]() -> Result<Command> {
          KITH_TRY(Source source, make_source());
          return Command(VerifyCommand{std::move(source), against_, jobs_, quiet_});
        });
    add_source(app);
    app->add_option("--against", against_, "another scenario: where do the two part?");
    add_jobs(app);
    add_quiet(app);
  }
  void add_sweep() {
    CLI::App* app = leaf(root_, "sweep", "try many seeds; make the first that fails small",
                         [this]() -> Result<Command> {
                           KITH_TRY(Source source, make_source());
                           return Command(SweepCommand{std::move(source), first_, seeds_, jobs_,
                                                       tries_, verify_, out_, quiet_});
                         });
    add_source(app, false);
    app->add_option("--seeds", seeds_, "how many")
        ->required()
        ->check(CLI::Range(std::uint32_t{1}, kSeedsMax));
    app->add_option("--first", first_, "the first of them")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{INT64_MAX - kSeedsMax}));
    app->add_option("--tries", tries_, "runs to spend on making it small (0: none)");
    app->add_flag("--verify", verify_, "run each seed twice; hashes must be equal");
    app->add_option("--out", out_, "where the small scenario goes (./NAME-SEED-small.toml)");
    add_jobs(app);
    add_quiet(app);
  }
  void add_folders() {
    CLI::App* replay =
        leaf(root_, "replay", "run a folder's scenario again; is it the same?", [this] {
          return Command(ReplayCommand{folder_, quiet_});
        });
    replay->add_option("DIR", folder_, "of run --out")->required();
    add_quiet(replay);
    CLI::App* diff = leaf(root_, "diff", "figures of two runs side by side", [this] {
      return Command(DiffCommand{folder_, other_});
    });
    diff->add_option("DIR1", folder_, "of run --out")->required();
    diff->add_option("DIR2", other_, "another")->required();
    CLI::App* report = leaf(root_, "report", "write a folder's report.html anew",
                            [this] { return Command(ReportCommand{folder_}); });
    report->add_option("DIR", folder_, "of run --out")->required();
  }
  void add_scenarios() {
    CLI::App* scenario = root_.add_subcommand("scenario", "the shipped scenarios: ls, show");
    scenario->require_subcommand(0, 1);
    leaf(*scenario, "ls", "their names, and what they are about",
         [] { return Command(ListCommand{}); });
    CLI::App* show = leaf(*scenario, "show", "print one as it was written",
                          [this] { return Command(ShowCommand{name_}); });
    show->add_option("NAME", name_, "of `scenario ls`")->required();
    CLI::App* all =
        leaf(root_, "export", "print a scenario with every value", [this]() -> Result<Command> {
          KITH_TRY(Source source, make_source());
          return Command(ExportCommand{std::move(source)});
        });
    add_source(all);
    leaf(root_, "version", "print the version", [] { return Command(VersionCommand{}); });
    // Answered before parsing; here so that the help lists it.
    leaf(root_, "help", "explain a command", [this] { return Command(HelpCommand{root_.help()}); });
    CLI::App* child = leaf(root_, "child", "one run for verify and sweep", [this] {
      ChildCommand command;
      if (record_ >= 0) command.record_second = record_;
      return Command(command);
    });
    child->group("");
    child->add_option("--record", record_);
  }

  Result<Source> make_source() {
    Source source{name_, {}};
    if (seed_) source.overrides.push_back({"seed", std::to_string(*seed_)});
    if (nodes_) source.overrides.push_back({"nodes", std::to_string(*nodes_)});
    if (!until_.empty()) {
      if (!parse_duration(until_))
        return fail(Errc::usage, "--until " + quote_text(until_) + " is not a time", {},
                    "--until 90s, or 5m, or 1h30m");
      source.overrides.push_back({"until", until_});
    }
    for (const std::string& set : sets_) {
      KITH_TRY(Override change, parse_override(set));
      source.overrides.push_back(std::move(change));
    }
    return source;
  }

  CLI::App* selected() {
    CLI::App* app = &root_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return app;
  }
  std::string path_of_leaf() {
    std::string path;
    for (CLI::App* app = selected(); app != &root_; app = app->get_parent())
      path = app->get_name() + " " + path;
    return path;
  }
  static std::vector<std::string> flag_names(CLI::App* app) {
    std::vector<std::string> names;
    for (CLI::App* at = app; at != nullptr; at = at->get_parent())
      for (const CLI::Option* option : at->get_options())
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    std::sort(names.begin(), names.end());  // every level has --help
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }
  Error unknown(const std::string& typed) {
    CLI::App* app = selected();
    const bool is_flag = typed.size() > 1 && typed.front() == '-';
    std::vector<std::string> names;
    if (is_flag) {
      names = flag_names(app);
    } else {
      for (const CLI::App* sub :
           app->get_subcommands([](CLI::App* s) { return !s->get_group().empty(); }))
        names.push_back(sub->get_name());
    }
    const std::vector<std::string_view> views(names.begin(), names.end());
    if (is_flag)
      return fail(Errc::usage, "the flag " + quote_text(typed) + " is unknown", {},
                  suggest_name(typed, views));
    if (views.empty())
      return fail(Errc::usage, "the argument " + quote_text(typed) + " is one too many", {},
                  "kith-sim " + path_of_leaf() + "--help");
    return fail(Errc::usage, "the command " + quote_text(typed) + " is unknown", {},
                suggest_name(typed, views));
  }

  CLI::App root_;
  std::vector<std::pair<CLI::App*, Make>> leaves_;
  std::string name_, until_, out_, against_, folder_, other_;
  std::vector<std::string> sets_;
  std::optional<std::uint64_t> seed_;
  std::optional<std::uint64_t> nodes_;
  std::uint64_t first_ = 1;
  std::uint32_t seeds_ = 0, jobs_ = 1, tries_ = 40;
  std::int64_t record_ = -1;
  bool overwrite_ = false, json_ = false, quiet_ = false, verify_ = false;
};

}  // namespace

Result<Command> parse_command_line(std::vector<std::string> arguments) {
  return Parser().parse(std::move(arguments));
}

std::string repeat_command(const Source& source) {
  std::string text = "kith-sim run " + shell_word(source.name);
  for (const Override& change : source.overrides) {
    const bool flag = change.key == "seed" || change.key == "nodes" || change.key == "until";
    text += flag ? " --" + change.key + " " + shell_word(change.value)
                 : " --set " + shell_word(change.key + "=" + change.value);
  }
  return text;
}

}  // namespace kith::simnet
