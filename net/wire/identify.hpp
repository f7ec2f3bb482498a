// Identify: what a peer says of itself after the handshake, and again by push when it changes
// (libp2p/specs identify, /ipfs/id/1.0.0 and /ipfs/id/push/1.0.0; the signed peer record in field 8
// is deployed everywhere though the specification does not name it). Three small parts, for the
// driver that owns the streams: IdentifyMaker says who we are, IdentifyReader collects what comes
// on a stream, judge_identify says what of it is true of the peer that the handshake proved.
//
// Rules
// * On an identify stream the accepting side writes one framed message and ends its side; on a push
//   stream the opening side does. The reader merges up to libp2p::kIdentifyPartsMax framed
//   messages.
// * A public key, if given, must be the one of the proven id: else the whole message is refused and
//   the connection is not worth keeping. Missing fields and an empty observed address are fine.
// * A signed record counts if it verifies and is the peer's own; otherwise it alone is ignored,
// with
//   the reason. In a push, what is missing stays as it was, and an older record is ignored.
// * Our record's sequence number is wall time in ms, never reused: it is above the high-water mark
//   from the last run and above any that was used in this one, also if the clock was set back.
//
// Bounds: those of schema/libp2p/identify.hpp for what comes, and what follows. Ours fit in one
// part of 4 KiB, as rust-libp2p reads no more; addresses are left out from the end, protocols only
// after the last address.
//
// Attacker: a peer that claims another's key or record (RUSTSEC-2022-0009), or sends thousands of
// protocols and addresses (CVE-2023-40583), or text that would steer a terminal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/base/time.hpp"
#include "net/crypto/envelope.hpp"
#include "net/crypto/identity.hpp"
#include "schema/base/bytes.hpp"
#include "schema/base/multiaddr.hpp"
#include "schema/base/peer_id.hpp"
#include "schema/base/result.hpp"
#include "schema/libp2p/identify.hpp"

namespace kith::wire {

inline constexpr std::string_view kIdentifyProtocol = "/ipfs/id/1.0.0";
inline constexpr std::string_view kIdentifyPushProtocol = "/ipfs/id/push/1.0.0";
inline constexpr std::string_view kIdentifyVersion = "/kith/0.1.0";  // the family of protocols

inline constexpr std::size_t kIdentifyOwnBytesMax = 4096;
inline constexpr std::size_t kIdentifyTextMax = 256;  // bytes of one protocol id or agent
inline constexpr Duration kIdentifyDeadline = 10s;    // from opening to the end of the message

// What changes while we run.
struct IdentifySelf {
  std::vector<Multiaddr> listen_addrs;  // without /p2p, best first
  std::vector<std::string> protocols;   // that we accept
};

class IdentifyMaker {
 public:
  // The identity outlives the maker. sequence_mark: the highest sequence number that any earlier
  // run can have used; 0 if none.
  IdentifyMaker(const crypto::Identity& identity, std::string agent, std::uint64_t sequence_mark);

  // The message with its uvarint length in front, ready to be written. `observed`: the address
  // under which we see the peer; may be empty. The record is signed anew only when the addresses
  // change.
  Bytes make(Now now, const IdentifySelf& self, const Multiaddr& observed);
  // The latest signed record, as in field 8; empty before the first make.
  const Bytes& record() const { return record_; }
  // To be persisted as the next run's mark before the record leaves this machine.
  std::uint64_t sequence() const { return sequence_; }

 private:
  void renew_record(Now now, std::span<const Multiaddr> addrs);

  const crypto::Identity* identity_;
  std::string agent_;
  std::uint64_t sequence_;
  std::vector<Multiaddr> record_addrs_;
  Bytes record_;
};

// What stands in a message that was judged. Optionals tell what was said from what was not.
struct IdentifyFacts {
  std::optional<std::string> protocol_version;         // printable ASCII; other bytes became '?'
  std::optional<std::string> agent;                    // so is this
  std::optional<std::vector<std::string>> protocols;   // sorted, each once
  std::optional<std::vector<Multiaddr>> listen_addrs;  // as claimed, without the peer's own /p2p
  std::optional<Multiaddr> observed;                   // how the peer sees us
  std::optional<crypto::PeerRecord> record;            // verified, the peer's own
  Bytes record_envelope;                               // the same, as signed
  std::string record_ignored;                          // why a record was not taken; else empty

  // The proven addresses if there are any, otherwise the claimed ones.
  std::span<const Multiaddr> addrs() const;
  bool speaks(std::string_view protocol) const;
};

// Errors: identity when the message's key is not the one of `proven`.
Result<IdentifyFacts> judge_identify(const libp2p::Identify& message, const PeerId& proven);

// A push: what it says replaces, what it does not say stays.
void merge_identify(IdentifyFacts& known, IdentifyFacts&& pushed);

// Collects what arrives on an identify or push stream, in any cut.
class IdentifyReader {
 public:
  // Errors: malformed or oversized length, too many parts; reset the stream.
  Result<void> on_data(ByteView data);
  // At least one part, and no beginning of another: enough to judge if the deadline comes first.
  bool complete() const { return !parts_.empty() && !in_part_ && length_bytes_ == 0; }
  // The other side ended, or the deadline came. Errors: truncated, those of the decoder and those
  // of judge_identify.
  Result<IdentifyFacts> finish(const PeerId& proven);

 private:
  Result<void> on_length(std::uint8_t byte);
  Result<void> end_part();

  libp2p::IdentifyParts parts_;
  std::vector<std::uint8_t> part_;
  std::size_t part_left_ = 0;
  bool in_part_ = false;
  std::array<std::uint8_t, 2> length_{};  // 8 KiB takes two bytes of varint
  std::size_t length_bytes_ = 0;
};

}  // namespace kith::wire
