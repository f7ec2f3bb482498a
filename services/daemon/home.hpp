// Home: where a daemon's files are, and the lock that one daemon holds on them.
//
// With --home DIR or KITH_HOME all is in DIR. Otherwise the configuration is in
// $XDG_CONFIG_HOME/kith (~/.config/kith) and all else in $XDG_DATA_HOME/kith (~/.local/share/kith).
//
// Rules: the data folder is made with mode 0700; an existing one that others can enter is refused,
// as it holds the identity. The lock is on the open file `lock`, so it ends with its holder however
// that ends; the file says who holds it, for the error that a second daemon gets.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "schema/base/result.hpp"

namespace kith::daemon {

struct Home {
  std::string config;  // folder of config.toml
  std::string data;

  std::string config_file() const { return config + "/config.toml"; }
  std::string identity_file() const { return data + "/identity.key"; }
  std::string token_file() const { return data + "/api.token"; }
  std::string socket_file() const { return data + "/api.sock"; }
  std::string lock_file() const { return data + "/lock"; }
  std::string log_file() const { return data + "/kith.log"; }
  std::string store_folder() const { return data + "/store"; }
  std::string scratch_folder() const { return data + "/tmp"; }
};

// An environment, so that tests can make one up.
using Getenv = const char* (*)(const char* name);

// `flag`: --home, may be empty. Errors: configuration (nothing tells where).
Result<Home> find_home(const std::string& flag, Getenv env);
// Makes the folders that are missing. Errors: permission, io, disk_full.
Result<void> make_home(const Home& home);

struct LockHolder {
  pid_t pid = 0;
  std::string since;  // "2026-11-20 10:48:00"
};

class HomeLock {
 public:
  // Errors: in_use (names the holder), io.
  static Result<HomeLock> take(const Home& home);
  HomeLock(HomeLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  HomeLock& operator=(HomeLock&&) = delete;
  ~HomeLock();

 private:
  explicit HomeLock(int fd) : fd_(fd) {}
  int fd_;
};

// Who holds the lock; none: nobody.
std::optional<LockHolder> lock_holder(const Home& home);

}  // namespace kith::daemon
