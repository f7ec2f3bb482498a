#include "services/store/fast_checksum.hpp"

#include <dlfcn.h>

#include <cstring>

namespace rocksdb::crc32c {
__attribute__((visibility("default"))) std::uint32_t Extend(std::uint32_t before, const char* data,
                                                            std::size_t size);
}

namespace kith::store {
namespace {

using Extend = std::uint32_t (*)(std::uint32_t, const char*, std::size_t);
constexpr const char* kSymbol = "_ZN7rocksdb6crc32c6ExtendEjPKcm";

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::uint32_t before,
                                                               const char* data, std::size_t size) {
  std::uint64_t crc = before ^ 0xffffffffu;
  for (; size >= 8; size -= 8, data += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  auto last = static_cast<std::uint32_t>(crc);
  for (; size > 0; --size, ++data)
    last = __builtin_ia32_crc32qi(last, static_cast<unsigned char>(*data));
  return last ^ 0xffffffffu;
}
#endif

Extend choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return by_instruction;
#endif
  return reinterpret_cast<Extend>(::dlsym(RTLD_NEXT, kSymbol));
}

}  // namespace

std::uint32_t crc32c_extend(std::uint32_t before, const char* data, std::size_t size) {
  static const Extend extend = choose();
  return extend(before, data, size);
}

bool fast_checksum_in_place() {
  return ::dlsym(RTLD_DEFAULT, kSymbol) == reinterpret_cast<void*>(&rocksdb::crc32c::Extend);
}

}  // namespace kith::store

std::uint32_t rocksdb::crc32c::Extend(std::uint32_t before, const char* data, std::size_t size) {
  return kith::store::crc32c_extend(before, data, size);
}
