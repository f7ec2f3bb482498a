#include "services/edil/update.hpp"

#include <limits>

#include "net/base/check.hpp"

namespace kith::edil {
namespace {

constexpr std::int64_t kStepMax = std::int64_t{127} << kShiftMax;

std::int64_t difference(std::int32_t base, float trained) {
  const double units = static_cast<double>(trained) * (1 << kFractionBits);
  if (!(units > -4e9 && units < 4e9)) return units > 0 ? kStepMax : units < 0 ? -kStepMax : 0;
  const auto rounded = static_cast<std::int64_t>(units < 0 ? units - 0.5 : units + 0.5);
  return std::clamp<std::int64_t>(rounded - base, -kStepMax, kStepMax);
}

// To the nearest; within -127 to 127 by the choice of the shift.
std::int8_t quotient(std::int64_t step, unsigned shift) {
  const std::int64_t half = shift == 0 ? 0 : std::int64_t{1} << (shift - 1);
  const std::int64_t size = ((step < 0 ? -step : step) + half) >> shift;
  const std::int64_t cut = std::min<std::int64_t>(size, 127);
  return static_cast<std::int8_t>(step < 0 ? -cut : cut);
}

}  // namespace

std::size_t payload_bytes(std::size_t parameters) {
  return parameters + (parameters + kBlockWeights - 1) / kBlockWeights;
}

Bytes quantise(const Weights& base, const std::vector<float>& trained) {
  CHECK(base.size() == trained.size());
  std::vector<std::uint8_t> out;
  out.reserve(payload_bytes(base.size()));
  std::array<std::int64_t, kBlockWeights> steps{};
  for (std::size_t from = 0; from < base.size(); from += kBlockWeights) {
    const std::size_t count = std::min(kBlockWeights, base.size() - from);
    std::int64_t largest = 0;
    for (std::size_t i = 0; i < count; ++i) {
      steps[i] = difference(base[from + i], trained[from + i]);
      largest = std::max(largest, steps[i] < 0 ? -steps[i] : steps[i]);
    }
    unsigned shift = 0;
    while (largest > std::int64_t{127} << shift) ++shift;
    out.push_back(static_cast<std::uint8_t>(shift));
    for (std::size_t i = 0; i < count; ++i)
      out.push_back(static_cast<std::uint8_t>(quotient(steps[i], shift)));
  }
  return Bytes::adopt(std::move(out));
}

Result<void> check_payload(std::size_t parameters, ByteView payload) {
  const std::size_t need = payload_bytes(parameters);
  if (payload.size() < need) return fail(Errc::truncated, "an update is too short");
  if (payload.size() > need) return fail(Errc::oversized, "an update is too long");
  for (std::size_t at = 0; at < payload.size(); at += kBlockWeights + 1) {
    if (payload[at] > kShiftMax) return fail(Errc::malformed, "a scale outside its bounds");
    const std::size_t end = std::min(at + kBlockWeights + 1, payload.size());
    for (std::size_t i = at + 1; i < end; ++i)
      if (payload[i] == 0x80) return fail(Errc::malformed, "a value outside its bounds");
  }
  return {};
}

void Aggregate::add(ByteView payload, std::uint32_t samples) {
  CHECK(payload.size() == payload_bytes(sums_.size()));
  samples_ += samples;
  std::size_t at = 0;
  for (std::size_t from = 0; from < sums_.size(); from += kBlockWeights) {
    // Weight of this block's values; below 2^40, and its product with q below 2^47.
    const std::int64_t scale = static_cast<std::int64_t>(samples) << payload[at++];
    const std::size_t count = std::min(kBlockWeights, sums_.size() - from);
    const auto* values = reinterpret_cast<const std::int8_t*>(payload.data() + at);
    std::int64_t* sums = sums_.data() + from;
    for (std::size_t i = 0; i < count; ++i) sums[i] += scale * values[i];
    at += count;
  }
}

Weights Aggregate::apply(const Weights& base) const {
  CHECK(samples_ > 0 && base.size() == sums_.size());
  const auto total = static_cast<std::int64_t>(samples_);
  constexpr std::int64_t kMin = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  Weights out(base.size());
  for (std::size_t i = 0; i < base.size(); ++i) {
    const std::int64_t size = sums_[i] < 0 ? -sums_[i] : sums_[i];
    const std::int64_t mean = (2 * size + total) / (2 * total);  // half away from zero
    const std::int64_t moved = base[i] + (sums_[i] < 0 ? -mean : mean);
    out[i] = static_cast<std::int32_t>(std::clamp(moved, kMin, kMax));
  }
  return out;
}

}  // namespace kith::edil
