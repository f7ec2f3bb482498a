#include "services/edil/data_source.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace kith::edil {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kHeldOutSeed = 0x6b697468;

Result<std::string> read_file(const fs::path& path) {
  std::error_code failed;
  if (!fs::is_regular_file(path, failed))
    return fail(Errc::not_found, "there is no file " + path.string(), failed.message(),
                "check the path after --data");
  const std::uintmax_t size = fs::file_size(path, failed);
  if (failed || size > kDataBytesMax)
    return fail(Errc::oversized, path.string() + " is too large",
                "at most " + std::to_string(kDataBytesMax >> 20) + " MiB");
  std::ifstream file(path, std::ios::binary);
  std::string content(static_cast<std::size_t>(size), '\0');
  if (!file.read(content.data(), static_cast<std::streamsize>(size)))
    return fail(Errc::io, "cannot read " + path.string(), {}, "check its permissions");
  return content;
}

// The one file in `folder` whose name holds `part`, the first by name when there are several.
Result<fs::path> find_file(const std::string& folder, std::string_view part) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (entry.path().filename().string().find(part) != std::string::npos)
      found.push_back(entry.path());
  if (found.empty())
    return fail(Errc::not_found, "no *" + std::string(part) + "* in " + folder, failed.message(),
                "name a folder with images (idx3-ubyte) and labels (idx1-ubyte)");
  // "train-..." before "t10k-..." would sort the other way round.
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    const bool a_train = a.filename().string().starts_with("train");
    const bool b_train = b.filename().string().starts_with("train");
    return a_train != b_train ? a_train : a < b;
  });
  return found.front();
}

Result<Dataset> read_owned(const LoadData& what) {
  if (what.source.kind == SourceKind::csv) {
    KITH_TRY(const std::string text, read_file(what.source.path));
    return parse_csv(text, what.shape.outputs);
  }
  KITH_TRY(const fs::path images_path, find_file(what.source.path, "idx3"));
  KITH_TRY(const fs::path labels_path, find_file(what.source.path, "idx1"));
  KITH_TRY(const std::string images, read_file(images_path));
  KITH_TRY(const std::string labels, read_file(labels_path));
  return parse_idx(as_bytes(images), as_bytes(labels), what.shape.outputs);
}

}  // namespace

SharedDataset held_out_digits() {
  static const SharedDataset kDigits =
      std::make_shared<Dataset>(draw_digits(kHeldOutSeed, kHeldOutDigits));
  return kDigits;
}

Result<Samples> load_samples(const LoadData& what) {
  if (what.source.kind == SourceKind::drawn) {
    const bool by_label = what.kind == DataKind::digits_by_label;
    const auto labels = by_label ? labels_of_share(what.seed) : std::vector<std::uint8_t>{};
    return Samples{std::make_shared<Dataset>(draw_digits(what.seed, what.samples, labels)),
                   held_out_digits()};
  }
  KITH_TRY(const Dataset all, read_owned(what));
  if (all.inputs != what.shape.inputs)
    return fail(Errc::configuration, "the samples do not fit the task",
                "they have " + std::to_string(all.inputs) + " features, and the model takes " +
                    std::to_string(what.shape.inputs));
  Split split = split_tenth(all);
  if (split.train.samples() > schema::kSamplesMax) return fail(Errc::oversized, "too many samples");
  Samples samples{std::make_shared<Dataset>(std::move(split.train)), nullptr};
  if (what.kind != DataKind::own)
    samples.held_out = held_out_digits();
  else if (split.held_out.samples() > 0)
    samples.held_out = std::make_shared<Dataset>(std::move(split.held_out));
  return samples;
}

}  // namespace kith::edil
