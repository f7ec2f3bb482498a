// Two Yamux machines joined by pipes; the input chooses commands and cuts, the naive model judges.
#include "tests/net/wire/yamux_model.cpp"  // NOLINT: fuzzers link to no test code

using namespace kith;
using namespace kith::wire;

namespace {

class InputChoices final : public wire::testing::Choices {
 public:
  explicit InputChoices(ByteView input) : input_(input) {}
  std::uint32_t below(std::uint32_t bound) override {
    std::uint32_t value = 0;
    for (std::uint32_t left = bound - 1; left > 0 && !input_.empty(); left >>= 8) {
      value = value << 8 | input_[0];
      input_ = input_.subspan(1);
    }
    return value % bound;
  }
  bool exhausted() const override { return input_.empty(); }

 private:
  ByteView input_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  YamuxConfig dialler = wire::testing::quiet(true);
  YamuxConfig listener = wire::testing::quiet(false);
  if ((bytes[0] & 1) != 0) listener.receive_pool_max = 2 * kYamuxWindowInitial;
  if ((bytes[0] & 2) != 0) dialler.streams_max = 4;
  if ((bytes[0] & 4) != 0) listener.ping_every = kYamuxPingEvery;
  if ((bytes[0] & 8) != 0) listener.stream_window_max = kYamuxWindowInitial;
  InputChoices choices(ByteView(bytes + 1, size - 1));
  wire::testing::TwoEnds ends(dialler, listener);
  while (!choices.exhausted()) ends.step(choices);
  ends.finish();
  return 0;
}
