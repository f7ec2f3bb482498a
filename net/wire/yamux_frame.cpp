#include "net/wire/yamux_frame.hpp"

#include "net/base/check.hpp"

namespace kith::wire {
namespace {

// What one pull of usual size needs; more is given back after a pull that was full of tiny frames.
constexpr std::size_t kScratchKept = 4096;

std::uint32_t read_u32(const std::uint8_t* from) {
  return std::uint32_t{from[0]} << 24 | std::uint32_t{from[1]} << 16 | std::uint32_t{from[2]} << 8 |
         from[3];
}

void write_u32(std::uint32_t value, std::uint8_t* to) {
  to[0] = static_cast<std::uint8_t>(value >> 24);
  to[1] = static_cast<std::uint8_t>(value >> 16);
  to[2] = static_cast<std::uint8_t>(value >> 8);
  to[3] = static_cast<std::uint8_t>(value);
}

}  // namespace

YamuxHead read_yamux_head(std::span<const std::uint8_t, kYamuxHeadBytes> from) {
  YamuxHead head;
  head.version = from[0];
  head.type = static_cast<YamuxType>(from[1]);
  head.flags = static_cast<std::uint16_t>(from[2] << 8 | from[3]);
  head.stream = read_u32(from.data() + 4);
  head.length = read_u32(from.data() + 8);
  return head;
}

void write_yamux_head(const YamuxHead& head, std::span<std::uint8_t, kYamuxHeadBytes> to) {
  to[0] = head.version;
  to[1] = static_cast<std::uint8_t>(head.type);
  to[2] = static_cast<std::uint8_t>(head.flags >> 8);
  to[3] = static_cast<std::uint8_t>(head.flags);
  write_u32(head.stream, to.data() + 4);
  write_u32(head.length, to.data() + 8);
}

void YamuxWriter::begin(std::size_t budget, std::vector<Bytes>& slices) {
  slices_ = &slices;
  budget_ = budget;
  size_ = 0;
}

void YamuxWriter::head(const YamuxHead& head) {
  if (runs_.empty() || runs_.back().place + 1 != slices_->size()) {
    runs_.push_back({slices_->size(), heads_.size(), 0});
    slices_->emplace_back();
  }
  const std::size_t at = heads_.size();
  heads_.resize(at + kYamuxHeadBytes);
  write_yamux_head(head, std::span<std::uint8_t, kYamuxHeadBytes>(&heads_[at], kYamuxHeadBytes));
  runs_.back().length += kYamuxHeadBytes;
  size_ += kYamuxHeadBytes;
}

std::vector<Bytes>& YamuxWriter::payload(std::size_t size) {
  size_ += size;
  return *slices_;
}

std::size_t YamuxWriter::finish() {
  CHECK(size_ <= budget_);
  const Bytes all = Bytes::copy(heads_);
  for (const Run& run : runs_) (*slices_)[run.place] = all.slice(run.start, run.length);
  heads_.clear();
  runs_.clear();
  if (heads_.capacity() > kScratchKept) {
    heads_.shrink_to_fit();
    runs_.shrink_to_fit();
  }
  slices_ = nullptr;
  return size_;
}

}  // namespace kith::wire
