// Laws: an address that decodes keeps its bytes; its text parses back to them; an address parsed
// from any text decodes from its bytes. Input is tried in both forms.
// Links: kith_schema_base
#include "schema/base/multiaddr.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {
void check(const kith::Multiaddr& address) {
  FUZZ_CHECK(*kith::Multiaddr::decode(address.bytes()) == address);
  FUZZ_CHECK(*kith::Multiaddr::parse(address.text()) == address);
  std::size_t values = 0;
  for (const kith::MultiaddrPart& part : address.parts()) values += part.value.size();
  FUZZ_CHECK(values < address.bytes().size());
  const auto id = address.peer_id();
  const kith::Multiaddr front = address.without_peer_id();
  FUZZ_CHECK(front.bytes().size() <= address.bytes().size());
  if (id) FUZZ_CHECK(front.with_peer_id(*id).peer_id() == id);
  (void)address.is_private();
  (void)address.is_loopback();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::ByteView bytes(data, size);
  if (const auto address = kith::Multiaddr::decode(bytes)) {
    FUZZ_CHECK(kith::equal(address->bytes(), bytes));
    check(*address);
  }
  if (const auto address = kith::Multiaddr::parse(kith::as_text(bytes))) check(*address);
  return 0;
}
