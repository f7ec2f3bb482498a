// Histogram: how often values fell where, in buckets of 1/64 of their size; so a quantile is right
// within 1.6 %. Integers only: the same on every machine.
#pragma once

#include <cstdint>
#include <vector>

namespace kith::simnet {

class Histogram {
 public:
  void add(std::uint64_t value);
  std::uint64_t count() const { return count_; }
  std::uint64_t least() const { return count_ == 0 ? 0 : least_; }
  std::uint64_t most() const { return most_; }
  std::uint64_t sum() const { return sum_; }
  double mean() const { return count_ == 0 ? 0 : double(sum_) / double(count_); }
  // The smallest value that at least `ppm` of a million do not exceed; the bucket's upper end.
  std::uint64_t quantile(std::uint32_t ppm) const;
  // (upper end, how many) of the buckets that are not empty.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets() const;

 private:
  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t end_of(std::size_t bucket);
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0, sum_ = 0, least_ = UINT64_MAX, most_ = 0;
};

}  // namespace kith::simnet
