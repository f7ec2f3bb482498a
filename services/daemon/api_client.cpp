#include "services/daemon/api_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "services/bridge/token.hpp"

namespace kith::daemon {
namespace {

namespace json = boost::json;

Error gone(const std::string& why) {
  return fail(Errc::closed, "the daemon ended the connection", why, "kith status");
}

std::string text_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

// The code that a name belongs to, so that exit codes follow the daemon's errors.
Errc code_of(std::string_view name) {
  for (std::uint16_t code = 0; code_name(Errc(code)) != "KITH-UNKNOWN"; ++code)
    if (code_name(Errc(code)) == name) return Errc(code);
  return Errc::unsupported;
}

Error error_of(const json::object& object) {
  return fail(code_of(text_of(object, "code")), text_of(object, "what"), text_of(object, "why"),
              text_of(object, "fix"));
}

Result<json::object> parse_object(std::string_view text) {
  json::error_code failed;
  json::value value = json::parse(json::string_view(text.data(), text.size()), failed);
  if (failed || !value.is_object()) return gone("its answer is not a JSON object");
  return std::move(value.get_object());
}

struct Head {
  unsigned status = 0;
  std::size_t length = 0;
  bool chunked = false;
};

Head parse_head(std::string_view text) {
  Head head;
  if (text.size() > 12) std::from_chars(text.data() + 9, text.data() + 12, head.status);
  head.chunked = text.find("Transfer-Encoding: chunked\r\n") != std::string_view::npos;
  constexpr std::string_view kLength = "Content-Length: ";
  if (const std::size_t at = text.find(kLength); at != std::string_view::npos)
    std::from_chars(text.data() + at + kLength.size(), text.data() + text.size(), head.length);
  return head;
}

}  // namespace

std::optional<ApiClient> ApiClient::connect(const Home& home) {
  const std::string path = home.socket_file();
  sockaddr_un addr{};
  addr.sun_family = AF_UNIX;
  if (path.size() >= sizeof addr.sun_path) return std::nullopt;
  std::memcpy(addr.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  ApiClient client(fd);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&addr), sizeof addr) != 0)
    return std::nullopt;
  return client;
}

ApiClient::~ApiClient() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> ApiClient::send(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return gone(std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<void> ApiClient::fill(const OnTick& on_tick) {
  for (;;) {
    pollfd wait{fd_, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(kTick.count()));
    if (on_tick) KITH_TRY_VOID(on_tick());
    if (ready <= 0) continue;
    char bytes[16 << 10];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return gone(std::strerror(errno));
    if (got == 0) return gone("it stopped before it had answered");
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return {};
  }
}

Result<std::string> ApiClient::take_line(const OnTick& on_tick, std::string_view end) {
  for (;;) {
    if (const std::size_t at = buffer_.find(end); at != std::string::npos) {
      std::string line = buffer_.substr(0, at + end.size());
      buffer_.erase(0, line.size());
      return line;
    }
    if (buffer_.size() > kLineMax) return gone("its answer is too long");
    KITH_TRY_VOID(fill(on_tick));
  }
}

Result<std::string> ApiClient::take_bytes(std::size_t size, const OnTick& on_tick) {
  if (size > kLineMax) return gone("its answer is too long");
  while (buffer_.size() < size) KITH_TRY_VOID(fill(on_tick));
  std::string bytes = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return bytes;
}

Result<json::object> ApiClient::call(const Home& home, const Call& what) {
  KITH_TRY(const std::string token, bridge::load_token(home.token_file()));
  const bool post = what.method == "POST";
  const std::string body = post ? json::serialize(json::value(what.body)) : std::string();
  std::string text = what.method + " " + what.path + " HTTP/1.1\r\nHost: kith\r\n";
  text += "Authorization: Bearer " + token + "\r\n";
  if (post)
    text +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  KITH_TRY_VOID(send(text + "\r\n" + body));
  KITH_TRY(const std::string head_text, take_line(what.on_tick, "\r\n\r\n"));
  const Head head = parse_head(head_text);
  if (head.chunked) return read_lines(what);
  KITH_TRY(const std::string answer, take_bytes(head.length, what.on_tick));
  KITH_TRY(json::object object, parse_object(answer));
  if (head.status >= 400) return error_of(object);
  return object;
}

Result<json::object> ApiClient::read_lines(const Call& what) {
  for (;;) {
    KITH_TRY(const std::string size_text, take_line(what.on_tick, "\r\n"));
    std::size_t size = 0;
    std::from_chars(size_text.data(), size_text.data() + size_text.size(), size, 16);
    if (size == 0) return gone("its answer has no end");
    KITH_TRY(const std::string chunk, take_bytes(size + 2, what.on_tick));
    // The daemon writes whole lines into each chunk.
    std::string_view rest(chunk.data(), size);
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      KITH_TRY(json::object line, parse_object(rest.substr(0, end)));
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      const std::string event = text_of(line, "event");
      if (event == "error") return error_of(line);
      if (event == "done") {
        line.stable_erase("event");
        return line;
      }
      if (what.on_line) KITH_TRY_VOID(what.on_line(line));
    }
  }
}

}  // namespace kith::daemon
