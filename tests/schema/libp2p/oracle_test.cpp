// Our decoders and protoc's on the same bytes: random messages, the same with damage, and noise.
#include "tests/schema/libp2p/oracle.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "schema/libp2p/proto.hpp"

namespace kith::libp2p {
namespace {

using Raw = std::vector<std::uint8_t>;

std::string text(int size_max) {
  return *rc::gen::resize(size_max, rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
}

void fill(pb::PublicKey& key) {
  key.set_type(static_cast<pb::KeyType>(*rc::gen::inRange(0, 4)));
  const int size = *rc::gen::element(0, 31, 32, 33, 64, 256, 257, 1024, 1025);
  key.set_data(std::string(static_cast<std::size_t>(size), *rc::gen::arbitrary<char>()));
}

void fill(pb::NoisePayload& payload) {
  if (*rc::gen::arbitrary<bool>()) payload.set_identity_key(text(60));
  if (*rc::gen::arbitrary<bool>()) payload.set_identity_sig(text(60));
  if (*rc::gen::arbitrary<bool>()) payload.mutable_extensions();
  for (int i = *rc::gen::inRange(0, 18); i-- > 0;)
    payload.mutable_extensions()->add_stream_muxers(text(20));
  for (int i = *rc::gen::element(0, 1, 2, 16, 17); i-- > 0;)
    payload.mutable_extensions()->add_webtransport_certhashes(text(20));
}

void fill(pb::Identify& identify) {
  if (*rc::gen::arbitrary<bool>()) identify.set_public_key(text(40));
  if (*rc::gen::arbitrary<bool>()) identify.set_observed_addr(text(40));
  if (*rc::gen::arbitrary<bool>()) identify.set_protocol_version(text(40));
  if (*rc::gen::arbitrary<bool>()) identify.set_agent_version(text(40));
  if (*rc::gen::arbitrary<bool>()) identify.set_signed_peer_record(text(200));
  for (int i = *rc::gen::element(0, 1, 5, 64, 65); i-- > 0;) identify.add_listen_addrs(text(10));
  for (int i = *rc::gen::element(0, 1, 5, 128, 129); i-- > 0;) identify.add_protocols(text(10));
}

void fill(pb::Envelope& envelope) {
  envelope.set_public_key(text(40));
  envelope.set_payload_type(text(4));
  envelope.set_payload(std::string(*rc::gen::element<std::size_t>(0, 1, 100, 8000, 8200), 'p'));
  envelope.set_signature(text(64));
}

void fill(pb::PeerRecord& record) {
  const Bytes id = PeerId::of_public_key(as_bytes(text(60))).bytes();
  record.set_peer_id(std::string(id.text()));
  record.set_seq(*rc::gen::arbitrary<std::uint64_t>());
  for (int i = *rc::gen::element(0, 1, 5, 64, 65); i-- > 0;)
    record.add_addresses()->set_multiaddr(text(20));
}

template <class Message>
void check_all() {
  typename Message::Theirs message;
  fill(message);
  std::string bytes = message.SerializeAsString();
  RC_ASSERT(oracle::agrees<Message>(as_bytes(bytes)));

  // Fields that we do not know, of every kind but groups, before and behind.
  const Bytes unknown = encode([](auto& to) {
    to.varint(100, UINT64_MAX);
    to.fixed64(101, 1);
    to.text(102, "skip me");
    to.fixed32(103, 1);
    to.varint(7, 1);
  });
  RC_ASSERT(oracle::agrees<Message>(as_bytes(std::string(unknown.text()) + bytes)));
  RC_ASSERT(oracle::agrees<Message>(as_bytes(bytes + std::string(unknown.text()))));

  // Twice the same: last wins, lists go on, messages merge.
  RC_ASSERT(oracle::agrees<Message>(as_bytes(bytes + bytes)));

  if (bytes.empty()) return;
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  RC_ASSERT(oracle::agrees<Message>(as_bytes(bytes.substr(0, at))));
  bytes[at] = *rc::gen::arbitrary<char>();
  RC_ASSERT(oracle::agrees<Message>(as_bytes(bytes)));
}

RC_GTEST_PROP(OracleProperty, public_keys_agree, ()) { check_all<oracle::PublicKeys>(); }
RC_GTEST_PROP(OracleProperty, noise_payloads_agree, ()) { check_all<oracle::NoisePayloads>(); }
RC_GTEST_PROP(OracleProperty, identifies_agree, ()) { check_all<oracle::Identifies>(); }
RC_GTEST_PROP(OracleProperty, envelopes_agree, ()) { check_all<oracle::Envelopes>(); }
RC_GTEST_PROP(OracleProperty, peer_records_agree, ()) { check_all<oracle::PeerRecords>(); }

RC_GTEST_PROP(OracleProperty, random_bytes_agree, (const Raw& bytes)) {
  RC_ASSERT(oracle::agrees<oracle::PublicKeys>(bytes));
  RC_ASSERT(oracle::agrees<oracle::NoisePayloads>(bytes));
  RC_ASSERT(oracle::agrees<oracle::Identifies>(bytes));
  RC_ASSERT(oracle::agrees<oracle::Envelopes>(bytes));
  RC_ASSERT(oracle::agrees<oracle::PeerRecords>(bytes));
}

}  // namespace
}  // namespace kith::libp2p
