// MessageAssembler: cuts one stream of bytes into messages, each with its uvarint length in front.
//
// Rules
// * feed() a chunk, then next() until `more`. A message that lies whole in the chunk is a slice of
//   it; one that spans chunks is gathered in a buffer of its own, which ends with exactly the
//   message's size.
// * Nothing is allocated for a claimed length beyond kClaimTrusted: larger buffers double as bytes
//   arrive. What is held is charged to the node-wide budget until the message is handed out.
// * A length above the maximum, or one that is not a minimal uvarint, fails before a byte of the
//   message is taken; a failed assembler stays failed.
// * Messages are handed out one at a time: a chunk of empty messages costs one chunk, not one
// queued
//   event each.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::host {

// How many bytes all streams of a node may hold unfinished.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  bool take(std::size_t bytes) {
    if (bytes > bytes_max_ - used_) return false;
    used_ += bytes;
    return true;
  }
  void give(std::size_t bytes) { used_ -= bytes; }
  std::size_t used() const { return used_; }

 private:
  std::size_t bytes_max_;
  std::size_t used_ = 0;
};

class MessageAssembler {
 public:
  static constexpr std::size_t kClaimTrusted = 64u << 10;

  MessageAssembler(std::size_t message_max, ByteBudget& budget)
      : message_max_(message_max), budget_(&budget) {}
  MessageAssembler(MessageAssembler&& other) noexcept;
  MessageAssembler& operator=(MessageAssembler&&) = delete;
  ~MessageAssembler() { drop(); }

  enum class Step : std::uint8_t { message, more, failed };
  void feed(Bytes chunk);  // after next() said `more`, or first
  Step next(Bytes& message);
  const Error& error() const { return error_; }
  // True between messages: the end of the stream here loses nothing.
  bool at_boundary() const { return chunk_.empty() && header_size_ == 0 && !has_length_; }
  std::size_t held() const { return charged_; }

 private:
  Step fail_with(Error error);
  Step read_length();
  Step gather(Bytes& message);
  bool reserve(std::size_t size);
  void drop();

  std::size_t message_max_;
  ByteBudget* budget_;
  Bytes chunk_;
  std::array<std::uint8_t, 9> header_{};  // a length that was cut
  std::size_t header_size_ = 0;
  std::size_t length_ = 0;  // of the message under way
  bool has_length_ = false;
  bool gathering_ = false;
  bool failed_ = false;
  std::vector<std::uint8_t> partial_;
  std::size_t charged_ = 0;
  Error error_;
};

// A message with its length in front, as one buffer.
Bytes frame_message(ByteView message);

}  // namespace kith::host
