#include "net/asio/port_holder.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <system_error>

namespace kith::net {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t kSocketLinesMax = 100'000;
constexpr int kListening = 0x0A;

// "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 12345 ..."
std::optional<std::uint64_t> listening_inode(const std::string& line, std::uint16_t port) {
  unsigned local_port = 0;
  unsigned state = 0;
  std::uint64_t inode = 0;
  const int read = std::sscanf(line.c_str(),  // NOLINT: the kernel's own format
                               " %*[^:]: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %" SCNu64,
                               &local_port, &state, &inode);
  if (read != 3 || local_port != port || state != kListening || inode == 0) return {};
  return inode;
}

void add_inodes(const char* table, std::uint16_t port, std::set<std::string>& links) {
  std::ifstream file(table);
  std::string line;
  for (std::size_t i = 0; i < kSocketLinesMax && std::getline(file, line); ++i)
    if (const auto inode = listening_inode(line, port))
      links.insert("socket:[" + std::to_string(*inode) + "]");
}

bool holds(const fs::path& process, const std::set<std::string>& links) {
  std::error_code ignored;
  for (fs::directory_iterator fd(process / "fd", ignored), end; fd != end; fd.increment(ignored)) {
    std::array<char, 64> target{};
    const ssize_t size = readlink(fd->path().c_str(), target.data(), target.size());
    if (size > 0 && links.contains(std::string(target.data(), static_cast<std::size_t>(size))))
      return true;
    if (ignored) break;
  }
  return false;
}

std::string program_of(const fs::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  std::getline(file, name);
  for (char& c : name)
    if (c < ' ' || c > '~') c = '?';
  return name;
}

}  // namespace

std::optional<PortHolder> find_port_holder(std::uint16_t port) {
  std::set<std::string> links;
  add_inodes("/proc/net/tcp", port, links);
  add_inodes("/proc/net/tcp6", port, links);
  if (links.empty()) return {};
  std::error_code ignored;
  for (fs::directory_iterator at("/proc", ignored), end; at != end; at.increment(ignored)) {
    const std::string name = at->path().filename();
    int pid = 0;
    const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && rest == name.data() + name.size() && holds(at->path(), links))
      return PortHolder{pid, program_of(at->path())};
    if (ignored) break;
  }
  return {};
}

}  // namespace kith::net
