#include "simnet/huge_pages.hpp"

#include <unistd.h>

#include <cstdlib>

namespace kith::simnet {

void use_huge_pages(char** argv) {
  if (std::getenv("GLIBC_TUNABLES") != nullptr) return;
  if (::setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 1) != 0) return;
  ::execv("/proc/self/exe", argv);
}

}  // namespace kith::simnet
