#include "schema/kith/bit_runs.hpp"

#include "schema/base/varint.hpp"

namespace kith::schema {
namespace {
constexpr std::uint8_t kPlain = 0;
constexpr std::uint8_t kRuns = 1;
}  // namespace

std::vector<std::uint8_t> pack_bits(const std::vector<std::uint8_t>& bitmap, std::uint32_t bits) {
  std::vector<std::uint8_t> runs{kRuns};
  bool value = false;
  std::uint32_t start = 0;
  for (std::uint32_t at = 0; at < bits && runs.size() <= bitmap.size(); ++at) {
    if (bit_at(bitmap, at) == value) continue;
    append_varint(runs, at - start);
    start = at;
    value = !value;
  }
  if (value) append_varint(runs, bits - start);
  if (runs.size() <= bitmap.size()) return runs;
  std::vector<std::uint8_t> plain{kPlain};
  plain.insert(plain.end(), bitmap.begin(), bitmap.end());
  return plain;
}

namespace {

Result<std::vector<std::uint8_t>> unpack_plain(ByteView bytes, std::uint32_t bits) {
  if (bytes.size() != bitmap_bytes(bits)) return fail(Errc::malformed, "bitmap of another length");
  const std::uint32_t used = bits % 8;
  if (used != 0 && bytes.back() >> used != 0)
    return fail(Errc::malformed, "bitmap with bits beyond its end");
  return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
}

Result<std::vector<std::uint8_t>> unpack_runs(ByteView bytes, std::uint32_t bits) {
  std::vector<std::uint8_t> bitmap(bitmap_bytes(bits), 0);
  bool value = false;
  std::uint32_t at = 0;
  while (!bytes.empty()) {
    const VarintRead run = read_varint(bytes);
    if (run.state != VarintRead::State::complete || run.value > bits - at)
      return fail(Errc::malformed, "runs that do not fit their bitmap");
    const auto end = at + static_cast<std::uint32_t>(run.value);
    if (value)
      for (std::uint32_t bit = at; bit < end; ++bit) set_bit(bitmap, bit);
    at = end;
    value = !value;
    bytes = bytes.subspan(run.length);
  }
  return bitmap;
}

}  // namespace

Result<std::vector<std::uint8_t>> unpack_bits(ByteView packed, std::uint32_t bits) {
  if (packed.empty()) return fail(Errc::malformed, "bitmap of another form");
  const ByteView rest = packed.subspan(1);
  if (packed[0] == kPlain) return unpack_plain(rest, bits);
  if (packed[0] == kRuns) return unpack_runs(rest, bits);
  return fail(Errc::malformed, "bitmap of another form");
}

}  // namespace kith::schema
