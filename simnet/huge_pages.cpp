#include "simnet/huge_pages.hpp"

#include <sys/auxv.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace kith::simnet {
namespace {

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

void use_huge_pages(char** argv) {
  // With privileges glibc drops the variable; and what runs us under another name (a loader,
  // valgrind) would be started instead of us.
  if (::getauxval(AT_SECURE) != 0 || std::getenv("GLIBC_TUNABLES") != nullptr) return;
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (size <= 0 || argv[0] == nullptr || name_of(path.data()) != name_of(argv[0])) return;
  if (::setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 1) != 0) return;
  ::execv(path.data(), argv);
}

}  // namespace kith::simnet
