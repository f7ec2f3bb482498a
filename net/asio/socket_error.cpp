#include "net/asio/socket_error.hpp"

#include <cerrno>
#include <cstring>

namespace kith::net {

namespace {
Errc code_of(int number) {
  switch (number) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return Errc::exhausted;
    case ETIMEDOUT:
      return Errc::timeout;
    case EADDRINUSE:
      return Errc::in_use;
    case EACCES:
    case EPERM:
      return Errc::permission;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
      return Errc::unsupported;
    default:
      return Errc::connection;
  }
}

// glibc's descriptions start with a capital, in the middle of our clause.
std::string description(int number) {
  const char* text = strerrordesc_np(number);
  std::string lower = text == nullptr ? "unknown error" : text;
  if (lower.size() > 1 && lower[0] >= 'A' && lower[0] <= 'Z' && lower[1] >= 'a')
    lower[0] = static_cast<char>(lower[0] - 'A' + 'a');
  return lower;
}
}  // namespace

Error socket_error(int number, std::string what) {
  const char* name = strerrorname_np(number);
  what += ": " + description(number) + " (" +
          (name == nullptr ? std::to_string(number) : std::string(name)) + ")";
  return fail(code_of(number), std::move(what));
}

}  // namespace kith::net
