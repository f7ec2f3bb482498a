// Updates: what a contributor changed, in eight bits a weight, and their exact weighted mean.
//
// Format of a payload: blocks of kBlockWeights weights (the last may be shorter): one byte of shift
// (0 to kShiftMax), then a signed byte q a weight (-127 to 127). The difference is q * 2^shift in
// units of the model's fixed point. So there is no infinity, no NaN and no rounding in a sum.
//
// Why: sums of integers do not depend on the order; the mean is rounded half away from zero and the
// result saturates. Bounds: |q * 2^shift| < 2^27, samples <= 2^20, contributors <= 2^8: a sum stays
// below 2^55.
//
// Attacker: a contributor. Length and every byte are checked; how far one update can move a weight
// is bounded by +-127 (in weights) times its share of the samples.
#pragma once

#include "services/edil/model.hpp"

namespace kith::edil {

inline constexpr std::size_t kBlockWeights = 256;
inline constexpr unsigned kShiftMax = 20;

std::size_t payload_bytes(std::size_t parameters);
// `trained` in floats; what is not finite or too far away is cut to the largest step.
Bytes quantise(const Weights& base, const std::vector<float>& trained);
// Errors: truncated, oversized (length), malformed (a shift or value outside its bounds).
Result<void> check_payload(std::size_t parameters, ByteView payload);

class Aggregate {
 public:
  explicit Aggregate(std::size_t parameters) : sums_(parameters, 0) {}
  // `payload` passed check_payload; samples is 1 to kSamplesMax; kContributorsMax calls at most.
  void add(ByteView payload, std::uint32_t samples);
  std::uint64_t samples() const { return samples_; }
  Weights apply(const Weights& base) const;  // after at least one add

 private:
  std::vector<std::int64_t> sums_;
  std::uint64_t samples_ = 0;
};

}  // namespace kith::edil
