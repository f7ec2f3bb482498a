// The encrypted connection beside the least that the machine could do for it: bare
// ChaCha20-Poly1305 of libcrypto in place, and the sum of a handshake's Diffie-Hellman operations
// and signature checks in libsodium.
//
// CPU s/GB are for plaintext; a frame holds kNoisePlaintextMax bytes of it. Compare the lines
// "least".
#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <algorithm>

#include "net/base/check.hpp"
#include "net/crypto/sodium.hpp"
#include "net/wire/multistream.hpp"
#include "net/wire/noise.hpp"

namespace {

using namespace kith;
using namespace kith::wire;

NoiseXx::Keys keys(std::uint8_t send, std::uint8_t receive) {
  NoiseXx::Keys made;
  std::fill_n(made.send.data(), made.send.size(), send);
  std::fill_n(made.receive.data(), made.receive.size(), receive);
  return made;
}

void count_bytes(benchmark::State& state, std::size_t bytes) {
  const double gigabytes = static_cast<double>(bytes) * 1e-9;
  state.counters["CPU_s/GB"] =
      benchmark::Counter(gigabytes * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Speed of light of seal and open: one context, one buffer, nothing else.
void kernel_aead(benchmark::State& state, int encrypt) {
  std::vector<std::uint8_t> buffer(kNoisePlaintextMax);
  std::uint8_t key[32] = {}, nonce[12] = {}, tag[16] = {};
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  EVP_CipherInit_ex(context, EVP_chacha20_poly1305(), nullptr, key, nonce, encrypt);
  for (auto _ : state) {
    ++nonce[4];
    int written = 0;
    EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce, -1);
    EVP_CipherUpdate(context, buffer.data(), &written, buffer.data(),
                     static_cast<int>(buffer.size()));
    if (encrypt == 1) EVP_CipherFinal_ex(context, tag, &written);
    if (encrypt == 1) EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag);
    if (encrypt == 0) EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, tag);
    // Fails, after the same work: the kernel decrypts whatever is in the buffer.
    if (encrypt == 0) benchmark::DoNotOptimize(EVP_CipherFinal_ex(context, tag, &written));
    benchmark::ClobberMemory();
  }
  EVP_CIPHER_CTX_free(context);
  count_bytes(state, buffer.size());
}
void kernel_seal(benchmark::State& state) { kernel_aead(state, 1); }
void kernel_open(benchmark::State& state) { kernel_aead(state, 0); }

// As a multiplexer sends: a header and a body, gathered into full frames, in one new buffer.
void noise_seal(benchmark::State& state) {
  NoiseTransport transport(keys(1, 2));
  const std::size_t frames = static_cast<std::size_t>(state.range(0));
  const std::vector<std::uint8_t> header(12), body(kNoisePlaintextMax - header.size());
  std::vector<ByteView> parts;
  for (std::size_t i = 0; i < frames; ++i) {
    parts.push_back(header);
    parts.push_back(body);
  }
  for (auto _ : state) {
    auto sealed = transport.seal(parts);
    CHECK(sealed.has_value());
    benchmark::DoNotOptimize(sealed->data());
  }
  count_bytes(state, frames * kNoisePlaintextMax);
}

// As a socket reads: chunks of `range` bytes, which cut the frames anywhere.
void noise_open(benchmark::State& state) {
  constexpr std::size_t kFrames = 64;
  const std::vector<std::uint8_t> plaintext(kFrames * kNoisePlaintextMax);
  NoiseTransport sender(keys(1, 2));
  const auto sealed = sender.seal(plaintext);
  CHECK(sealed.has_value());
  const std::size_t size = static_cast<std::size_t>(state.range(0));
  std::vector<Bytes> chunks;
  for (std::size_t at = 0; at < sealed->size(); at += size)
    chunks.push_back(sealed->slice(at, size));
  for (auto _ : state) {
    NoiseTransport receiver(keys(2, 1));
    for (const Bytes& chunk : chunks) {
      auto opened = receiver.open(chunk);
      CHECK(opened.has_value());
      benchmark::DoNotOptimize(opened->data());
    }
  }
  count_bytes(state, plaintext.size());
}

void noise_small_message(benchmark::State& state) {
  NoiseTransport sender(keys(1, 2)), receiver(keys(2, 1));
  const std::vector<std::uint8_t> message(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const auto sealed = sender.seal(message);
    auto opened = receiver.open(*sealed);
    CHECK(opened.has_value());
    benchmark::DoNotOptimize(opened->data());
  }
  count_bytes(state, message.size());
}

struct Node {
  explicit Node(std::uint64_t seed)
      : rng(seed), identity(crypto::Identity::make(rng)), noise_static(identity, rng) {}
  Rng rng;
  crypto::Identity identity;
  NoiseStatic noise_static;
};

