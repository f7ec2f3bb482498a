// multistream-select, both roles. First byte: bit 0 is our role, the rest the size of the cuts.
// Whatever the cuts, a machine must answer as one that got all bytes at once.
#include <algorithm>
#include <optional>

#include "net/wire/multistream.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;
using namespace kith::wire;

namespace {

const std::vector<std::string> kIds = {"/a", "/kith/echo/1.0.0", "/noise"};

struct Outcome {
  std::vector<std::uint8_t> written, rest;
  std::optional<std::size_t> chosen;
  std::optional<Errc> error;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

template <class OnBytes>
Outcome run(ByteView input, std::size_t cut, OnBytes&& on_bytes) {
  Outcome outcome;
  while (!input.empty()) {
    const ByteView chunk = input.first(std::min(cut, input.size()));
    input = input.subspan(chunk.size());
    if (outcome.chosen) {
      outcome.rest.insert(outcome.rest.end(), chunk.begin(), chunk.end());
      continue;
    }
    const Result<MultistreamStep> step = on_bytes(Bytes::copy(chunk));
    if (!step) {
      outcome.error = step.error().code;
      // What was answered before the error depends on the cuts, and nobody reads it.
      outcome.written.clear();
      return outcome;
    }
    outcome.written.insert(outcome.written.end(), step->write.begin(), step->write.end());
    FUZZ_CHECK(outcome.written.size() <= 4096);
    if (!step->agreed) FUZZ_CHECK(step->rest.empty());
    if (!step->agreed) continue;
    FUZZ_CHECK(step->chosen < kIds.size());
    outcome.chosen = step->chosen;
    outcome.rest = step->rest.to_vector();
  }
  return outcome;
}

Outcome listen(ByteView input, std::size_t cut) {
  MultistreamListener listener;
  return run(input, cut, [&](const Bytes& chunk) { return listener.on_bytes(chunk, kIds); });
}

Outcome dial(ByteView input, std::size_t cut) {
  MultistreamDialer dialer(kIds);
  return run(input, cut, [&](const Bytes& chunk) { return dialer.on_bytes(chunk); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 1 || size > 100'000) return 0;
  const ByteView input(bytes + 1, size - 1);
  const std::size_t cut = 1 + (bytes[0] >> 1);
  const auto act = (bytes[0] & 1) != 0 ? dial : listen;
  FUZZ_CHECK(act(input, cut) == act(input, SIZE_MAX));
  return 0;
}
