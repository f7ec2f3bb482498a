#include "net/crypto/identity_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

namespace kith::crypto {

namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kOthers = 0077;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::string error_text(int code) { return std::generic_category().message(code); }

// So that a suggested command can be pasted whatever the path holds.
std::string quoted(const std::string& path) {
  if (path.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "/._-+@:,") == std::string::npos)
    return path;
  std::string text = "'";
  for (const char c : path) c == '\'' ? text += "'\\''" : text += c;
  return text + "'";
}

std::string octal(mode_t mode) {
  std::string digits = "0000";
  for (std::size_t i = 0; i < 4; ++i)
    digits[3 - i] = static_cast<char>('0' + ((mode >> (3 * i)) & 7u));
  return digits;
}

Error cannot(const std::string& verb, const std::string& path, int code) {
  return fail(code == EACCES || code == EPERM ? Errc::permission : Errc::io,
              "cannot " + verb + " " + path, error_text(code));
}

Error not_a_key(const std::string& path, std::string why) {
  return fail(Errc::corrupt, path + " is not an identity key", std::move(why),
              "restore it from a backup, or start as a new peer after: mv " + quoted(path) + " " +
                  quoted(path + ".broken"));
}

// The same rule for the file and its folder: ours, and nobody else's to read or write.
Result<void> check_private(const std::string& path, const struct stat& info, mode_t wanted) {
  if (info.st_uid != ::geteuid())
    return fail(
        Errc::permission, path + " belongs to another user",
        "owner " + std::to_string(info.st_uid) + ", running as " + std::to_string(::geteuid()),
        "run as its owner, or: sudo chown " + std::to_string(::geteuid()) + " " + quoted(path));
  const mode_t mode = info.st_mode & 07777;
  if ((mode & kOthers) != 0)
    return fail(Errc::permission, path + " is open to other users",
                "mode " + octal(mode) + ", must be " + octal(wanted),
                "chmod " + octal(wanted).substr(1) + " " + quoted(path));
  return {};
}

std::string folder_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

Result<void> check_folder(const std::string& folder) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return cannot("look into", folder, errno);
  if (!S_ISDIR(info.st_mode)) return fail(Errc::io, folder + " is not a folder");
  return check_private(folder, info, kFolderMode);
}

Result<void> make_folder(const std::string& folder) {
  std::error_code failed;
  const fs::path above = fs::path(folder).parent_path();
  if (!above.empty()) fs::create_directories(above, failed);
  if (failed) return cannot("make the folder", above.string(), failed.value());
  if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST)
    return cannot("make the folder", folder, errno);
  return {};
}

Result<Identity> read_key(const std::string& path, const File& file) {
  struct stat info {};
  if (::fstat(file.fd(), &info) != 0) return cannot("look at", path, errno);
  if (!S_ISREG(info.st_mode)) return not_a_key(path, "it is not a regular file");
  KITH_TRY_VOID(check_private(path, info, kFileMode));
  if (info.st_size != static_cast<off_t>(kPrivateKeyBytes))
    return not_a_key(path, "it has " + std::to_string(info.st_size) + " bytes instead of " +
                               std::to_string(kPrivateKeyBytes));
  Wiped<kPrivateKeyBytes> encoded;
  for (std::size_t at = 0; at < encoded.size();) {
    const ssize_t got = ::read(file.fd(), encoded.data() + at, encoded.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot("read", path, errno);
    if (got == 0) return not_a_key(path, "it became shorter while it was read");
    at += static_cast<std::size_t>(got);
  }
  auto identity = Identity::decode(encoded);
  if (!identity) return not_a_key(path, identity.error().what);
  return identity;
}

// None: there is no such file.
Result<std::optional<Identity>> try_load(const std::string& path) {
  // O_NONBLOCK so that a pipe in its place cannot hold us up.
  const File file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.open() && errno == ENOENT) return std::optional<Identity>{};
  if (!file.open() && errno == ELOOP)
    return fail(Errc::permission, path + " is a symbolic link",
                "an identity key must be a file of its own",
                "put the key itself there: cp --remove-destination \"$(readlink -f " +
                    quoted(path) + ")\" " + quoted(path));
  if (!file.open()) return cannot("open", path, errno);
  KITH_TRY_VOID(check_folder(folder_of(path)));
  KITH_TRY(Identity identity, read_key(path, file));
  return std::optional<Identity>(std::move(identity));
}

Result<void> write_new(const std::string& path, ByteView content) {
  const File file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!file.open()) return cannot("create", path, errno);
  if (::fchmod(file.fd(), kFileMode) != 0) return cannot("set the mode of", path, errno);
  while (!content.empty()) {
    const ssize_t put = ::write(file.fd(), content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == ENOSPC)
      return fail(Errc::disk_full, "cannot write " + path, error_text(errno));
    if (put < 0) return cannot("write", path, errno);
    content = content.subspan(static_cast<std::size_t>(put));
  }
  if (::fsync(file.fd()) != 0) return cannot("sync", path, errno);
  return {};
}

Result<void> sync_folder(const std::string& folder) {
  const File opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.open() || ::fsync(opened.fd()) != 0) return cannot("sync the folder", folder, errno);
  return {};
}

std::string temporary_name(const std::string& path, Rng& rng) {
  constexpr char kDigits[] = "0123456789abcdef";
  const std::uint64_t drawn = rng.next();
  std::string name = path + ".new-";
  for (unsigned i = 0; i < 16; ++i) name += kDigits[(drawn >> (4 * i)) & 15u];
  return name;
}

// False: another process put a key there first.
Result<bool> store_new(const std::string& path, const Identity& identity, Rng& rng) {
  const std::string temporary = temporary_name(path, rng);
  const auto written = write_new(temporary, identity.encode());
  const int linked = written ? ::link(temporary.c_str(), path.c_str()) : -1;
  const int code = errno;
  ::unlink(temporary.c_str());
  KITH_TRY_VOID(written);
  if (linked != 0 && code == EEXIST) return false;
  if (linked != 0) return cannot("create", path, code);
  KITH_TRY_VOID(sync_folder(folder_of(path)));
  return true;
}

}  // namespace

Result<Identity> load_identity(const std::string& path) {
  KITH_TRY(std::optional<Identity> found, try_load(path));
  if (!found) return cannot("open", path, ENOENT);
  return std::move(*found);
}

Result<Identity> load_or_make_identity(const std::string& path, Rng& rng) {
  KITH_TRY(std::optional<Identity> found, try_load(path));
  if (found) return std::move(*found);
  const std::string folder = folder_of(path);
  KITH_TRY_VOID(make_folder(folder));
  KITH_TRY_VOID(check_folder(folder));
  Identity made = Identity::make(rng);
  KITH_TRY(const bool stored, store_new(path, made, rng));
  if (!stored) return load_identity(path);
  return made;
}

}  // namespace kith::crypto
