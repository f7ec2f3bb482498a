// The Noise handshake against whoever is on the other side. First byte: bit 0 is our role; bit 1
// says what follows: chunks of a length byte and bytes, as they come from the network, or the
// payload that a correct peer encrypts into its message, so that the decoders behind the cipher are
// reached too.
#include <algorithm>

#include "net/wire/noise.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;
using namespace kith::wire;

namespace {

crypto::X25519Key noise_key(std::uint8_t seed) {
  NoiseKey secret;
  std::fill_n(secret.data(), secret.size(), seed);
  return crypto::X25519Key(secret);
}

crypto::Identity identity(std::uint8_t seed) {
  crypto::Wiped<crypto::kEd25519SeedBytes> bytes;
  std::fill_n(bytes.data(), bytes.size(), seed);
  return crypto::Identity::of_seed(bytes);
}

// The keys of the conversation in the corpus: A dials, B answers.
const crypto::Identity& a() {
  static const crypto::Identity made = identity(1);
  return made;
}
const crypto::Identity& b() {
  static const crypto::Identity made = identity(2);
  return made;
}
const NoiseStatic& a_static() {
  static const NoiseStatic made(a(), noise_key(0x11));
  return made;
}
const NoiseStatic& b_static() {
  static const NoiseStatic made(b(), noise_key(0x21));
  return made;
}

NoiseHandshake machine(bool dials) {
  return dials ? NoiseHandshake(NoiseRole::initiator, a_static(), noise_key(0x12), b().id())
               : NoiseHandshake(NoiseRole::responder, b_static(), noise_key(0x22), {});
}

void take_chunks(bool dials, ByteView input) {
  NoiseHandshake handshake = machine(dials);
  if (dials) FUZZ_CHECK(!handshake.start().empty());
  bool over = false;
  while (!input.empty()) {
    const std::size_t length = std::min<std::size_t>(input[0], input.size() - 1);
    auto step = handshake.on_bytes(Bytes::copy(input.subspan(1, length)));
    input = input.subspan(1 + length);
    if (over) FUZZ_CHECK(!step);
    if (!step || step->session) over = true;
    // Nobody without B's key is B for us; a dialler may be anybody, but A only with A's key, and
    // its Noise key with A's signature is all that the corpus has.
    if (step && step->session) FUZZ_CHECK(step->session->remote == (dials ? b().id() : a().id()));
  }
}

void take_payload(ByteView payload) {
  NoiseHandshake initiator = machine(true);
  NoiseXx responder(NoiseRole::responder, {}, noise_key(0x21), noise_key(0x22));
  FUZZ_CHECK(responder.read(initiator.start().slice(kNoiseLengthBytes)));
  const auto answer = responder.write(payload);
  FUZZ_CHECK(answer);
  const std::uint8_t length[] = {static_cast<std::uint8_t>(answer->size() >> 8),
                                 static_cast<std::uint8_t>(answer->size())};
  const auto front = initiator.on_bytes(Bytes::copy(length));
  FUZZ_CHECK(front.has_value() == (answer->size() <= kNoiseHandshakeMessageMax));
  if (!front) return;
  const auto step = initiator.on_bytes(*answer);
  if (step) FUZZ_CHECK(step->session && step->session->remote == b().id());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 1 || size > 60'000) return 0;
  const ByteView input(bytes + 1, size - 1);
  if ((bytes[0] & 2) != 0)
    take_payload(input);
  else
    take_chunks((bytes[0] & 1) != 0, input);
  return 0;
}
