// What the DHT keeps in the store, family "dht": one entry for each record held for others, each
// key that we provide and each peer worth going back to. Keys begin with a letter; integers are
// little-endian; the time in front of a value is nanoseconds of Wall.
//
//   'p' len(1) multihash provider   ->  time  { len(2) packed multiaddr }*     provider record held
//   'v' key                         ->  time  source(8)  value                  value record held
//   'o' multihash                   ->  time                                    provided by us,
//   told then 'n' peer                        ->  time  { len(2) packed multiaddr }*     of our
//   routing table
//
// What cannot be read (a torn or foreign entry) is dropped with an error, never trusted.
#pragma once

#include <variant>
#include <vector>

#include "net/base/time.hpp"
#include "schema/base/multiaddr.hpp"
#include "schema/base/multihash.hpp"

namespace kith::dht {

inline constexpr std::size_t kStoredAddrsMax = 8;  // of a provider or a neighbour

struct StoredProvider {
  Multihash key;
  PeerId provider;
  Wall received{};
  std::vector<Multiaddr> addrs;
};
struct StoredValue {
  Bytes key;
  Wall received{};
  std::uint64_t source = 0;
  Bytes value;
};
struct StoredProvided {
  Multihash key;
  Wall told{};  // Wall{}: nobody yet
};
struct StoredNeighbour {
  PeerId peer;
  Wall seen{};
  std::vector<Multiaddr> addrs;
};
using StoredRecord = std::variant<StoredProvider, StoredValue, StoredProvided, StoredNeighbour>;

struct StoredEntry {
  Bytes key;
  Bytes value;
};

Bytes provider_entry_key(const Multihash& key, const PeerId& provider);
Bytes value_entry_key(ByteView key);
Bytes provided_entry_key(const Multihash& key);
Bytes neighbour_entry_key(const PeerId& peer);

StoredEntry encode_stored(const StoredRecord& record);
Result<StoredRecord> decode_stored(ByteView key, ByteView value);

// "2026-11-20T12:00:00.000000000Z": the time of a value record on the wire.
std::string rfc3339(Wall time);

}  // namespace kith::dht
