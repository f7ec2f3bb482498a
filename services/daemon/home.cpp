#include "services/daemon/home.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace kith::daemon {
namespace {

Error io_error(const std::string& what) {
  const Errc code = errno == EACCES || errno == EPERM    ? Errc::permission
                    : errno == ENOSPC || errno == EDQUOT ? Errc::disk_full
                                                         : Errc::io;
  return fail(code, what, std::strerror(errno));
}

std::string absolute(const std::string& path) {
  if (!path.empty() && path.front() == '/') return path;
  std::array<char, PATH_MAX> here{};
  if (::getcwd(here.data(), here.size()) == nullptr) return path;
  return std::string(here.data()) + "/" + path;
}

std::string text_of(Getenv env, const char* name) {
  const char* value = env(name);
  return value == nullptr ? std::string() : std::string(value);
}

// As `mkdir -p`; the last folder gets `mode`.
Result<void> make_folders(const std::string& path, mode_t mode) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    if (::mkdir(path.substr(0, at).c_str(), 0755) != 0 && errno != EEXIST)
      return io_error("the folder " + path + " cannot be made");
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    return io_error("the folder " + path + " cannot be made");
  return {};
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return {text.data(), size};
}

// The whole file, as a lock of the open file description: it is asked after without being taken, so
// a look at it never makes a daemon's own try fail.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

LockHolder read_holder(int fd) {
  std::array<char, 128> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size() - 1, 0);
  LockHolder holder;
  if (got <= 0) return holder;
  const std::string line(text.data(), static_cast<std::size_t>(got));
  holder.pid = static_cast<pid_t>(std::strtol(line.c_str(), nullptr, 10));
  const std::size_t space = line.find(' ');
  if (space != std::string::npos)
    holder.since = line.substr(space + 1, line.find('\n') - space - 1);
  return holder;
}

}  // namespace

Result<Home> find_home(const std::string& flag, Getenv env) {
  std::string all = flag.empty() ? text_of(env, "KITH_HOME") : flag;
  if (!all.empty()) {
    while (all.size() > 1 && all.back() == '/') all.pop_back();
    all = absolute(all);
    return Home{all, all};
  }
  const std::string user = text_of(env, "HOME");
  std::string config = text_of(env, "XDG_CONFIG_HOME");
  std::string data = text_of(env, "XDG_DATA_HOME");
  // The XDG specification: a relative path is invalid and must be ignored.
  if (config.empty() || config.front() != '/') config = user.empty() ? "" : user + "/.config";
  if (data.empty() || data.front() != '/') data = user.empty() ? "" : user + "/.local/share";
  if (config.empty() || data.empty())
    return fail(Errc::configuration, "no home folder is known", "HOME is not set",
                "say where: kith --home DIR ..., or set KITH_HOME");
  return Home{config + "/kith", data + "/kith"};
}

Result<void> make_home(const Home& home) {
  KITH_TRY_VOID(make_folders(home.data, 0700));
  struct stat info {};
  if (::stat(home.data.c_str(), &info) != 0) return io_error(home.data + " cannot be used");
  if (!S_ISDIR(info.st_mode))
    return fail(Errc::io, home.data + " is not a folder", {}, "choose another --home");
  if ((info.st_mode & 077) != 0)
    return fail(Errc::permission, "the home folder " + home.data + " is open to others",
                "it holds this node's identity", "chmod 700 " + home.data);
  KITH_TRY_VOID(make_folders(home.scratch_folder(), 0700));
  return {};
}

Result<HomeLock> HomeLock::take(const Home& home) {
  const int fd = ::open(home.lock_file().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return io_error("the lock " + home.lock_file() + " cannot be used");
  HomeLock lock(fd);
  struct flock whole = whole_file();
  if (::fcntl(fd, F_OFD_SETLK, &whole) != 0) {
    if (errno != EAGAIN && errno != EACCES)
      return io_error("the lock " + home.lock_file() + " cannot be taken");
    const LockHolder holder = read_holder(fd);
    return fail(Errc::in_use, "another daemon uses the home folder " + home.data,
                "process " + std::to_string(holder.pid) + " holds it since " + holder.since,
                "ask that one (kith status), stop it (kith down), or choose another --home");
  }
  const std::string text = std::to_string(::getpid()) + " " + now_text() + "\n";
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return io_error("the lock " + home.lock_file() + " cannot be written");
  return lock;
}

HomeLock::~HomeLock() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<LockHolder> lock_holder(const Home& home) {
  const int fd = ::open(home.lock_file().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  std::optional<LockHolder> holder;
  struct flock whole = whole_file();
  if (::fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK) holder = read_holder(fd);
  ::close(fd);
  return holder;
}

}  // namespace kith::daemon
