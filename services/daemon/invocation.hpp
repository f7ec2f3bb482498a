// Invocation: a command line, understood. Pure values: what main() does with them is elsewhere.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "schema/base/result.hpp"
#include "services/daemon/config.hpp"

namespace kith::daemon {

struct Help {
  std::string text;
};
struct Version {};
struct Run {
  ConfigFlags flags;
};
struct Up {
  ConfigFlags flags;
};
struct Down {};
struct ShowStatus {};
struct ShowId {};
struct PeerList {};
struct PeerConnect {
  std::string addr;
};
struct PeerPing {
  std::string target;  // a peer id or a multiaddr
  std::uint32_t count = 4;
};
struct PeerEcho {
  std::string addr;
  std::uint32_t streams = 1;
  std::uint64_t bytes = 0;
};
struct TopicList {};
struct TopicPublish {
  std::string topic;
  std::string data;  // "-": stdin
};
struct TopicSubscribe {
  std::string topic;
  std::uint64_t count = 0;  // 0: until interrupted
};
struct FileAdd {
  std::string path;  // "-": stdin
  bool local = false;
  std::uint32_t spread = 0;
};
struct FileGet {
  std::string cid;
  std::string out;  // empty: the CID in the current folder
  bool local_only = false;
  bool overwrite = false;
};
struct FileList {};
struct FileStat {
  std::string cid;
};
struct FileRemove {
  std::string cid;
};
struct DhtFind {
  std::string id;
};
struct DhtProviders {
  std::string cid;
};
struct UptimeShow {
  std::string peer;          // its id; empty: all
  std::string from;          // whose table; empty: this node's
  std::uint32_t epochs = 0;  // 0: as many as there are
};
struct KvCommand {
  enum class Verb : std::uint8_t { put, get, del, list, incr, watch, stat } verb = Verb::get;
  std::string space, key;
  std::string value;  // "-": stdin
  std::string prefix;
  std::int64_t by = 1;
  std::uint64_t count = 0;  // of watched changes; 0: until interrupted
};
struct FlCommand {
  enum class Verb : std::uint8_t { create, list, join, leave, rounds, show, run } verb = Verb::list;
  std::string task;                      // its id, or the first digits of it
  std::string name, model, data, split;  // empty: the daemon's choice
  std::uint32_t inputs = 0, hidden = 0, outputs = 0, rounds = 0, min = 0;  // 0: the same
  std::uint32_t samples = 0, epochs = 0, batch = 0;
  double rate = 0, round_seconds = 0;
  bool follow = false;
};
using Command =
    std::variant<Help, Version, Run, Up, Down, ShowStatus, ShowId, PeerList, PeerConnect, PeerPing,
                 PeerEcho, TopicList, TopicPublish, TopicSubscribe, FileAdd, FileGet, FileList,
                 FileStat, FileRemove, DhtFind, DhtProviders, UptimeShow, KvCommand, FlCommand>;

struct Invocation {
  std::string home;  // --home; empty: not given
  bool json = false;
  std::optional<std::chrono::milliseconds> timeout;
  Command command;
};

// `arguments` without the program's name. Errors: usage, naming the nearest known subcommand or
// flag; CIDs, ids and multiaddrs are checked here, so that a typing error costs no connection.
Result<Invocation> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace kith::daemon
