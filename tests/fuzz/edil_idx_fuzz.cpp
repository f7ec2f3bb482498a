// The owner's IDX files, whatever is in them. The first two bytes say where the labels begin. What
// is taken is compared with a naive reading.
// Links: kith_services_edil
#include "services/edil/dataset.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const ByteView rest(bytes + 2, size - 2);
  const std::size_t cut = std::min<std::size_t>(rest.size(), bytes[0] | std::size_t{bytes[1]} << 8);
  const ByteView images = rest.subspan(0, cut), labels = rest.subspan(cut);
  const auto read = edil::parse_idx(images, labels, 10);
  if (!read) return 0;
  FUZZ_CHECK(read->samples() > 0 && read->samples() == labels.size() - 8);
  FUZZ_CHECK(read->features.size() == read->samples() * read->inputs);
  FUZZ_CHECK(read->features.size() == images.size() - 16);
  for (std::size_t i = 0; i < read->samples(); ++i)
    FUZZ_CHECK(read->labels[i] == labels[8 + i] && read->labels[i] < 10);
  for (std::size_t i = 0; i < read->features.size(); ++i)
    FUZZ_CHECK(read->features[i] == static_cast<float>(images[16 + i]) / 255.0f);
  const edil::Split split = edil::split_tenth(*read);
  FUZZ_CHECK(split.train.samples() + split.held_out.samples() == read->samples());
  return 0;
}
