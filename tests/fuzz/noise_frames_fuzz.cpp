// The encrypted connection: a sender's frames and an attacker's bytes, in arbitrary cuts. The input
// is a list of operations: one byte of kind, one of length, that many bytes. Kind 0 puts the bytes
// on the wire as they are, 1 seals them first (times 300 for kinds 3 and up, so that frames fill),
// 2 delivers as many bytes as the length says.
#include <algorithm>

#include "net/wire/noise_transport.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;
using namespace kith::wire;

namespace {

NoiseXx::Keys keys(std::uint8_t send, std::uint8_t receive) {
  NoiseXx::Keys made;
  std::fill_n(made.send.data(), made.send.size(), send);
  std::fill_n(made.receive.data(), made.receive.size(), receive);
  return made;
}

class Run {
 public:
  void inject(ByteView bytes) {
    forged_ = forged_ || !bytes.empty();
    wire_.insert(wire_.end(), bytes.begin(), bytes.end());
  }
  void send(ByteView bytes, std::size_t times) {
    const std::vector<ByteView> parts(times, bytes);
    const auto sealed = sender_.seal(parts);
    FUZZ_CHECK(sealed);
    FUZZ_CHECK(sealed->size() == NoiseTransport::sealed_size(bytes.size() * times));
    wire_.insert(wire_.end(), sealed->begin(), sealed->end());
    if (forged_) return;
    for (const ByteView part : parts) sent_.insert(sent_.end(), part.begin(), part.end());
  }
  void deliver(std::size_t size) {
    size = std::min(size, wire_.size() - at_);
    const auto opened = receiver_.open(Bytes::copy(ByteView(wire_).subspan(at_, size)));
    at_ += size;
    FUZZ_CHECK(receiver_.held_bytes() < kNoiseFrameMax);
    if (failed_) FUZZ_CHECK(!opened);
    if (!forged_) FUZZ_CHECK(opened);
    failed_ = !opened;
    if (failed_) return;
    // What comes out is what was sent before the first forged byte, and nothing else.
    FUZZ_CHECK(received_ + opened->size() <= sent_.size());
    FUZZ_CHECK(equal(*opened, ByteView(sent_).subspan(received_, opened->size())));
    received_ += opened->size();
  }
  void finish() {
    deliver(SIZE_MAX);
    if (!forged_) FUZZ_CHECK(received_ == sent_.size() && receiver_.held_bytes() == 0);
  }

 private:
  NoiseTransport sender_{keys(1, 2)}, receiver_{keys(2, 1)};
  std::vector<std::uint8_t> wire_, sent_;
  std::size_t at_ = 0, received_ = 0;
  bool forged_ = false, failed_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Run run;
  ByteView input(bytes, std::min<std::size_t>(size, 2000));
  while (input.size() >= 2) {
    const std::uint8_t kind = input[0];
    const std::size_t length = input[1];
    const ByteView content = input.subspan(2, std::min(length, input.size() - 2));
    if (kind == 2) {
      run.deliver(length * length);
      input = input.subspan(2);
      continue;
    }
    if (kind == 0) run.inject(content);
    if (kind == 1) run.send(content, 1);
    if (kind > 2) run.send(content, 300);
    input = input.subspan(2 + content.size());
  }
  run.finish();
  return 0;
}
