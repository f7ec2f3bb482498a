#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "services/daemon/commands.hpp"
#include "services/daemon/progress.hpp"

namespace kith::daemon {
namespace {

using boost::json::object;

// A fetch with no --timeout gives up when nothing moves for so long.
constexpr std::chrono::milliseconds kStall{60'000};

std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::array<char, PATH_MAX> here{};
  if (::getcwd(here.data(), here.size()) == nullptr) return path;
  return std::string(here.data()) + "/" + path;
}

// What comes on stdin, as a file that ends with its object.
class Scratch {
 public:
  static Result<Scratch> of_stdin(const Home& home) {
    std::string path = home.scratch_folder() + "/stdin-XXXXXX";
    const int fd = ::mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0)
      return fail(Errc::io, "no file can be made in " + home.scratch_folder(),
                  std::strerror(errno));
    Scratch scratch(std::move(path));
    const auto copied = copy_stdin(fd);
    ::close(fd);
    if (!copied) return copied.error();
    return scratch;
  }
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}

  static Result<void> copy_stdin(int to) {
    std::vector<char> bytes(256 << 10);
    for (;;) {
      const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(Errc::io, "stdin cannot be read", std::strerror(errno));
      if (got == 0) return {};
      for (ssize_t done = 0; done < got;) {
        const ssize_t put = ::write(to, bytes.data() + done, static_cast<std::size_t>(got - done));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0)
          return fail(errno == ENOSPC ? Errc::disk_full : Errc::io, "stdin cannot be kept",
                      std::strerror(errno));
        done += put;
      }
    }
  }

  std::string path_;
};

ProgressFacts facts_of(const object& line) {
  return {text_at(line, "phase"),
          number_at(line, "bytes"),
          number_at(line, "bytes_total"),
          static_cast<std::uint32_t>(number_at(line, "providers")),
          static_cast<std::uint32_t>(number_at(line, "keepers")),
          text_at(line, "note")};
}

ApiClient::Call file_call(const Context& context, const char* path, object body) {
  ApiClient::Call call;
  call.method = "POST";
  call.path = path;
  call.body = std::move(body);
  add_timeout(context, call.body);
  return call;
}

int ask_with_progress(const Context& context, ApiClient::Call call, std::chrono::milliseconds stall,
                      const Show& show) {
  std::optional<Progress> progress(stall);
  call.on_line = [&](const object& line) -> Result<void> {
    if (text_at(line, "event") == "progress") progress->on_facts(facts_of(line));
    return {};
  };
  call.on_tick = [&] { return progress->on_tick(); };
  auto client = ApiClient::connect(context.home);
  if (!client) return tell_not_running(context);
  auto answer = client->call(context.home, call);
  progress.reset();  // its line is cleared before anything else is printed
  if (!answer) return tell(context, answer.error());
  if (context.json) {
    print_line(*answer);
  } else {
    show(*answer);
  }
  return kExitOk;
}

void show_file(const object& file) {
  std::printf("cid       %s\nname      %s\nsize      %s (%llu bytes)\n",
              text_at(file, "cid").c_str(), text_at(file, "name").c_str(),
              size_text(number_at(file, "bytes")).c_str(),
              static_cast<unsigned long long>(number_at(file, "bytes")));
  std::printf("blocks    %llu, %llu held here, %llu still to spread\n",
              static_cast<unsigned long long>(number_at(file, "blocks")),
              static_cast<unsigned long long>(number_at(file, "blocks_held")),
              static_cast<unsigned long long>(number_at(file, "blocks_to_spread")));
  std::printf("readable  %s%s\n",
              text_at(file, "visibility") == "local" ? "on this node only" : "by anyone",
              flag_at(file, "own") ? ", own" : "");
  for (const std::string& keeper : texts_at(file, "keepers"))
    std::printf("keeper    %s\n", keeper.c_str());
}

}  // namespace

int run_command(const Context& context, const FileAdd& what) {
  // Before stdin is read: who asks without a daemon should not wait for an error.
  if (!ApiClient::connect(context.home)) return tell_not_running(context);
  std::optional<Scratch> scratch;
  std::string path = absolute(what.path);
  std::string name = path.substr(path.find_last_of('/') + 1);
  if (what.path == "-") {
    auto made = Scratch::of_stdin(context.home);
    if (!made) return tell(context, made.error());
    scratch.emplace(std::move(*made));
    path = scratch->path();
    name = "stdin";
  }
  object body{{"path", path}, {"visibility", what.local ? "local" : "public"}};
  if (!name.empty()) body["name"] = name.substr(0, 255);
  if (what.spread > 0) body["spread"] = what.spread;
  if (!what.local && !context.json)
    std::fprintf(stderr, "the blocks of this file can be read by anyone\n");
  return ask_with_progress(
      context, file_call(context, "/api/v1/files/add", std::move(body)), {},
      [](const object& answer) { std::printf("%s\n", text_at(answer, "cid").c_str()); });
}

int run_command(const Context& context, const FileGet& what) {
  const std::string out =
      absolute(what.out.empty() ? what.cid.substr(what.cid.rfind('/') + 1) : what.out);
  const object body{{"cid", what.cid},
                    {"path", out},
                    {"ask_others", !what.local_only},
                    {"overwrite", what.overwrite}};
  const auto stall = context.timeout ? std::chrono::milliseconds(0) : kStall;
  return ask_with_progress(context, file_call(context, "/api/v1/files/get", body), stall,
                           [&](const object& answer) {
                             std::fprintf(stderr, "%s, %s of it fetched\n",
                                          size_text(number_at(answer, "bytes")).c_str(),
                                          size_text(number_at(answer, "bytes_fetched")).c_str());
                             std::printf("%s\n", out.c_str());
                           });
}

int run_command(const Context& context, const FileList&) {
  ApiClient::Call call;
  call.path = "/api/v1/files";
  return ask(context, std::move(call), [](const object& answer) {
    for (const object& file : objects_at(answer, "files"))
      std::printf("%s\t%llu\t%s\t%s\n", text_at(file, "cid").c_str(),
                  static_cast<unsigned long long>(number_at(file, "bytes")),
                  text_at(file, "visibility").c_str(), text_at(file, "name").c_str());
  });
}

int run_command(const Context& context, const FileStat& what) {
  return ask(context, file_call(context, "/api/v1/files/stat", {{"cid", what.cid}}), show_file);
}

int run_command(const Context& context, const FileRemove& what) {
  return ask(context, file_call(context, "/api/v1/files/rm", {{"cid", what.cid}}),
             [](const object& answer) {
               std::fprintf(stderr, "removed, %s freed\n",
                            size_text(number_at(answer, "bytes_freed")).c_str());
             });
}

}  // namespace kith::daemon
