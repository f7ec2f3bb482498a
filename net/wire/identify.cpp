#include "net/wire/identify.hpp"

#include <algorithm>
#include <chrono>

#include "net/base/check.hpp"
#include "schema/base/varint.hpp"

namespace kith::wire {
namespace {

// A signed record without addresses takes at most this (key 38, type 4, id 40, number 11, signature
// 66, lengths), and each address at most 6 bytes of tags and lengths in each of its two places.
constexpr std::size_t kRecordBytes = 200;
constexpr std::size_t kAddrOverhead = 6;

std::string printable(ByteView text) {
  std::string made(as_text(text.first(std::min(text.size(), kIdentifyTextMax))));
  for (char& c : made)
    if (c < 0x20 || c > 0x7e) c = '?';
  return made;
}

Bytes framed(const Bytes& message) {
  const std::size_t head = varint_size(message.size());
  return Bytes::make(head + message.size(), [&](std::span<std::uint8_t> to) {
    write_varint(to.data(), message.size());
    std::copy(message.begin(), message.end(), to.begin() + static_cast<std::ptrdiff_t>(head));
  });
}

// Without a trailing /p2p if it names `owner`; none if it names somebody else.
std::optional<Multiaddr> own_addr(const Bytes& packed, const PeerId& owner) {
  const auto addr = Multiaddr::decode(packed);
  if (!addr || addr->empty()) return {};
  const MultiaddrPart last = addr->parts().back();
  if (last.code != proto::p2p) return *addr;
  if (!equal(last.value, owner.bytes())) return {};
  const Multiaddr bare = addr->without_peer_id();
  return bare.empty() ? std::nullopt : std::optional(bare);
}

std::vector<std::string> protocols_of(const std::vector<Bytes>& raw) {
  std::vector<std::string> protocols;
  for (const Bytes& id : raw)
    if (!id.empty() && id.size() <= kIdentifyTextMax) protocols.emplace_back(id.text());
  std::sort(protocols.begin(), protocols.end());
  protocols.erase(std::unique(protocols.begin(), protocols.end()), protocols.end());
  return protocols;
}

void judge_record(const Bytes& envelope, const PeerId& proven, IdentifyFacts& facts) {
  auto record = crypto::open_peer_record(envelope);
  if (!record) {
    facts.record_ignored = record.error().what;
  } else if (record->id != proven) {
    facts.record_ignored = "the signed record is another peer's";
  } else {
    facts.record = std::move(*record);
    facts.record_envelope = Bytes::copy(envelope);
  }
}

}  // namespace

// --- what we say

IdentifyMaker::IdentifyMaker(const crypto::Identity& identity, std::string agent,
                             std::uint64_t sequence_mark)
    : identity_(&identity), agent_(std::move(agent)), sequence_(sequence_mark) {}

Bytes IdentifyMaker::make(Now now, const IdentifySelf& self, const Multiaddr& observed) {
  libp2p::Identify said;
  said.public_key = identity_->public_key().encoded();
  said.protocol_version = Bytes::copy(kIdentifyVersion);
  said.agent_version = Bytes::copy(agent_);
  if (!observed.empty()) said.observed_addr = observed.bytes();
  for (const std::string& id : self.protocols) said.protocols.push_back(Bytes::copy(id));
  std::size_t size = libp2p::encode_identify(said).size() + kRecordBytes;
  for (; size > kIdentifyOwnBytesMax && !said.protocols.empty(); said.protocols.pop_back())
    size -= said.protocols.back().size();

  std::size_t taken = 0;
  for (; taken < std::min(self.listen_addrs.size(), libp2p::kIdentifyAddrsMax); ++taken) {
    size += 2 * (self.listen_addrs[taken].bytes().size() + kAddrOverhead);
    if (size > kIdentifyOwnBytesMax) break;
    said.listen_addrs.push_back(self.listen_addrs[taken].bytes());
  }
  renew_record(now, std::span(self.listen_addrs).first(taken));
  said.signed_peer_record = record_;
  const Bytes message = libp2p::encode_identify(said);
  CHECK(message.size() <= kIdentifyOwnBytesMax);
  return framed(message);
}

void IdentifyMaker::renew_record(Now now, std::span<const Multiaddr> addrs) {
  if (!record_.empty() && std::ranges::equal(addrs, record_addrs_)) return;
  const auto wall =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.wall.time_since_epoch());
  sequence_ =
      std::max(sequence_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(wall.count(), 0)));
  record_addrs_.assign(addrs.begin(), addrs.end());
  record_ = crypto::seal_peer_record(*identity_, sequence_, addrs);
}

