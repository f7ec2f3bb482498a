#include <CLI/CLI.hpp>

#include "schema/base/base_encoding.hpp"
#include "schema/base/nearest.hpp"
#include "services/bridge/requests.hpp"
#include "services/daemon/command_tree.hpp"
#include "services/daemon/invocation.hpp"
#include "services/node/echo.hpp"

namespace kith::daemon {
namespace {

constexpr double kTimeoutMax = 86'400;

using Make = std::function<Result<Command>()>;

// The command tree. Options write into `in`, and each leaf knows how its Command is made.
class Parser {
 public:
  Parser() : root_("Kith: a peer-to-peer node for home machines.", "kith") {
    root_.allow_extras();
    root_.fallthrough();
    root_.require_subcommand(0, 1);
    root_.get_formatter()->column_width(34);
    root_.add_option("--home", in_.home, "folder of this node's files (or KITH_HOME)");
    root_.add_flag("--json", in_.json, "print JSON with a schema field");
    root_.add_option("--timeout", timeout_, "give up after SECONDS (exit 5)");
    add_daemon();
    add_peer();
    add_topic();
    add_file();
    add_dht();
    add_uptime_commands(tree());
    add_kv_commands(tree());
    add_fl_commands(tree());
  }

  Result<Invocation> parse(std::vector<std::string> arguments) {
    if (!arguments.empty() && arguments.front() == "help") {  // `help file add`
      arguments.erase(arguments.begin());
      arguments.emplace_back("--help");
    }
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    std::optional<Error> error;
    try {
      root_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      in_.command = Help{root_.help()};
      return in_;
    } catch (const CLI::Error& thrown) {
      error = fail(Errc::usage, thrown.what(), {}, "kith " + path_of_leaf() + "--help");
    }
    // A mistyped flag or subcommand explains what else is missing, so it comes first.
    for (const std::string& extra : root_.remaining(true))
      if (extra != "--") return unknown(extra);  // the mark itself stays behind, too
    if (error) return *error;
    return finish();
  }

 private:
  CommandTree tree() {
    return {[this](const std::string& name, const std::string& what) { return group(name, what); },
            [this](CLI::App& parent, const std::string& name, const std::string& what, Make make) {
              return leaf(parent, name, what, std::move(make));
            }};
  }

  CLI::App* group(const std::string& name, const std::string& what) {
    CLI::App* app = root_.add_subcommand(name, what);
    app->require_subcommand(0, 1);
    return app;
  }

  CLI::App* leaf(CLI::App& parent, const std::string& name, const std::string& what, Make make) {
    CLI::App* app = parent.add_subcommand(name, what);
    leaves_.emplace_back(app, std::move(make));
    return app;
  }

