// Signed envelopes and the peer records in them: whatever opens is bounded and about its signer.
#include "net/crypto/envelope.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const Bytes input = Bytes::copy(ByteView(bytes, size));
  const auto envelope = crypto::open_envelope(input, crypto::kPeerRecordEnvelope);
  if (envelope) {
    FUZZ_CHECK(size <= crypto::kEnvelopeBytesMax);
    FUZZ_CHECK(envelope->payload.size() < size);
    FUZZ_CHECK(envelope->signer.peer_id() == PeerId::of_public_key(envelope->signer.encoded()));
  }
  const auto record = crypto::open_peer_record(input);
  if (record) {
    FUZZ_CHECK(envelope && record->id == envelope->signer.peer_id());
    FUZZ_CHECK(record->addrs.size() <= crypto::kRecordAddrsMax);
    for (const Multiaddr& addr : record->addrs) FUZZ_CHECK(!addr.peer_id());
  }
  // The payload decoder by itself, which no mutated signature lets through: sign what comes.
  static const crypto::Identity signer = [] {
    Rng rng(1);
    return crypto::Identity::make(rng);
  }();
  if (size > 4096) return 0;
  const auto own =
      crypto::open_peer_record(crypto::seal_envelope(signer, crypto::kPeerRecordEnvelope, input));
  if (own) FUZZ_CHECK(own->id == signer.id());
  return 0;
}
