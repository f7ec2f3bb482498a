#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "gossip/gossip.hpp"
#include "schema/base/base_encoding.hpp"
#include "services/daemon/commands.hpp"

namespace kith::daemon {
namespace {

using boost::json::object;

Result<std::string> read_stdin(std::size_t size_max) {
  std::string data;
  char bytes[16 << 10];
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, "stdin cannot be read", std::strerror(errno));
    if (got == 0) return data;
    data.append(bytes, static_cast<std::size_t>(got));
    if (data.size() > size_max)
      return fail(Errc::oversized, "the message is too long",
                  "at most " + std::to_string(size_max) + " bytes",
                  "add it as a file and publish its CID");
  }
}

// Text as a terminal may show it: control characters and what is not ASCII become dots.
std::string printable(ByteView data) {
  std::string text;
  for (const std::uint8_t byte : data)
    text += byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '.';
  return text;
}

void show_message(const Context& context, object line) {
  line.stable_erase("event");
  if (context.json) return print_line(line);
  const auto data = from_base64(text_at(line, "data"));
  std::printf("%s\t%s\n", text_at(line, "from").c_str(),
              data ? printable(*data).c_str() : "(not base64)");
  std::fflush(stdout);
}

}  // namespace

int run_command(const Context& context, const TopicList&) {
  ApiClient::Call call;
  call.path = "/api/v1/topics";
  return ask(context, std::move(call), [](const object& answer) {
    for (const object& topic : objects_at(answer, "topics"))
      std::printf("%s\t%llu\n", text_at(topic, "name").c_str(),
                  static_cast<unsigned long long>(number_at(topic, "subscribers")));
  });
}

int run_command(const Context& context, const TopicPublish& what) {
  std::string data = what.data;
  if (data == "-") {
    auto read = read_stdin(gossip::kGossipDataMax);
    if (!read) return tell(context, read.error());
    data = std::move(*read);
  }
  ApiClient::Call call;
  call.method = "POST";
  call.path = "/api/v1/topics/publish";
  call.body = {{"topic", what.topic}, {"data", to_base64(as_bytes(data))}};
  add_timeout(context, call.body);
  return ask(context, std::move(call), [](const object& answer) {
    std::fprintf(stderr, "published, %llu peers listen\n",
                 static_cast<unsigned long long>(number_at(answer, "peers")));
  });
}

int run_command(const Context& context, const TopicSubscribe& what) {
  auto client = ApiClient::connect(context.home);
  if (!client) return tell_not_running(context);
  std::uint64_t seen = 0;
  ApiClient::Call call;
  call.method = "POST";
  call.path = "/api/v1/topics/subscribe";
  call.body = {{"topic", what.topic}};
  add_timeout(context, call.body);
  // Ends the call by an error of its own, which is no failure.
  call.on_line = [&](const object& line) -> Result<void> {
    const std::string event = text_at(line, "event");
    if (event == "started" && !context.json)
      std::fprintf(stderr, "listening to %s\n", what.topic.c_str());
    if (event == "gap")
      std::fprintf(stderr, "%llu messages were lost: this reader is too slow\n",
                   static_cast<unsigned long long>(number_at(line, "dropped")));
    if (event != "message") return {};
    show_message(context, line);
    if (++seen == what.count) return fail(Errc::cancelled, "enough");
    return {};
  };
  const auto ended = client->call(context.home, call);
  if (ended || (what.count > 0 && seen == what.count)) return kExitOk;
  return tell(context, ended.error());
}

}  // namespace kith::daemon
