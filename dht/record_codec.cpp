#include "dht/record_codec.hpp"

#include <fmt/format.h>

#include <chrono>

namespace kith::dht {
namespace {

template <class... Kinds>
struct Overload : Kinds... {
  using Kinds::operator()...;
};
template <class... Kinds>
Overload(Kinds...) -> Overload<Kinds...>;

class Writer {
 public:
  explicit Writer(std::uint8_t first) { bytes_.push_back(first); }
  Writer() = default;
  Writer& integer(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
  Writer& time(Wall at) {
    return integer(static_cast<std::uint64_t>(at.time_since_epoch().count()), 8);
  }
  Writer& bytes(ByteView from) {
    bytes_.insert(bytes_.end(), from.begin(), from.end());
    return *this;
  }
  Writer& addrs(const std::vector<Multiaddr>& from) {
    for (std::size_t i = 0; i < from.size() && i < kStoredAddrsMax; ++i)
      integer(from[i].bytes().size(), 2).bytes(from[i].bytes());
    return *this;
  }
  Bytes take() { return Bytes::adopt(std::move(bytes_)); }

 private:
  std::vector<std::uint8_t> bytes_;
};

Error unreadable() {
  return fail(Errc::corrupt, "an entry of the DHT's store that cannot be read");
}

Result<std::uint64_t> take_integer(ByteView& rest, std::size_t bytes) {
  if (rest.size() < bytes) return unreadable();
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | rest[i];
  rest = rest.subspan(bytes);
  return value;
}

Result<Wall> take_time(ByteView& rest) {
  KITH_TRY(const std::uint64_t value, take_integer(rest, 8));
  return Wall(Duration(static_cast<std::int64_t>(value)));
}

Result<std::vector<Multiaddr>> take_addrs(ByteView rest) {
  std::vector<Multiaddr> addrs;
  while (!rest.empty()) {
    KITH_TRY(const std::uint64_t size, take_integer(rest, 2));
    if (size > rest.size() || addrs.size() == kStoredAddrsMax) return unreadable();
    KITH_TRY(Multiaddr addr, Multiaddr::decode(rest.first(static_cast<std::size_t>(size))));
    addrs.push_back(std::move(addr));
    rest = rest.subspan(static_cast<std::size_t>(size));
  }
  return addrs;
}

Result<StoredRecord> decode_provider(ByteView key, ByteView value) {
  StoredProvider read;
  KITH_TRY(const std::uint64_t size, take_integer(key, 1));
  if (size > key.size()) return unreadable();
  KITH_TRY(read.key, Multihash::decode(key.first(static_cast<std::size_t>(size))));
  KITH_TRY(read.provider, PeerId::decode(key.subspan(static_cast<std::size_t>(size))));
  KITH_TRY(read.received, take_time(value));
  KITH_TRY(read.addrs, take_addrs(value));
  return StoredRecord(std::move(read));
}

Result<StoredRecord> decode_value(ByteView key, ByteView value) {
  StoredValue read;
  read.key = Bytes::copy(key);
  KITH_TRY(read.received, take_time(value));
  KITH_TRY(read.source, take_integer(value, 8));
  read.value = Bytes::copy(value);
  return StoredRecord(std::move(read));
}

Result<StoredRecord> decode_provided(ByteView key, ByteView value) {
  StoredProvided read;
  KITH_TRY(read.key, Multihash::decode(key));
  KITH_TRY(read.told, take_time(value));
  if (!value.empty()) return unreadable();
  return StoredRecord(std::move(read));
}

Result<StoredRecord> decode_neighbour(ByteView key, ByteView value) {
  StoredNeighbour read;
  KITH_TRY(read.peer, PeerId::decode(key));
  KITH_TRY(read.seen, take_time(value));
  KITH_TRY(read.addrs, take_addrs(value));
  return StoredRecord(std::move(read));
}

}  // namespace

Bytes provider_entry_key(const Multihash& key, const PeerId& provider) {
  return Writer('p')
      .integer(key.bytes().size(), 1)
      .bytes(key.bytes())
      .bytes(provider.bytes())
      .take();
}
Bytes value_entry_key(ByteView key) { return Writer('v').bytes(key).take(); }
Bytes provided_entry_key(const Multihash& key) { return Writer('o').bytes(key.bytes()).take(); }
Bytes neighbour_entry_key(const PeerId& peer) { return Writer('n').bytes(peer.bytes()).take(); }

StoredEntry encode_stored(const StoredRecord& record) {
  return std::visit(
      Overload{
          [](const StoredProvider& it) {
            return StoredEntry{provider_entry_key(it.key, it.provider),
                               Writer().time(it.received).addrs(it.addrs).take()};
          },
          [](const StoredValue& it) {
            return StoredEntry{
                value_entry_key(it.key),
                Writer().time(it.received).integer(it.source, 8).bytes(it.value).take()};
          },
          [](const StoredProvided& it) {
            return StoredEntry{provided_entry_key(it.key), Writer().time(it.told).take()};
          },
          [](const StoredNeighbour& it) {
            return StoredEntry{neighbour_entry_key(it.peer),
                               Writer().time(it.seen).addrs(it.addrs).take()};
          },
      },
      record);
}

Result<StoredRecord> decode_stored(ByteView key, ByteView value) {
  if (key.empty()) return unreadable();
  const ByteView rest = key.subspan(1);
  switch (key[0]) {
    case 'p':
      return decode_provider(rest, value);
    case 'v':
      return decode_value(rest, value);
    case 'o':
      return decode_provided(rest, value);
    case 'n':
      return decode_neighbour(rest, value);
    default:
      return unreadable();
  }
}

std::string rfc3339(Wall time) {
  const auto since = time.time_since_epoch();
  const auto days = std::chrono::floor<std::chrono::days>(since);
  const std::chrono::year_month_day date{std::chrono::sys_days(days)};
  const std::chrono::hh_mm_ss<Duration> clock{since - days};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace kith::dht
