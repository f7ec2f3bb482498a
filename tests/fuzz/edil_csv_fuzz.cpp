// The owner's CSV files, whatever is in them. What is taken is finite and within its bounds, and
// comes back as it was when it is written and read again.
// Links: kith_services_edil
#include <charconv>
#include <cmath>
#include <string>

#include "services/edil/dataset.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto read = edil::parse_csv(as_text(ByteView(bytes, size)), 10);
  if (!read) return 0;
  FUZZ_CHECK(read->samples() > 0 && read->inputs > 0);
  FUZZ_CHECK(read->features.size() == read->samples() * read->inputs);
  FUZZ_CHECK(read->features.size() < size);
  std::string text;
  for (std::size_t i = 0; i < read->samples(); ++i) {
    FUZZ_CHECK(read->labels[i] < 10);
    text += static_cast<char>('0' + read->labels[i]);
    for (std::size_t k = 0; k < read->inputs; ++k) {
      const float value = read->features[i * read->inputs + k];
      FUZZ_CHECK(std::isfinite(value) && std::abs(value) <= 1e6f);
      char digits[64];
      const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
      text += ',';
      text.append(digits, end);
    }
    text += '\n';
  }
  const auto again = edil::parse_csv(text, 10);
  FUZZ_CHECK(again && again->inputs == read->inputs && again->labels == read->labels &&
             again->features == read->features);
  return 0;
}
