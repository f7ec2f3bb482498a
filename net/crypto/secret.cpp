#include "net/crypto/secret.hpp"

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "net/base/check.hpp"
#include "net/crypto/sodium.hpp"

namespace kith::crypto {

void require_sodium() {
  static const bool ready = sodium_init() >= 0;
  CHECK(ready);
}

void wipe(std::span<std::uint8_t> bytes) { sodium_memzero(bytes.data(), bytes.size()); }

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(start_of(a), start_of(b), a.size()) == 0;
}

GuardedSecret::GuardedSecret(ByteView from, Guard guard) : size_(from.size()), guard_(guard) {
  require_sodium();
  const bool pages = guard_ == Guard::pages;
  data_ = static_cast<std::uint8_t*>(pages ? sodium_malloc(size_) : std::malloc(size_));
  if (data_ == nullptr) throw std::bad_alloc();
  if (!from.empty()) std::memcpy(data_, from.data(), size_);
  if (pages) CHECK(sodium_mprotect_readonly(data_) == 0);
}

GuardedSecret::GuardedSecret(GuardedSecret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      guard_(other.guard_) {}

GuardedSecret& GuardedSecret::operator=(GuardedSecret&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(guard_, other.guard_);
  return *this;
}

GuardedSecret::~GuardedSecret() {
  if (guard_ == Guard::pages) {
    sodium_free(data_);
  } else if (data_ != nullptr) {
    sodium_memzero(data_, size_);
    std::free(data_);
  }
}

}  // namespace kith::crypto
