#include "simnet/scenario/histogram.hpp"

#include <algorithm>
#include <bit>

namespace kith::simnet {

namespace {
constexpr unsigned kBits = 6;  // 64 buckets for each doubling
}

std::size_t Histogram::bucket_of(std::uint64_t value) {
  if (value < (1u << kBits)) return static_cast<std::size_t>(value);
  const auto exponent = static_cast<unsigned>(std::bit_width(value)) - 1 - kBits;
  return (std::size_t{exponent} << kBits) + static_cast<std::size_t>(value >> exponent);
}

std::uint64_t Histogram::end_of(std::size_t bucket) {
  if (bucket < (2u << kBits)) return bucket;
  const std::size_t exponent = (bucket >> kBits) - 1;
  const std::uint64_t mantissa = (bucket & ((1u << kBits) - 1)) + (1u << kBits);
  return ((mantissa + 1) << exponent) - 1;
}

void Histogram::add(std::uint64_t value) {
  const std::size_t bucket = bucket_of(value);
  if (counts_.size() <= bucket) counts_.resize(bucket + 1);
  ++counts_[bucket];
  ++count_;
  sum_ += value;
  least_ = std::min(least_, value);
  most_ = std::max(most_, value);
}

std::uint64_t Histogram::quantile(std::uint32_t ppm) const {
  if (count_ == 0) return 0;
  const std::uint64_t wanted = std::max<std::uint64_t>(1, (count_ * ppm + 999'999) / 1'000'000);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted) return std::min(end_of(i), most_);
  }
  return most_;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> Histogram::buckets() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] != 0) out.emplace_back(end_of(i), counts_[i]);
  return out;
}

}  // namespace kith::simnet
