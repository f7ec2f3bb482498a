// Protobuf at the edge: a bounded reader and a writer that every decoder of the libp2p wire uses.
//
// Reading. read_message walks the fields of one message and hands each to a callback, which
// switches on its key; what it has no case for is skipped. A known number with another wire type
// has another key, so it is skipped too, as protoc does. Nothing is allocated and nothing is
// thrown:
//
//   Ping ping;
//   KITH_TRY_VOID(read_message(bytes, [&](const Field& field) {
//     switch (field.key) {
//       case varint_key(1): ping.number = field.number; break;
//       case bytes_key(2): ping.body = slice_of(bytes, field.bytes); break;   // no copy
//     }
//   }));
//
// The callback returns nothing, or a Result<void> whose failure ends the walk. A field of a nested
// message is read by another read_message over field.bytes; slice_of still takes the outermost
// Bytes. A repeated field that is about to be stored is counted on the raw bytes first:
// check_repeats(bytes, {{bytes_key(2), kBodiesMax}}).
//
// Accepted is what protoc accepts, but for groups (wire types 3 and 4, which nobody on this wire
// sends), field numbers and lengths that need more than 32 bits, and nothing else.
//
// Writing. encode runs its callback twice over the same fields, once to add up sizes and once to
// write into a buffer of exactly that size; so the callback must do the same both times:
//
//   return encode([&](auto& to) {
//     to.varint(1, ping.number);
//     to.bytes(2, ping.body);
//     to.message(3, [&](auto& inner) { inner.text(1, "x"); });
//   });
//
// Attacker: whoever sends the bytes. The cost of a walk is linear in its length; the caller bounds
// that length (a framing's maximum) before it calls.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <protozero/exception.hpp>
#include <protozero/varint.hpp>
#include <span>
#include <string_view>
#include <type_traits>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::libp2p {

// Keys: field number and wire type as they stand on the wire; the labels of a decoder's switch.
constexpr std::uint32_t varint_key(std::uint32_t number) { return number << 3; }
constexpr std::uint32_t fixed64_key(std::uint32_t number) { return number << 3 | 1; }
constexpr std::uint32_t bytes_key(std::uint32_t number) { return number << 3 | 2; }
constexpr std::uint32_t fixed32_key(std::uint32_t number) { return number << 3 | 5; }

struct Field {
  std::uint32_t key = 0;
  std::uint64_t number = 0;  // value of a varint, fixed64 or fixed32 field
  ByteView bytes;            // value of a length-delimited field; points into the message

  bool flag() const { return number != 0; }
  // Enums and int32 are sign-extended to 64 bits on the wire; protoc keeps the low 32.
  std::int32_t int32() const { return static_cast<std::int32_t>(number); }
  std::uint32_t uint32() const { return static_cast<std::uint32_t>(number); }
  std::string_view text() const { return as_text(bytes); }
};

namespace detail {
enum class Step : std::uint8_t { field, end, malformed, truncated };
// Takes one field from the front of `rest`.
Step take_field(ByteView& rest, Field& field);
Error step_error(Step step);
}  // namespace detail

// Calls each_field(const Field&) for every field in order. Errors: malformed, truncated, or the
// callback's own.
template <class EachField>
Result<void> read_message(ByteView message, EachField&& each_field) {
  for (;;) {
    Field field;
    const detail::Step step = detail::take_field(message, field);
    if (step == detail::Step::end) return {};
    if (step != detail::Step::field) return detail::step_error(step);
    if constexpr (std::is_void_v<std::invoke_result_t<EachField&, const Field&>>) {
      each_field(field);
    } else {
      KITH_TRY_VOID(each_field(field));
    }
  }
}

// A part of `message` (a field's bytes, at any depth) as a slice that shares its buffer. Copy it
// (Bytes::copy) when it outlives the message by long: it keeps the whole buffer alive.
inline Bytes slice_of(const Bytes& message, ByteView part) {
  if (part.empty()) return {};
  return message.slice(static_cast<std::size_t>(part.data() - message.data()), part.size());
}

struct RepeatLimit {
  std::uint32_t key = 0;
  std::size_t max = 0;
};
inline constexpr std::size_t kRepeatLimitsMax = 8;  // keys counted in one walk

// Counts on the raw bytes, before anything is stored. Errors: oversized when a key occurs more
// often than its maximum; malformed, truncated.
Result<void> check_repeats(ByteView message, std::initializer_list<RepeatLimit> limits);
// How often `key` occurs at the top level of `message`.
Result<std::size_t> count_field(ByteView message, std::uint32_t key);

// The two passes of encode. Both have the same members; fields are written as they are called,
// also when they hold the default value: leaving out is the caller's decision.
class SizePass {
 public:
  std::size_t size() const { return size_; }
  void varint(std::uint32_t number, std::uint64_t value);
  void flag(std::uint32_t number, bool value) { varint(number, value ? 1 : 0); }
  void int32(std::uint32_t number, std::int32_t value) {
    varint(number, static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
  }
  void fixed64(std::uint32_t number, std::uint64_t value);
  void fixed32(std::uint32_t number, std::uint32_t value);
  void bytes(std::uint32_t number, ByteView value);
  void text(std::uint32_t number, std::string_view value) { bytes(number, as_bytes(value)); }
  void packed(std::uint32_t number, std::span<const std::uint64_t> values);
  // Fields that were encoded before, appended as they are.
  void raw(ByteView fields) { size_ += fields.size(); }
  template <class Fields>
  void message(std::uint32_t number, Fields&& fields) {
    SizePass inner;
    fields(inner);
    head(number, inner.size());
    size_ += inner.size();
  }

 private:
  void head(std::uint32_t number, std::size_t length);
  std::size_t size_ = 0;
};

class WritePass {
 public:
  explicit WritePass(std::span<std::uint8_t> to) : at_(to.data()), end_(to.data() + to.size()) {}
  bool full() const { return at_ == end_; }
  void varint(std::uint32_t number, std::uint64_t value);
  void flag(std::uint32_t number, bool value) { varint(number, value ? 1 : 0); }
  void int32(std::uint32_t number, std::int32_t value) {
    varint(number, static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
  }
  void fixed64(std::uint32_t number, std::uint64_t value);
  void fixed32(std::uint32_t number, std::uint32_t value);
  void bytes(std::uint32_t number, ByteView value);
  void text(std::uint32_t number, std::string_view value) { bytes(number, as_bytes(value)); }
  void packed(std::uint32_t number, std::span<const std::uint64_t> values);
  void raw(ByteView fields);
  // Measures `fields` again for the length in front: once more for each level of nesting, which on
  // this wire is at most three.
  template <class Fields>
  void message(std::uint32_t number, Fields&& fields) {
    SizePass inner;
    fields(inner);
    head(number, inner.size());
    fields(*this);
  }

 private:
  void head(std::uint32_t number, std::size_t length);
  void reserve(std::size_t size) const;  // aborts: the callback wrote more than it measured
  void put_varint(std::uint64_t value);

  std::uint8_t* at_;
  std::uint8_t* end_;
};

namespace detail {
[[noreturn]] void encode_mismatch();
}

template <class Fields>
std::size_t encoded_size(Fields&& fields) {
  SizePass measure;
  fields(measure);
  return measure.size();
}

template <class Fields>
Bytes encode(Fields&& fields) {
  return Bytes::make(encoded_size(fields), [&](std::span<std::uint8_t> to) {
    WritePass write(to);
    fields(write);
    if (!write.full()) detail::encode_mismatch();
  });
}

}  // namespace kith::libp2p
