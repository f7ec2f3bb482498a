// multistream-select 1.0 (libp2p/specs connections/README.md, multiformats/multistream-select): two
// sides agree on a protocol by lines of uvarint length, text and newline; the length counts the
// newline. Two machines, dialler and listener, small enough to run for every stream.
//
// Rules
// * The dialler sends "/multistream/1.0.0" and its first proposal in one write, then one proposal
// an answer: the echo of it agrees, "na" moves on to the next, anything else is an error.
// * Lazy: with a single proposal the dialler may send early data right behind it (start(early)),
// and go on sending before the answer. The answer must still be read before anything is given to
// the protocol: on_bytes() keeps it apart. When the answer is "na", what was sent is lost and the
// stream is to be reset.
// * The listener answers the header and each line: an echo for a protocol that is served, "na" for
// any other, "ls" and the simultaneous-open id among them.
// * What came behind the agreement is handed back as a slice of the chunk.
//
// Bounds: lines of 1 to kMultistreamLineMax bytes, canonical lengths, at most
// kMultistreamProposalsMax lines from a dialler. An error is final.
//
// Attacker: either side: empty lines that ask for endless answers, endless lengths, endless
// proposals. The length is judged by its first two bytes and the answers to 64 proposals take 256
// bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::wire {

inline constexpr std::string_view kMultistreamHeader = "/multistream/1.0.0";
inline constexpr std::size_t kMultistreamLineMax = 1024;  // with the newline: go's and js's limit
inline constexpr std::size_t kMultistreamProposalsMax = 64;

struct MultistreamStep {
  Bytes write;             // to send at once; may be empty
  bool agreed = false;     // once; the machine is done
  std::size_t chosen = 0;  // when agreed: index into the proposals, or into what is served
  Bytes rest;              // when agreed: the protocol's first bytes
};

// Cuts a stream into lines, without memory of its own while lines come whole.
class MultistreamLines {
 public:
  enum class Got : std::uint8_t { line, more };
  // One line from the front of chunk[used..], without its newline; moves `used` on. `line` is valid
  // until the next call. Errc::malformed, ::oversized.
  Result<Got> next(ByteView chunk, std::size_t& used, std::string_view& line);

 private:
  std::vector<std::uint8_t> held_;  // an unfinished line; at most 2 + kMultistreamLineMax bytes
  bool given_ = false;              // `held_` was returned as the last line
};

class MultistreamDialer {
 public:
  // In order of preference; at least one, each without a newline and short enough for a line. The
  // strings outlive the machine.
  explicit MultistreamDialer(std::span<const std::string> proposals) : proposals_(proposals) {}

  // What to send first. Early data only with a single proposal.
  Bytes start(ByteView early = {}) const;
  // Errors: unsupported (all proposals were refused), malformed, oversized.
  Result<MultistreamStep> on_bytes(const Bytes& chunk);
  bool agreed() const { return state_ == State::agreed; }

 private:
  enum class State : std::uint8_t { header, answer, agreed, failed };
  Result<void> on_line(std::string_view line, MultistreamStep& step,
                       std::vector<std::uint8_t>& answers);

  std::span<const std::string> proposals_;
  std::size_t asked_ = 0;  // index of the proposal that waits for an answer
  State state_ = State::header;
  MultistreamLines lines_;
};

class MultistreamListener {
 public:
  // `served` may differ from call to call. Errors: malformed, oversized, refused (too many
  // proposals).
  Result<MultistreamStep> on_bytes(const Bytes& chunk, std::span<const std::string> served);
  bool agreed() const { return state_ == State::agreed; }

 private:
  enum class State : std::uint8_t { header, proposals, agreed, failed };
  Result<void> on_line(std::string_view line, std::span<const std::string> served,
                       MultistreamStep& step, std::vector<std::uint8_t>& answers);

  std::uint8_t proposed_ = 0;
  State state_ = State::header;
  MultistreamLines lines_;
};

}  // namespace kith::wire