// Both sides of one connection, from nothing to the two ciphers.
void noise_handshake_pair(benchmark::State& state) {
  Node one(1), other(2);
  for (auto _ : state) {
    NoiseHandshake dialler(NoiseRole::initiator, one.noise_static, one.rng, other.identity.id());
    NoiseHandshake listener(NoiseRole::responder, other.noise_static, other.rng);
    const auto second = listener.on_bytes(dialler.start());
    const auto third = dialler.on_bytes(second->write);
    const auto last = listener.on_bytes(third->write);
    CHECK(third->session && last->session);
  }
}

// The sum that a pair cannot go below: for each side one fixed-base and three other
// multiplications, and one signature check.
void kernel_handshake_pair(benchmark::State& state) {
  crypto::require_sodium();
  Node one(1);
  const auto signature = one.identity.sign(as_bytes("56 bytes, as many as a prefix and a key"));
  std::uint8_t secret[32] = {1}, point[32] = {}, shared[32] = {};
  crypto_scalarmult_base(point, secret);
  const ByteView key = one.identity.public_key().encoded().view().last(32);
  for (auto _ : state)
    for (int side = 0; side < 2; ++side) {
      CHECK(crypto_scalarmult_base(shared, secret) == 0);
      for (int i = 0; i < 3; ++i) CHECK(crypto_scalarmult(shared, secret, point) == 0);
      benchmark::DoNotOptimize(
          crypto_sign_verify_detached(signature.data(), key.data(), key.size(), key.data()));
      benchmark::ClobberMemory();
    }
}

void x25519_base(benchmark::State& state) {
  Rng rng(1);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::X25519Key::make(rng));
}
void x25519_agree(benchmark::State& state) {
  Rng rng(1);
  const auto own = crypto::X25519Key::make(rng);
  const auto other = crypto::X25519Key::make(rng);
  for (auto _ : state) benchmark::DoNotOptimize(own.agree(other.public_key()));
}
void ed25519_sign(benchmark::State& state) {
  const Node node(1);
  const std::vector<std::uint8_t> message(200);
  for (auto _ : state) benchmark::DoNotOptimize(node.identity.sign(message));
}
void ed25519_verify(benchmark::State& state) {
  const Node node(1);
  const std::vector<std::uint8_t> message(200);
  const auto signature = node.identity.sign(message);
  for (auto _ : state) CHECK(node.identity.public_key().verify(message, signature));
}

// One stream: lazy dialler and listener with twenty protocols.
void multistream_pair(benchmark::State& state) {
  const std::vector<std::string> proposal{"/kith/home-1a2b3c4d/kad/1.0.0"};
  std::vector<std::string> served;
  for (int i = 0; i < 19; ++i) served.push_back("/some/other/protocol/" + std::to_string(i));
  served.push_back(proposal.front());
  const std::vector<std::uint8_t> message(100);
  for (auto _ : state) {
    MultistreamDialer dialer(proposal);
    MultistreamListener listener;
    const auto there = listener.on_bytes(dialer.start(message), served);
    const auto back = dialer.on_bytes(there->write);
    CHECK(there->agreed && back->agreed);
  }
}

// Noise of the machine only adds: the least of many short repetitions is what the code costs.
void slices(benchmark::internal::Benchmark* bench) {
  bench->MinTime(0.04)->Repetitions(15)->ReportAggregatesOnly(true)->ComputeStatistics(
      "least",
      [](const std::vector<double>& seen) { return *std::min_element(seen.begin(), seen.end()); });
}
void slices_in_us(benchmark::internal::Benchmark* bench) {
  slices(bench->Unit(benchmark::kMicrosecond));
}

BENCHMARK(kernel_seal)->Apply(slices);
BENCHMARK(noise_seal)->Arg(1)->Arg(4)->Apply(slices);
BENCHMARK(kernel_open)->Apply(slices);
BENCHMARK(noise_open)->Arg(64 << 10)->Arg(256 << 10)->Apply(slices);
BENCHMARK(noise_small_message)->Arg(64)->Arg(1024)->Apply(slices);
BENCHMARK(kernel_handshake_pair)->Apply(slices_in_us);
BENCHMARK(noise_handshake_pair)->Apply(slices_in_us);
BENCHMARK(x25519_base)->Apply(slices_in_us);
BENCHMARK(x25519_agree)->Apply(slices_in_us);
BENCHMARK(ed25519_sign)->Apply(slices_in_us);
BENCHMARK(ed25519_verify)->Apply(slices_in_us);
BENCHMARK(multistream_pair)->Apply(slices);

}  // namespace

// Rivals take turns, so that a busy machine meets all of them.
int main(int count, char** arguments) {
  std::vector<char*> all(arguments, arguments + count);
  std::string interleaved = "--benchmark_enable_random_interleaving=true";
  all.insert(all.begin() + 1, interleaved.data());
  count = static_cast<int>(all.size());
  benchmark::Initialize(&count, all.data());
  if (benchmark::ReportUnrecognizedArguments(count, all.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