  void add_run_options(CLI::App* app) {
    app->add_option("--network", flags_.network, "a network's name or definition file");
    app->add_option("--listen", flags_.listen, "multiaddr to listen on; may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app->add_option("--bootstrap", flags_.bootstrap, "multiaddr to start from; may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  void add_daemon() {
    add_run_options(leaf(root_, "run", "run a node in the foreground",
                         [this] { return checked(Run{flags_}); }));
    add_run_options(leaf(root_, "up", "start a node in the background",
                         [this] { return checked(Up{flags_}); }));
    leaf(root_, "down", "stop the node", [] { return Command(Down{}); });
    leaf(root_, "status", "how the node is", [] { return Command(ShowStatus{}); });
    leaf(root_, "id", "who the node is", [] { return Command(ShowId{}); });
    leaf(root_, "version", "print the version", [] { return Command(Version{}); });
    // Answered before parsing; here so that the help lists it.
    leaf(root_, "help", "explain a command", [this] { return Command(Help{root_.help()}); });
  }

  void add_peer() {
    CLI::App* peer = group("peer", "peers: ls, connect, ping");
    leaf(*peer, "ls", "connected peers", [] { return Command(PeerList{}); });
    CLI::App* connect = leaf(*peer, "connect", "connect to a peer", [this]() -> Result<Command> {
      KITH_TRY_VOID(Multiaddr::parse(text_));
      return Command(PeerConnect{text_});
    });
    connect->add_option("MULTIADDR", text_, "its address")->required();
    CLI::App* ping = leaf(*peer, "ping", "measure round trips", [this]() -> Result<Command> {
      if (text_.starts_with('/')) {
        KITH_TRY_VOID(Multiaddr::parse(text_));
      } else {
        KITH_TRY_VOID(PeerId::parse(text_));
      }
      return Command(PeerPing{text_, count_ == 0 ? 4 : static_cast<std::uint32_t>(count_)});
    });
    ping->add_option("PEER", text_, "its id or multiaddr")->required();
    ping->add_option("--count", count_, "how often")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{bridge::kPingCountMax}));
    CLI::App* echo = leaf(*peer, "echo", "test streams", [this]() -> Result<Command> {
      KITH_TRY_VOID(Multiaddr::parse(text_));
      return Command(PeerEcho{text_, static_cast<std::uint32_t>(streams_), bytes_});
    });
    echo->group("");  // for tests of the wire
    echo->add_option("MULTIADDR", text_, "its address")->required();
    echo->add_option("--streams", streams_, "at once")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{node::kEchoStreamsMax}));
    echo->add_option("--bytes", bytes_, "on each")
        ->check(CLI::Range(std::uint64_t{0}, node::kEchoBytesMax));
  }

  void add_topic() {
    CLI::App* topic = group("topic", "messages to all who listen: ls, pub, sub");
    leaf(*topic, "ls", "topics of this node", [] { return Command(TopicList{}); });
    CLI::App* pub = leaf(*topic, "pub", "publish a message", [this] {
      return Command(TopicPublish{topic_, data_});
    });
    pub->add_option("TOPIC", topic_, "its name, used as it is")->required();
    pub->add_option("DATA", data_, "the message; - reads stdin")->required();
    CLI::App* sub = leaf(*topic, "sub", "print messages as they come", [this] {
      return Command(TopicSubscribe{topic_, count_});
    });
    sub->add_option("TOPIC", topic_, "its name, used as it is")->required();
    sub->add_option("--count", count_, "end after so many");
  }

