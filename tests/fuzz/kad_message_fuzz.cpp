// Law: on any bytes our decoder of Kademlia messages and protoc's agree (oracle.hpp says how far).
// Links: kith_schema_libp2p kith_libp2p_oracle
#include "tests/fuzz/fuzz.hpp"
#include "tests/schema/libp2p/kad_oracle.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FUZZ_CHECK(kith::libp2p::oracle::agrees<kith::libp2p::oracle::KadMessages>({data, size}));
  return 0;
}
