#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "schema/base/base_encoding.hpp"
#include "schema/kith/cstore_messages.hpp"
#include "services/daemon/commands.hpp"

namespace kith::daemon {
namespace {

using boost::json::object;

using Number = unsigned long long;
constexpr std::size_t kPreviewMax = 100;  // of a value in a listing

Result<std::string> value_of(const KvCommand& what) {
  if (what.value != "-") return what.value;
  std::string data;
  char bytes[16 << 10];
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, "stdin cannot be read", std::strerror(errno));
    if (got == 0) return data;
    data.append(bytes, static_cast<std::size_t>(got));
    if (data.size() > schema::kKvValueMax)
      return fail(Errc::oversized, "the value is too long",
                  "at most " + std::to_string(schema::kKvValueMax) + " bytes",
                  "add it as a file and put its CID");
  }
}

// As a terminal may show it: control characters and what is not ASCII become dots.
std::string printable(ByteView data) {
  std::string text;
  for (const std::uint8_t byte : data.first(std::min(data.size(), kPreviewMax)))
    text += byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '.';
  return data.size() > kPreviewMax ? text + "..." : text;
}

std::string count_at(const object& item) {
  const auto* count = item.if_contains("count");
  boost::system::error_code failed;
  return count == nullptr ? "0" : std::to_string(count->to_number<std::int64_t>(failed));
}

std::string preview(const object& item) {
  if (flag_at(item, "deleted")) return "(deleted)";
  if (text_at(item, "kind") == "counter") return count_at(item);
  const auto value = from_base64(text_at(item, "value"));
  return value ? printable(*value) : "(not base64)";
}

void show_item(const object& item) {
  std::printf("%s\t%s\n", text_at(item, "key").c_str(), preview(item).c_str());
  std::fflush(stdout);
}

// A value goes out as it is, so that it can be piped; a terminal gets its line ended.
void show_value(const object& item) {
  if (text_at(item, "kind") == "counter") {
    std::printf("%s\n", count_at(item).c_str());
    return;
  }
  const auto value = from_base64(text_at(item, "value"));
  if (!value) return;
  std::fwrite(value->data(), 1, value->size(), stdout);
  if (::isatty(STDOUT_FILENO) == 1) std::fputc('\n', stdout);
}

void show_stat(const object& info) {
  const auto number = [&](const char* label, const char* key) {
    std::printf("%-13s %llu\n", label, static_cast<Number>(number_at(info, key)));
  };
  std::printf("%-13s %s\n", "root", text_at(info, "root").c_str());
  number("keys", "keys");
  number("deleted", "deleted");
  number("writers", "writers");
  number("batches", "batches");
  std::printf("%-13s %s of %s\n", "stored", size_text(number_at(info, "bytes")).c_str(),
              size_text(number_at(info, "bytes_max")).c_str());
  number("waiting", "waiting");
  number("own batches", "own_sequence");
}

ApiClient::Call call_of(const Context& context, const KvCommand& what, const char* verb) {
  ApiClient::Call call;
  call.method = "POST";
  call.path = std::string("/api/v1/kv/") + verb;
  call.body["space"] = what.space;
  if (!what.key.empty()) call.body["key"] = what.key;
  if (!what.prefix.empty()) call.body["prefix"] = what.prefix;
  add_timeout(context, call.body);
  return call;
}

int list(const Context& context, const KvCommand& what) {
  std::string after;
  for (bool more = true; more;) {
    auto client = ApiClient::connect(context.home);
    if (!client) return tell_not_running(context);
    ApiClient::Call call = call_of(context, what, "ls");
    if (!after.empty()) call.body["after"] = after;
    const auto page = client->call(context.home, call);
    if (!page) return tell(context, page.error());
    const auto items = objects_at(*page, "items");
    if (context.json)
      print_line(*page);
    else
      for (const object& item : items) show_item(item);
    more = flag_at(*page, "more") && !items.empty();
    if (more) after = text_at(items.back(), "key");
  }
  return kExitOk;
}

int watch(const Context& context, const KvCommand& what) {
  auto client = ApiClient::connect(context.home);
  if (!client) return tell_not_running(context);
  std::uint64_t seen = 0;
  ApiClient::Call call = call_of(context, what, "watch");
  // Ends the call by an error of its own, which is no failure.
  call.on_line = [&](const object& line) -> Result<void> {
    const std::string event = text_at(line, "event");
    if (event == "started" && !context.json)
      std::fprintf(stderr, "watching %s\n", what.space.c_str());
    if (event == "gap")
      std::fprintf(stderr, "%llu changes were lost: this reader is too slow\n",
                   static_cast<Number>(number_at(line, "dropped")));
    if (event != "change") return {};
    if (context.json)
      print_line(line);
    else
      show_item(line);
    if (++seen == what.count) return fail(Errc::cancelled, "enough");
    return {};
  };
  const auto ended = client->call(context.home, call);
  if (ended || (what.count > 0 && seen == what.count)) return kExitOk;
  return tell(context, ended.error());
}

}  // namespace

int run_command(const Context& context, const KvCommand& what) {
  const auto nothing = [](const object&) {};
  switch (what.verb) {
    case KvCommand::Verb::put: {
      const auto value = value_of(what);
      if (!value) return tell(context, value.error());
      ApiClient::Call call = call_of(context, what, "put");
      call.body["value"] = to_base64(as_bytes(*value));
      return ask(context, std::move(call), nothing);
    }
    case KvCommand::Verb::incr: {
      ApiClient::Call call = call_of(context, what, "incr");
      call.body["by"] = what.by < 0 ? -what.by : what.by;
      call.body["negative"] = what.by < 0;
      return ask(context, std::move(call), show_value);
    }
    case KvCommand::Verb::get:
      return ask(context, call_of(context, what, "get"), show_value);
    case KvCommand::Verb::del:
      return ask(context, call_of(context, what, "del"), nothing);
    case KvCommand::Verb::stat:
      return ask(context, call_of(context, what, "stat"), show_stat);
    case KvCommand::Verb::list:
      return list(context, what);
    case KvCommand::Verb::watch:
      return watch(context, what);
  }
  return kExitUsage;
}

}  // namespace kith::daemon
