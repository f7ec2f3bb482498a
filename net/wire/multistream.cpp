#include "net/wire/multistream.hpp"

#include <algorithm>

#include "net/base/check.hpp"
#include "schema/base/varint.hpp"

namespace kith::wire {

namespace {

constexpr std::string_view kRefusal = "na";
constexpr std::size_t kLengthBytesMax = 2;  // canonical, up to kMultistreamLineMax
static_assert(kMultistreamLineMax < (1u << 7 * kLengthBytesMax));

void append_line(std::vector<std::uint8_t>& to, std::string_view line) {
  CHECK(line.size() < kMultistreamLineMax);
  append_varint(to, line.size() + 1);
  to.insert(to.end(), line.begin(), line.end());
  to.push_back('\n');
}

Error malformed(std::string what) { return fail(Errc::malformed, std::move(what)); }

// The size of the line at the front of `bytes`, length included; 0: not known yet.
Result<std::size_t> line_size(ByteView bytes, std::size_t& length_bytes) {
  const VarintRead length = read_varint(bytes.first(std::min(bytes.size(), kLengthBytesMax)));
  if (length.state == VarintRead::State::malformed)
    return malformed("multistream line has a malformed length");
  if (length.state == VarintRead::State::more && bytes.size() < kLengthBytesMax) return 0;
  if (length.state == VarintRead::State::more || length.value > kMultistreamLineMax)
    return fail(Errc::oversized, "multistream line is too long");
  if (length.value == 0) return malformed("multistream line is empty");
  length_bytes = length.length;
  return length.length + static_cast<std::size_t>(length.value);
}

// The text of a whole line.
Result<std::string_view> text_of(ByteView line, std::size_t length_bytes) {
  const std::string_view text = as_text(line.subspan(length_bytes));
  if (text.back() != '\n') return malformed("multistream line does not end in a newline");
  return text.substr(0, text.size() - 1);
}

// Feeds the lines of `chunk` to on_line(line, step, answers) until one agrees.
template <class OnLine>
Result<MultistreamStep> negotiate(MultistreamLines& lines, const Bytes& chunk, OnLine&& on_line) {
  MultistreamStep step;
  std::vector<std::uint8_t> answers;
  std::size_t used = 0;
  while (!step.agreed) {
    std::string_view line;
    KITH_TRY(const MultistreamLines::Got got, lines.next(chunk, used, line));
    if (got == MultistreamLines::Got::more) break;
    KITH_TRY_VOID(on_line(line, step, answers));
  }
  step.write = Bytes::adopt(std::move(answers));
  if (step.agreed) step.rest = chunk.slice(used);
  return step;
}

}  // namespace

Result<MultistreamLines::Got> MultistreamLines::next(ByteView chunk, std::size_t& used,
                                                     std::string_view& line) {
  if (given_) {
    held_.clear();
    given_ = false;
  }
  std::size_t length_bytes = 0;
  ByteView rest = chunk.subspan(used);
  if (held_.empty()) {
    KITH_TRY(const std::size_t size, line_size(rest, length_bytes));
    if (size != 0 && size <= rest.size()) {
      used += size;
      KITH_TRY(line, text_of(rest.first(size), length_bytes));
      return Got::line;
    }
  }
  // The line is cut: assemble it, a byte at a time until its length is known.
  while (!rest.empty()) {
    KITH_TRY(const std::size_t size, line_size(held_, length_bytes));
    const std::size_t lacking = size == 0 ? 1 : size - held_.size();
    const ByteView part = rest.first(std::min(lacking, rest.size()));
    held_.insert(held_.end(), part.begin(), part.end());
    rest = rest.subspan(part.size());
    used += part.size();
    if (size == 0 || held_.size() < size) continue;
    given_ = true;
    KITH_TRY(line, text_of(held_, length_bytes));
    return Got::line;
  }
  // What is held may be refused already.
  KITH_TRY_VOID(line_size(held_, length_bytes));
  return Got::more;
}

Bytes MultistreamDialer::start(ByteView early) const {
  CHECK(!proposals_.empty());
  CHECK(early.empty() || proposals_.size() == 1);
  std::vector<std::uint8_t> bytes;
  append_line(bytes, kMultistreamHeader);
  append_line(bytes, proposals_.front());
  bytes.insert(bytes.end(), early.begin(), early.end());
  return Bytes::adopt(std::move(bytes));
}

Result<MultistreamStep> MultistreamDialer::on_bytes(const Bytes& chunk) {
  if (state_ == State::agreed || state_ == State::failed)
    return fail(Errc::closed, "multistream negotiation is over");
  auto step = negotiate(lines_, chunk, [&](std::string_view line, auto& to, auto& answers) {
    return on_line(line, to, answers);
  });
  if (!step) state_ = State::failed;
  return step;
}

Result<void> MultistreamDialer::on_line(std::string_view line, MultistreamStep& step,
                                        std::vector<std::uint8_t>& answers) {
  if (state_ == State::header) {
    if (line != kMultistreamHeader) return malformed("the other side does not speak multistream");
    state_ = State::answer;
    return {};
  }
  if (line == proposals_[asked_]) {
    step.agreed = true;
    step.chosen = asked_;
    state_ = State::agreed;
    return {};
  }
  if (line != kRefusal) return malformed("multistream answer fits no proposal");
  if (++asked_ == proposals_.size())
    return fail(Errc::unsupported,
                "the other side does not speak " + std::string(proposals_.back()));
  append_line(answers, proposals_[asked_]);
  return {};
}

Result<MultistreamStep> MultistreamListener::on_bytes(const Bytes& chunk,
                                                      std::span<const std::string> served) {
  if (state_ == State::agreed || state_ == State::failed)
    return fail(Errc::closed, "multistream negotiation is over");
  auto step = negotiate(lines_, chunk, [&](std::string_view line, auto& to, auto& answers) {
    return on_line(line, served, to, answers);
  });
  if (!step) state_ = State::failed;
  return step;
}

Result<void> MultistreamListener::on_line(std::string_view line,
                                          std::span<const std::string> served,
                                          MultistreamStep& step,
                                          std::vector<std::uint8_t>& answers) {
  if (state_ == State::header) {
    if (line != kMultistreamHeader) return malformed("the other side does not speak multistream");
    append_line(answers, kMultistreamHeader);
    state_ = State::proposals;
    return {};
  }
  if (++proposed_ > kMultistreamProposalsMax)
    return fail(Errc::refused, "too many multistream proposals");
  const auto found = std::find(served.begin(), served.end(), line);
  if (found == served.end()) {
    append_line(answers, kRefusal);
    return {};
  }
  append_line(answers, line);
  step.agreed = true;
  step.chosen = static_cast<std::size_t>(found - served.begin());
  state_ = State::agreed;
  return {};
}

}  // namespace kith::wire
