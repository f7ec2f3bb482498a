// Dataset: samples to train on and to measure with: drawn digits, or the owner's IDX or CSV files.
//
// Rules
// * Features are floats, labels small integers below `outputs`.
// * Drawn digits are a pure function of their seed: strokes with a random affine map, jitter,
//   thickness and noise, 28 x 28. No libm, so that every machine draws the same.
// * IDX (idx3-ubyte with idx1-ubyte) bytes become 0 to 1. CSV: one sample a line, its label first;
//   a first line that is no number is a head. When every value is a whole number of 0 to 255 and
//   one is above 1, they are taken as bytes.
//
// Bounds: kDataBytesMax a file, kDataSamplesMax samples, kDataValuesMax values in all. Attacker:
// whoever wrote the owner's files; the readers stay within their bounds whatever is in there.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::edil {

inline constexpr std::size_t kDataBytesMax = 256u << 20;
inline constexpr std::size_t kDataSamplesMax = 1u << 20;
inline constexpr std::size_t kDataValuesMax = 1u << 26;  // 256 MiB of floats
inline constexpr std::uint32_t kDigitSide = 28;
inline constexpr std::uint32_t kDigitInputs = kDigitSide * kDigitSide;

struct Dataset {
  std::uint32_t inputs = 0;
  std::vector<float> features;  // sample after sample
  std::vector<std::uint8_t> labels;
  std::size_t samples() const { return labels.size(); }
};
using SharedDataset = std::shared_ptr<const Dataset>;

// `labels`: those to draw from; empty: all ten.
Dataset draw_digits(std::uint64_t seed, std::size_t samples,
                    const std::vector<std::uint8_t>& labels = {});
// Four of the ten labels, from the seed: the share of one contributor in a split by label.
std::vector<std::uint8_t> labels_of_share(std::uint64_t seed);

// Errors: malformed, truncated, oversized; unsupported (labels not below `outputs`).
Result<Dataset> parse_idx(ByteView images, ByteView labels, std::uint32_t outputs);
Result<Dataset> parse_csv(std::string_view text, std::uint32_t outputs);

// Every tenth sample apart: what is measured with was not trained on.
struct Split {
  Dataset train;
  Dataset held_out;
};
Split split_tenth(const Dataset& all);

}  // namespace kith::edil