// --- what they say

std::span<const Multiaddr> IdentifyFacts::addrs() const {
  if (record && !record->addrs.empty()) return record->addrs;
  return listen_addrs ? std::span<const Multiaddr>(*listen_addrs) : std::span<const Multiaddr>();
}

bool IdentifyFacts::speaks(std::string_view protocol) const {
  return protocols && std::binary_search(protocols->begin(), protocols->end(), protocol);
}

Result<IdentifyFacts> judge_identify(const libp2p::Identify& message, const PeerId& proven) {
  if (message.public_key && PeerId::of_public_key(*message.public_key) != proven)
    return fail(Errc::identity, "identify names the key of another peer");
  IdentifyFacts facts;
  if (message.protocol_version) facts.protocol_version = printable(*message.protocol_version);
  if (message.agent_version) facts.agent = printable(*message.agent_version);
  if (!message.protocols.empty()) facts.protocols = protocols_of(message.protocols);
  if (!message.listen_addrs.empty()) {
    facts.listen_addrs.emplace();
    for (const Bytes& packed : message.listen_addrs)
      if (auto addr = own_addr(packed, proven)) facts.listen_addrs->push_back(std::move(*addr));
  }
  if (message.observed_addr && !message.observed_addr->empty()) {
    if (auto observed = Multiaddr::decode(*message.observed_addr)) facts.observed = *observed;
  }
  if (message.signed_peer_record && !message.signed_peer_record->empty())
    judge_record(*message.signed_peer_record, proven, facts);
  return facts;
}

void merge_identify(IdentifyFacts& known, IdentifyFacts&& pushed) {
  const auto take = [](auto& to, auto& from) {
    if (from) to = std::move(from);
  };
  take(known.protocol_version, pushed.protocol_version);
  take(known.agent, pushed.agent);
  take(known.protocols, pushed.protocols);
  take(known.listen_addrs, pushed.listen_addrs);
  take(known.observed, pushed.observed);
  known.record_ignored = std::move(pushed.record_ignored);
  if (!pushed.record) return;
  if (known.record && pushed.record->sequence < known.record->sequence) {
    known.record_ignored = "the signed record is older than the one that is known";
    return;
  }
  known.record = std::move(pushed.record);
  known.record_envelope = std::move(pushed.record_envelope);
}

// --- the stream

Result<void> IdentifyReader::on_data(ByteView data) {
  while (!data.empty()) {
    if (!in_part_) {
      KITH_TRY_VOID(on_length(data[0]));
      data = data.subspan(1);
      continue;
    }
    const ByteView taken = data.first(std::min(part_left_, data.size()));
    part_.insert(part_.end(), taken.begin(), taken.end());
    part_left_ -= taken.size();
    data = data.subspan(taken.size());
    if (part_left_ == 0) KITH_TRY_VOID(end_part());
  }
  return {};
}

Result<void> IdentifyReader::on_length(std::uint8_t byte) {
  length_[length_bytes_++] = byte;
  const VarintRead read = read_varint(ByteView(length_).first(length_bytes_));
  if (read.state == VarintRead::State::malformed)
    return fail(Errc::malformed, "length of an identify message is not a minimal varint");
  if (read.state == VarintRead::State::more) {
    if (length_bytes_ < length_.size()) return {};
    return fail(Errc::oversized, "an identify message of more than 8 KiB");
  }
  if (read.value > libp2p::kIdentifyPartMax)
    return fail(Errc::oversized, "an identify message of more than 8 KiB");
  length_bytes_ = 0;
  in_part_ = true;
  part_left_ = static_cast<std::size_t>(read.value);
  return part_left_ == 0 ? end_part() : Result<void>();
}

Result<void> IdentifyReader::end_part() {
  in_part_ = false;
  Bytes part = Bytes::copy(part_);
  part_.clear();
  return parts_.add(std::move(part));
}

Result<IdentifyFacts> IdentifyReader::finish(const PeerId& proven) {
  if (!complete()) return fail(Errc::truncated, "the stream ended inside an identify message");
  KITH_TRY(const libp2p::Identify message, parts_.finish());
  return judge_identify(message, proven);
}

}  // namespace kith::wire
