#include "net/host/message_assembler.hpp"

#include <algorithm>
#include <string>

#include "net/base/check.hpp"
#include "schema/base/varint.hpp"

namespace kith::host {

MessageAssembler::MessageAssembler(MessageAssembler&& other) noexcept
    : message_max_(other.message_max_),
      budget_(other.budget_),
      chunk_(std::move(other.chunk_)),
      header_(other.header_),
      header_size_(other.header_size_),
      length_(other.length_),
      has_length_(other.has_length_),
      gathering_(other.gathering_),
      failed_(other.failed_),
      partial_(std::move(other.partial_)),
      charged_(std::exchange(other.charged_, 0)),
      error_(std::move(other.error_)) {}

void MessageAssembler::drop() {
  budget_->give(std::exchange(charged_, 0));
  partial_ = {};
  gathering_ = false;
}

void MessageAssembler::feed(Bytes chunk) {
  CHECK(chunk_.empty());
  chunk_ = std::move(chunk);
}

MessageAssembler::Step MessageAssembler::fail_with(Error error) {
  failed_ = true;
  error_ = std::move(error);
  chunk_ = {};
  drop();
  return Step::failed;
}

// `message` stands for "the length is known now".
MessageAssembler::Step MessageAssembler::read_length() {
  // The usual case reads from the chunk; a cut length continues byte by byte.
  VarintRead read;
  if (header_size_ == 0) {
    read = read_varint(chunk_);
    if (read.state == VarintRead::State::complete) {
      chunk_ = std::move(chunk_).slice(read.length);
    } else if (read.state == VarintRead::State::more) {
      header_size_ = chunk_.size();
      std::copy(chunk_.begin(), chunk_.end(), header_.begin());
      chunk_ = {};
    }
  } else {
    do {
      header_[header_size_++] = chunk_[0];
      chunk_ = std::move(chunk_).slice(1);
      read = read_varint(ByteView(header_).first(header_size_));
    } while (read.state == VarintRead::State::more && !chunk_.empty());
  }
  if (read.state == VarintRead::State::more) return Step::more;
  header_size_ = 0;
  if (read.state == VarintRead::State::malformed)
    return fail_with(fail(Errc::malformed, "message length is not a minimal uvarint"));
  if (read.value > message_max_)
    return fail_with(fail(Errc::oversized, "message is longer than its protocol allows",
                          std::to_string(read.value) + " > " + std::to_string(message_max_)));
  length_ = static_cast<std::size_t>(read.value);
  has_length_ = true;
  return Step::message;
}

bool MessageAssembler::reserve(std::size_t size) {
  if (size <= partial_.capacity()) return true;
  std::size_t room = std::max(partial_.capacity() * 2, kClaimTrusted);
  while (room < size) room *= 2;
  room = std::min(room, length_);
  if (!budget_->take(room - charged_)) return false;
  charged_ = room;
  partial_.reserve(room);
  return true;
}

MessageAssembler::Step MessageAssembler::gather(Bytes& message) {
  const std::size_t take = std::min(length_ - partial_.size(), chunk_.size());
  gathering_ = true;
  if (!reserve(partial_.size() + take))
    return fail_with(fail(Errc::exhausted, "no room left for unfinished messages"));
  partial_.insert(partial_.end(), chunk_.begin(), chunk_.begin() + take);
  chunk_ = std::move(chunk_).slice(take);
  if (partial_.size() < length_) return Step::more;
  message = Bytes::adopt(std::move(partial_));
  has_length_ = false;
  drop();
  return Step::message;
}

MessageAssembler::Step MessageAssembler::next(Bytes& message) {
  if (failed_) return Step::failed;
  if (!has_length_) {
    if (chunk_.empty()) return Step::more;
    const Step step = read_length();
    if (step != Step::message) return step;
  }
  if (gathering_ || chunk_.size() < length_) {
    if (chunk_.empty() && length_ > 0) return Step::more;
    return gather(message);
  }
  message = chunk_.slice(0, length_);
  chunk_ = std::move(chunk_).slice(length_);
  has_length_ = false;
  return Step::message;
}

Bytes frame_message(ByteView message) {
  const std::size_t head = varint_size(message.size());
  return Bytes::make(head + message.size(), [&](std::span<std::uint8_t> to) {
    write_varint(to.data(), message.size());
    std::copy(message.begin(), message.end(), to.begin() + static_cast<std::ptrdiff_t>(head));
  });
}

}  // namespace kith::host