  void add_file() {
    CLI::App* file = group("file", "files: add, get, ls, stat, rm");
    CLI::App* add = leaf(*file, "add", "add a file", [this] { return make_add(); });
    add->add_option("PATH", text_, "the file; - reads stdin")->required();
    add->add_flag("--public", public_, "its blocks may be read by anyone");
    add->add_flag("--local", local_, "keep it on this node");
    add->add_option("--spread", spread_, "wait until N peers hold all of it")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{bridge::kSpreadMax}));
    CLI::App* get = leaf(*file, "get", "fetch a file", [this]() -> Result<Command> {
      KITH_TRY_VOID(Cid::parse(text_));
      return Command(FileGet{text_, out_, local_only_, overwrite_});
    });
    get->add_option("CID", text_, "its name, from `file add`")->required();
    get->add_option("--out", out_, "where to write it (the CID in this folder)");
    get->add_flag("--local-only", local_only_, "ask no other peer (exit 4)");
    get->add_flag("--overwrite", overwrite_, "replace what is there");
    leaf(*file, "ls", "files of this node", [] { return Command(FileList{}); });
    CLI::App* stat = leaf(*file, "stat", "what is known of a file", [this]() -> Result<Command> {
      KITH_TRY_VOID(Cid::parse(text_));
      return Command(FileStat{text_});
    });
    stat->add_option("CID", text_, "its name")->required();
    CLI::App* rm = leaf(*file, "rm", "remove a file from this node", [this]() -> Result<Command> {
      KITH_TRY_VOID(Cid::parse(text_));
      return Command(FileRemove{text_});
    });
    rm->add_option("CID", text_, "its name")->required();
  }

  void add_dht() {
    CLI::App* dht = group("dht", "look-ups: find, providers");
    CLI::App* find = leaf(*dht, "find", "where a peer is", [this]() -> Result<Command> {
      KITH_TRY_VOID(PeerId::parse(text_));
      return Command(DhtFind{text_});
    });
    find->add_option("PEERID", text_, "its id")->required();
    CLI::App* providers = leaf(*dht, "providers", "who has a CID", [this]() -> Result<Command> {
      KITH_TRY_VOID(Cid::parse(text_));
      return Command(DhtProviders{text_});
    });
    providers->add_option("CID", text_, "its name")->required();
  }

  template <class C>
  Result<Command> checked(C command) {
    for (const auto& list : {command.flags.listen, command.flags.bootstrap})
      for (const std::string& text : list) KITH_TRY_VOID(Multiaddr::parse(text));
    return Command(std::move(command));
  }

  Result<Command> make_add() {
    if (public_ && local_)
      return fail(Errc::usage, "a file is either --public or --local", {}, "give one of them");
    if (!public_ && !local_)
      return fail(Errc::usage, "say who may read the file",
                  "blocks of a public file are readable by anyone, and are not encrypted yet",
                  "kith file add --public " + text_ + " (anyone), or --local (this node only)");
    if (local_ && spread_ > 0)
      return fail(Errc::usage, "a local file does not spread", {}, "leave --spread out");
    return Command(FileAdd{text_, local_, static_cast<std::uint32_t>(spread_)});
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

  static std::vector<std::string> subcommand_names(CLI::App* app) {
    std::vector<std::string> names;
    for (const CLI::App* sub :
         app->get_subcommands([](CLI::App* s) { return !s->get_group().empty(); }))
      names.push_back(sub->get_name());
    return names;
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
    const std::vector<std::string> names = is_flag ? flag_names(app) : subcommand_names(app);
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string where = "kith " + path_of_leaf();
    if (is_flag)
      return fail(Errc::usage, "the flag " + quote_text(typed) + " is unknown", {},
                  suggest_name(typed, views));
    if (views.empty())
      return fail(Errc::usage, "the argument " + quote_text(typed) + " is one too many", {},
                  where + "--help");
    return fail(Errc::usage, "the command " + quote_text(typed) + " is unknown", {},
                suggest_name(typed, views));
  }

  Result<Invocation> finish() {
    if (root_.count("--timeout") > 0) {
      if (!(timeout_ > 0) || timeout_ > kTimeoutMax)
        return fail(Errc::usage, "--timeout is not possible", {}, "give it 0.001 to 86400 seconds");
      in_.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(timeout_ * 1000) + 1);
    }
    const CLI::App* app = selected();
    for (const auto& [candidate, make] : leaves_) {
      if (candidate != app) continue;
      auto command = make();
      if (!command) {  // a bad CID or address is the caller's mistake, whatever the parser calls it
        Error error = command.error();
        error.code = Errc::usage;
        return error;
      }
      in_.command = std::move(*command);
      return in_;
    }
    return fail(Errc::usage, "kith " + path_of_leaf() + "wants a command", {},
                "kith " + path_of_leaf() + "--help lists them");
  }

  CLI::App root_;
  Invocation in_;
  std::vector<std::pair<CLI::App*, Make>> leaves_;
  double timeout_ = 0;
  ConfigFlags flags_;
  std::string text_, topic_, data_, out_;
  std::uint64_t count_ = 0, streams_ = 1, bytes_ = 0, spread_ = 0;
  bool public_ = false, local_ = false, local_only_ = false, overwrite_ = false;
};

}  // namespace

Result<Invocation> parse_command_line(const std::vector<std::string>& arguments) {
  return Parser().parse(arguments);
}

}  // namespace kith::daemon
