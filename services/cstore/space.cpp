#include "services/cstore/space.hpp"

namespace kith::cstore {
namespace {

constexpr std::size_t kNumberBytes = 8;

void append(std::vector<std::uint8_t>& to, ByteView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append(std::vector<std::uint8_t>& to, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8)
    to.push_back(static_cast<std::uint8_t>(number >> shift));
}

std::uint64_t number_at(ByteView bytes, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kNumberBytes; ++i) number = number << 8 | bytes[at + i];
  return number;
}

Bytes with_end(std::string_view space, std::uint8_t end) {
  std::vector<std::uint8_t> key;
  append(key, as_bytes(space));
  key.push_back(end);
  return Bytes::adopt(std::move(key));
}

}  // namespace

Bytes log_key(std::string_view space, const Writer& writer, std::uint64_t sequence) {
  std::vector<std::uint8_t> key;
  append(key, as_bytes(space));
  key.push_back(0);
  key.push_back(static_cast<std::uint8_t>(writer.id.bytes().size()));
  append(key, writer.id.bytes());
  append(key, writer.started);
  append(key, writer.nonce);
  append(key, sequence);
  return Bytes::adopt(std::move(key));
}

std::pair<Bytes, Bytes> log_range(std::string_view space) {
  return {with_end(space, 0), with_end(space, 1)};
}

std::string_view space_of_log_key(ByteView key) {
  const std::string_view text = as_text(key);
  return text.substr(0, text.find('\0'));
}

std::optional<LogPlace> place_of_log_key(ByteView key) {
  const std::size_t id = space_of_log_key(key).size() + 2;  // behind the name's end, and a length
  if (key.size() < id || key.size() != id + key[id - 1] + 3 * kNumberBytes) return std::nullopt;
  auto writer = PeerId::decode(key.subspan(id, key[id - 1]));
  if (!writer) return std::nullopt;
  const std::size_t numbers = id + key[id - 1];
  return LogPlace{
      {std::move(*writer), number_at(key, numbers), number_at(key, numbers + kNumberBytes)},
      number_at(key, numbers + 2 * kNumberBytes)};
}

}  // namespace kith::cstore
