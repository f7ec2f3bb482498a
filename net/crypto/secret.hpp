// Memory for secrets. `Wiped` is a small value (a chaining key, an ephemeral) that lives on the
// stack or inside a machine and is overwritten when it goes. `GuardedSecret` is for the few keys
// that live as long as the node: sodium_malloc memory, between guard pages, locked out of swap and
// out of core dumps.
//
// Why two: a guarded allocation costs four pages and several system calls, which a handshake per
// connection cannot pay; its secrets live for milliseconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "schema/base/bytes.hpp"

namespace kith::crypto {

// Overwrites in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> bytes);
// Takes the same time whatever the contents are; lengths may be seen.
bool equal_in_constant_time(ByteView a, ByteView b);

template <std::size_t N>
class Wiped {
 public:
  Wiped() = default;
  explicit Wiped(std::span<const std::uint8_t, N> from) {
    for (std::size_t i = 0; i < N; ++i) bytes_[i] = from[i];
  }
  Wiped(const Wiped&) = default;
  Wiped& operator=(const Wiped&) = default;
  ~Wiped() { wipe(bytes_); }

  static constexpr std::size_t size() { return N; }
  std::uint8_t* data() { return bytes_.data(); }
  const std::uint8_t* data() const { return bytes_.data(); }
  std::span<std::uint8_t, N> span() { return bytes_; }
  std::span<const std::uint8_t, N> span() const { return bytes_; }
  operator ByteView() const { return bytes_; }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

// `none`: ordinary memory, wiped at the end. For simulations only, whose keys are no secrets: ten
// thousand guarded ones are more mappings than a process may have.
enum class Guard : std::uint8_t { pages, none };

// Move-only; read-only memory once it is filled.
class GuardedSecret {
 public:
  explicit GuardedSecret(ByteView from, Guard guard = Guard::pages);
  GuardedSecret(GuardedSecret&& other) noexcept;
  GuardedSecret& operator=(GuardedSecret&& other) noexcept;
  ~GuardedSecret();
  ByteView view() const { return {data_, size_}; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  Guard guard_ = Guard::pages;
};

}  // namespace kith::crypto
