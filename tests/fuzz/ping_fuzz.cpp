// Both ends of ping: the echoing end against arbitrary bytes (what it answers is what it was sent,
// in whole rounds), and the dialling end against an answer that the input alters.
#include <algorithm>

#include "net/base/check.hpp"
#include "net/wire/ping.hpp"

using namespace kith;
using namespace kith::wire;

namespace {

void echo_what_was_sent(ByteView input) {
  const Now now{};
  PingEcho echo(now);
  std::vector<std::uint8_t> sent;
  std::vector<std::uint8_t> answered;
  bool failed = false;
  while (!input.empty() && !failed) {
    const std::size_t length = std::min<std::size_t>(input[0], input.size() - 1);
    const ByteView part = input.subspan(1, length);
    input = input.subspan(1 + length);
    sent.insert(sent.end(), part.begin(), part.end());
    PingEffects effects;
    echo.on_data(now, part, length % 5 == 0 ? kPingEchoQueueMax : 0, effects);
    for (const PingEffect& effect : effects) {
      if (const auto* send = std::get_if<PingSend>(&effect))
        answered.insert(answered.end(), send->data.begin(), send->data.end());
      failed |= std::holds_alternative<PingFailed>(effect);
    }
  }
  if (!failed) CHECK(answered.size() == sent.size() / kPingBytes * kPingBytes);
  CHECK(equal(answered, ByteView(sent).first(answered.size())));
}

void judge_answers(ByteView input) {
  const Now now{};
  PingDialler dialler{Rng(input.size())};
  PingEffects effects;
  std::vector<std::uint8_t> expected;
  while (!input.empty()) {
    dialler.ping(now, effects);
    if (!effects.empty() && std::holds_alternative<PingSend>(effects.back()))
      expected = std::get<PingSend>(effects.back()).data.to_vector();
    effects.clear();
    const std::size_t take = std::min<std::size_t>(input[0] % 40, expected.size());
    std::vector<std::uint8_t> answer(expected.begin(),
                                     expected.begin() + static_cast<std::ptrdiff_t>(take));
    const bool altered = take > 0 && input[0] >= 200;
    if (altered) answer[input[0] % take] ^= 1;
    dialler.on_data(now, answer, effects);
    if (altered) CHECK(!dialler.waiting());
    if (!altered)
      expected.erase(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(take));
    if (input[0] == 150) dialler.on_end(effects);
    CHECK(effects.size() <= 2);
    input = input.subspan(1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  echo_what_was_sent({bytes, size});
  judge_answers({bytes, size});
  return 0;
}
