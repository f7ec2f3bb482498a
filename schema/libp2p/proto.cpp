#include "schema/libp2p/proto.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

namespace kith::libp2p {
namespace {

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };
constexpr std::uint64_t kUint32Max = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kUint32VarintMax = 5;  // bytes, also when the encoding is not minimal

// protozero throws on a varint that ends early or is too long; the exception ends here.
detail::Step take_varint(ByteView& rest, std::uint64_t& value) {
  const char* at = reinterpret_cast<const char*>(rest.data());
  const char* const start = at;
  try {
    value = protozero::decode_varint(&at, start + rest.size());
  } catch (const protozero::end_of_buffer_exception&) {
    return detail::Step::truncated;
  } catch (const protozero::exception&) {
    return detail::Step::malformed;
  }
  rest = rest.subspan(static_cast<std::size_t>(at - start));
  return detail::Step::field;
}

detail::Step take_uint32(ByteView& rest, std::uint64_t& value) {
  const std::size_t before = rest.size();
  const detail::Step step = take_varint(rest, value);
  if (step != detail::Step::field) return step;
  if (value > kUint32Max || before - rest.size() > kUint32VarintMax) return detail::Step::malformed;
  return step;
}

detail::Step take_fixed(ByteView& rest, std::size_t size, std::uint64_t& value) {
  if (rest.size() < size) return detail::Step::truncated;
  value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | rest[i];
  rest = rest.subspan(size);
  return detail::Step::field;
}

detail::Step take_bytes(ByteView& rest, ByteView& value) {
  std::uint64_t length = 0;
  const detail::Step step = take_uint32(rest, length);
  if (step != detail::Step::field) return step;
  if (length > rest.size()) return detail::Step::truncated;
  value = rest.first(static_cast<std::size_t>(length));
  rest = rest.subspan(value.size());
  return step;
}

std::uint64_t length_head(std::uint32_t number, std::size_t length) {
  return static_cast<std::uint64_t>(protozero::length_of_varint(bytes_key(number))) +
         static_cast<std::uint64_t>(protozero::length_of_varint(length));
}

std::size_t packed_size(std::span<const std::uint64_t> values) {
  std::size_t size = 0;
  for (const std::uint64_t value : values)
    size += static_cast<std::size_t>(protozero::length_of_varint(value));
  return size;
}

}  // namespace

namespace detail {

Step take_field(ByteView& rest, Field& field) {
  if (rest.empty()) return Step::end;
  std::uint64_t key = 0;
  if (const Step step = take_uint32(rest, key); step != Step::field) return step;
  if (key >> 3 == 0) return Step::malformed;
  field.key = static_cast<std::uint32_t>(key);
  switch (field.key & 7) {
    case kVarint:
      return take_varint(rest, field.number);
    case kFixed64:
      return take_fixed(rest, 8, field.number);
    case kLength:
      return take_bytes(rest, field.bytes);
    case kFixed32:
      return take_fixed(rest, 4, field.number);
    default:
      return Step::malformed;
  }
}

Error step_error(Step step) {
  if (step == Step::truncated) return fail(Errc::truncated, "the message ends within a field");
  return fail(Errc::malformed, "not a protobuf message");
}

void encode_mismatch() {
  std::fputs("encode: the two passes of a message differ\n", stderr);
  std::abort();
}

}  // namespace detail

Result<void> check_repeats(ByteView message, std::initializer_list<RepeatLimit> limits) {
  if (limits.size() > kRepeatLimitsMax) detail::encode_mismatch();
  std::array<std::size_t, kRepeatLimitsMax> counts{};
  return read_message(message, [&](const Field& field) -> Result<void> {
    std::size_t at = 0;
    for (const RepeatLimit& limit : limits) {
      if (limit.key == field.key && ++counts[at] > limit.max)
        return fail(Errc::oversized, "field " + std::to_string(field.key >> 3) +
                                         " occurs more than " + std::to_string(limit.max) +
                                         " times");
      ++at;
    }
    return {};
  });
}

Result<std::size_t> count_field(ByteView message, std::uint32_t key) {
  std::size_t count = 0;
  KITH_TRY_VOID(read_message(message, [&](const Field& field) { count += field.key == key; }));
  return count;
}

void SizePass::head(std::uint32_t number, std::size_t length) {
  size_ += length_head(number, length);
}

void SizePass::varint(std::uint32_t number, std::uint64_t value) {
  size_ += static_cast<std::size_t>(protozero::length_of_varint(varint_key(number)) +
                                    protozero::length_of_varint(value));
}

void SizePass::fixed64(std::uint32_t number, std::uint64_t) {
  size_ += static_cast<std::size_t>(protozero::length_of_varint(fixed64_key(number))) + 8;
}

void SizePass::fixed32(std::uint32_t number, std::uint32_t) {
  size_ += static_cast<std::size_t>(protozero::length_of_varint(fixed32_key(number))) + 4;
}

void SizePass::bytes(std::uint32_t number, ByteView value) {
  head(number, value.size());
  size_ += value.size();
}

void SizePass::packed(std::uint32_t number, std::span<const std::uint64_t> values) {
  const std::size_t size = packed_size(values);
  head(number, size);
  size_ += size;
}

void WritePass::reserve(std::size_t size) const {
  if (static_cast<std::size_t>(end_ - at_) < size) detail::encode_mismatch();
}

void WritePass::put_varint(std::uint64_t value) {
  reserve(static_cast<std::size_t>(protozero::length_of_varint(value)));
  at_ += protozero::add_varint_to_buffer(reinterpret_cast<char*>(at_), value);
}

void WritePass::head(std::uint32_t number, std::size_t length) {
  put_varint(bytes_key(number));
  put_varint(length);
}

void WritePass::varint(std::uint32_t number, std::uint64_t value) {
  put_varint(varint_key(number));
  put_varint(value);
}

void WritePass::fixed64(std::uint32_t number, std::uint64_t value) {
  put_varint(fixed64_key(number));
  reserve(8);
  for (int i = 0; i < 8; ++i) *at_++ = static_cast<std::uint8_t>(value >> (8 * i));
}

void WritePass::fixed32(std::uint32_t number, std::uint32_t value) {
  put_varint(fixed32_key(number));
  reserve(4);
  for (int i = 0; i < 4; ++i) *at_++ = static_cast<std::uint8_t>(value >> (8 * i));
}

void WritePass::raw(ByteView fields) {
  reserve(fields.size());
  at_ = std::copy(fields.begin(), fields.end(), at_);
}

void WritePass::bytes(std::uint32_t number, ByteView value) {
  head(number, value.size());
  raw(value);
}

void WritePass::packed(std::uint32_t number, std::span<const std::uint64_t> values) {
  head(number, packed_size(values));
  for (const std::uint64_t value : values) put_varint(value);
}

}  // namespace kith::libp2p
