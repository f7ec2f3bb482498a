// Readers of the owner's files.
#include <charconv>
#include <cmath>

#include "services/edil/dataset.hpp"

namespace kith::edil {
namespace {

constexpr std::uint32_t kIdxImages = 0x00000803;  // unsigned bytes, three dimensions
constexpr std::uint32_t kIdxLabels = 0x00000801;
constexpr std::size_t kIdxImagesHead = 16;
constexpr std::size_t kIdxLabelsHead = 8;
constexpr std::uint64_t kFeaturesMax = 4096;
constexpr float kValueMax = 1e6f;

std::uint32_t big_endian(ByteView from, std::size_t at) {
  return static_cast<std::uint32_t>(from[at]) << 24 |
         static_cast<std::uint32_t>(from[at + 1]) << 16 |
         static_cast<std::uint32_t>(from[at + 2]) << 8 | from[at + 3];
}

Error bad_label(std::size_t sample, std::uint32_t label, std::uint32_t outputs) {
  return fail(Errc::unsupported, "sample " + std::to_string(sample + 1) + " has an unknown label",
              "it is " + std::to_string(label) + ", and the task knows 0 to " +
                  std::to_string(outputs - 1));
}

Error bad_line(std::size_t line, const std::string& what) {
  return fail(Errc::malformed, "line " + std::to_string(line) + " of the CSV file " + what);
}

struct Line {
  bool numbers = true;
  std::vector<float> values;
};

Line split_line(std::string_view text, std::size_t values_max) {
  Line line;
  while (line.numbers) {
    const std::size_t comma = text.find(',');
    std::string_view field = text.substr(0, comma);
    while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
    while (!field.empty() && (field.back() == ' ' || field.back() == '\r')) field.remove_suffix(1);
    float value = 0;
    const auto read = std::from_chars(field.data(), field.data() + field.size(), value);
    line.numbers = read.ec == std::errc() && read.ptr == field.data() + field.size() &&
                   std::isfinite(value) && value >= -kValueMax && value <= kValueMax;
    line.values.push_back(value);
    if (comma == std::string_view::npos || line.values.size() > values_max) break;
    text.remove_prefix(comma + 1);
  }
  return line;
}

void scale_bytes(Dataset& data) {
  bool above_one = false;
  for (const float value : data.features) {
    if (value < 0 || value > 255 || value != static_cast<float>(static_cast<int>(value))) return;
    above_one = above_one || value > 1;
  }
  if (!above_one) return;
  for (float& value : data.features) value /= 255.0f;
}

}  // namespace

Result<Dataset> parse_idx(ByteView images, ByteView labels, std::uint32_t outputs) {
  if (images.size() < kIdxImagesHead || labels.size() < kIdxLabelsHead)
    return fail(Errc::truncated, "an IDX file ends in its head");
  if (big_endian(images, 0) != kIdxImages || big_endian(labels, 0) != kIdxLabels)
    return fail(Errc::malformed, "not an IDX file of bytes with three and one dimensions");
  const std::uint64_t samples = big_endian(images, 4);
  const std::uint64_t features =
      static_cast<std::uint64_t>(big_endian(images, 8)) * big_endian(images, 12);
  if (samples == 0 || samples > kDataSamplesMax || features == 0 || features > kFeaturesMax ||
      samples * features > kDataValuesMax)
    return fail(Errc::oversized, "an IDX file of no or too many samples");
  if (big_endian(labels, 4) != samples)
    return fail(Errc::malformed, "images and labels are not equally many");
  if (images.size() != kIdxImagesHead + samples * features ||
      labels.size() != kIdxLabelsHead + samples)
    return fail(images.size() < kIdxImagesHead + samples * features ||
                        labels.size() < kIdxLabelsHead + samples
                    ? Errc::truncated
                    : Errc::oversized,
                "an IDX file is not as long as its head says");
  Dataset out;
  out.inputs = static_cast<std::uint32_t>(features);
  out.features.reserve(static_cast<std::size_t>(samples * features));
  for (const std::uint8_t pixel : images.subspan(kIdxImagesHead))
    out.features.push_back(static_cast<float>(pixel) / 255.0f);
  for (const std::uint8_t label : labels.subspan(kIdxLabelsHead)) {
    if (label >= outputs) return bad_label(out.labels.size(), label, outputs);
    out.labels.push_back(label);
  }
  return out;
}

Result<Dataset> parse_csv(std::string_view text, std::uint32_t outputs) {
  Dataset out;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view content = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (content.empty() || content == "\r") continue;
    const Line line = split_line(content, kFeaturesMax + 1);
    if (!line.numbers && number == 1) continue;  // its head
    if (!line.numbers) return bad_line(number, "holds something that is no number");
    if (line.values.size() < 2) return bad_line(number, "has no features");
    if (line.values.size() > kFeaturesMax + 1) return bad_line(number, "has too many features");
    if (out.inputs == 0) out.inputs = static_cast<std::uint32_t>(line.values.size() - 1);
    if (line.values.size() != out.inputs + 1u)
      return bad_line(number, "has another number of features than those before");
    const float label = line.values[0];
    if (!(label >= 0 && label < static_cast<float>(outputs)) ||
        label != static_cast<float>(static_cast<int>(label)))
      return bad_line(number, "has a label that the task does not know");
    if (out.samples() >= kDataSamplesMax || out.features.size() + out.inputs > kDataValuesMax)
      return fail(Errc::oversized, "a CSV file of too many samples");
    out.features.insert(out.features.end(), line.values.begin() + 1, line.values.end());
    out.labels.push_back(static_cast<std::uint8_t>(label));
  }
  if (out.samples() == 0) return fail(Errc::truncated, "a CSV file without samples");
  scale_bytes(out);
  return out;
}

Split split_tenth(const Dataset& all) {
  Split split;
  split.train.inputs = split.held_out.inputs = all.inputs;
  for (std::size_t i = 0; i < all.samples(); ++i) {
    Dataset& to = i % 10 == 9 ? split.held_out : split.train;
    const auto from = all.features.begin() + static_cast<std::ptrdiff_t>(i * all.inputs);
    to.features.insert(to.features.end(), from, from + all.inputs);
    to.labels.push_back(all.labels[i]);
  }
  return split;
}

}  // namespace kith::edil
