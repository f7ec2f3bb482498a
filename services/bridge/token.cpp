#include "services/bridge/token.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "schema/base/base_encoding.hpp"

namespace kith::bridge {
namespace {

struct File {
  explicit File(int descriptor) : fd(descriptor) {}
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd;
};

Error io_error(const std::string& path) {
  const Errc code = errno == ENOENT                      ? Errc::not_found
                    : errno == EACCES || errno == EPERM  ? Errc::permission
                    : errno == ENOSPC || errno == EDQUOT ? Errc::disk_full
                                                         : Errc::io;
  return fail(code, "the API token " + path + " cannot be used", std::strerror(errno));
}

Result<std::string> make_token(const std::string& path, Rng& rng) {
  std::array<std::uint8_t, kTokenDigits / 2> bits{};
  rng.fill(bits);
  const std::string token = to_base16(bits);
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.fd < 0) return io_error(path);
  if (::write(file.fd, token.data(), token.size()) != static_cast<ssize_t>(token.size())) {
    const Error error = io_error(path);
    ::unlink(path.c_str());  // half a token would be refused at every later start
    return error;
  }
  return token;
}

}  // namespace

Result<std::string> load_token(const std::string& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.fd < 0) return io_error(path);
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return io_error(path);
  if (!S_ISREG(info.st_mode) || (info.st_mode & 077) != 0)
    return fail(Errc::permission, "the API token " + path + " can be read by others",
                "whoever reads it can drive this node",
                "rm " + path + " and start the daemon again: it makes a new one");
  std::array<char, kTokenDigits + 1> text{};
  const ssize_t got = ::read(file.fd, text.data(), text.size());
  const std::string token(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  if (token.size() != kTokenDigits || !from_base16(token))
    return fail(Errc::corrupt, "the API token " + path + " is damaged",
                "it is not 64 hexadecimal digits",
                "rm " + path + " and start the daemon again: it makes a new one");
  return token;
}

Result<std::string> load_or_make_token(const std::string& path, Rng& rng) {
  auto loaded = load_token(path);
  if (!loaded && loaded.error().code == Errc::not_found) return make_token(path, rng);
  return loaded;
}

}  // namespace kith::bridge
