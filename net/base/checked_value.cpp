#include "net/base/checked_value.hpp"

#include <xxhash.h>

#include <algorithm>

namespace kith {
namespace {

constexpr std::size_t kSumBytes = sizeof(XXH64_canonical_t);

XXH64_canonical_t sum_of(ByteView bytes) {
  XXH64_canonical_t sum;
  XXH64_canonicalFromHash(&sum, XXH3_64bits(bytes.data(), bytes.size()));
  return sum;
}

}  // namespace

Bytes to_checked(ByteView exact) {
  return Bytes::make(kSumBytes + exact.size(), [&](std::span<std::uint8_t> to) {
    const XXH64_canonical_t sum = sum_of(exact);
    std::copy_n(sum.digest, kSumBytes, to.begin());
    std::copy(exact.begin(), exact.end(), to.begin() + kSumBytes);
  });
}

std::optional<Bytes> of_checked(const Bytes& value) {
  if (value.size() < kSumBytes) return std::nullopt;
  Bytes exact = value.slice(kSumBytes);
  const XXH64_canonical_t sum = sum_of(exact);
  if (!std::equal(sum.digest, sum.digest + kSumBytes, value.data())) return std::nullopt;
  return exact;
}

}  // namespace kith
