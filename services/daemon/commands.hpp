// Commands: what `kith` does once its command line is understood. Data goes to stdout, narration
// and errors to stderr. Each answers with the process's exit code.
#pragma once

#include "services/daemon/api_client.hpp"
#include "services/daemon/exit_code.hpp"
#include "services/daemon/invocation.hpp"

namespace kith::daemon {

struct Context {
  Home home;
  bool json = false;
  std::optional<std::chrono::milliseconds> timeout;
};

// Reads the command line, finds the home folder and does the rest.
int run_command_line(const std::vector<std::string>& arguments);

// --- commands_node.cpp
int run_command(const Context& context, const Run& what);
int run_command(const Context& context, const Up& what);
int run_command(const Context& context, const Down& what);
int run_command(const Context& context, const ShowStatus& what);
int run_command(const Context& context, const ShowId& what);
// --- commands_peer.cpp
int run_command(const Context& context, const PeerList& what);
int run_command(const Context& context, const PeerConnect& what);
int run_command(const Context& context, const PeerPing& what);
int run_command(const Context& context, const PeerEcho& what);
int run_command(const Context& context, const DhtFind& what);
int run_command(const Context& context, const DhtProviders& what);
// --- commands_topic.cpp
int run_command(const Context& context, const TopicList& what);
int run_command(const Context& context, const TopicPublish& what);
int run_command(const Context& context, const TopicSubscribe& what);
// --- commands_file.cpp
int run_command(const Context& context, const FileAdd& what);
int run_command(const Context& context, const FileGet& what);
int run_command(const Context& context, const FileList& what);
int run_command(const Context& context, const FileStat& what);
int run_command(const Context& context, const FileRemove& what);

// --- commands_poa.cpp
int run_command(const Context& context, const UptimeShow& what);

// --- commands_cstore.cpp
int run_command(const Context& context, const KvCommand& what);
// --- commands_edil.cpp
int run_command(const Context& context, const FlCommand& what);

// --- shared by them (commands.cpp)
// Calls the daemon, and gives what it answered to `show` when that is text's turn; --json prints
// the object as it is. A daemon that is not there, and errors, are told here.
using Show = std::function<void(const boost::json::object&)>;
int ask(const Context& context, ApiClient::Call call, const Show& show);
// Adds --timeout to a body.
void add_timeout(const Context& context, boost::json::object& body);
void print_line(const boost::json::object& object);
// On stderr, and with --json as an object with `error` on stdout; the exit code.
int tell(const Context& context, const Error& error);
int tell_not_running(const Context& context);
std::string command_for(const Home& home, std::string_view command);  // "kith --home DIR up"

// Fields of an answer; empty, 0 or none when they are missing.
std::string text_at(const boost::json::object& object, std::string_view key);
std::uint64_t number_at(const boost::json::object& object, std::string_view key);
double real_at(const boost::json::object& object, std::string_view key);
bool flag_at(const boost::json::object& object, std::string_view key);
std::vector<std::string> texts_at(const boost::json::object& object, std::string_view key);
std::vector<boost::json::object> objects_at(const boost::json::object& object,
                                            std::string_view key);
boost::json::object object_at(const boost::json::object& object, std::string_view key);

// "1.5 GiB", "312 B"
std::string size_text(std::uint64_t bytes);
// "2 d 3 h", "45 s"
std::string age_text(std::uint64_t seconds);

}  // namespace kith::daemon
