#include "gossip/message.hpp"

#include <gtest/gtest.h>

#include "tests/gossip/harness.hpp"
#include "tests/support/fixture.hpp"

namespace kith::gossip {
namespace {

libp2p::GossipMessageFields fields_of(const Bytes& rpc, ByteView* encoded = nullptr) {
  libp2p::GossipRpc read;
  EXPECT_TRUE(libp2p::decode_gossip_rpc(rpc, read));
  if (encoded != nullptr) *encoded = read.publish.at(0);
  return *libp2p::decode_gossip_message(read.publish.at(0));
}

Received received(const Bytes& rpc, bool share = false) {
  ByteView encoded;
  const libp2p::GossipMessageFields fields = fields_of(rpc, &encoded);
  EXPECT_EQ(refusal_of(fields), Refusal::none);
  return receive(rpc, encoded, fields, message_id(*fields.from, *fields.seqno), share);
}

TEST(Message, of_js_verifies_and_has_its_id) {
  const Received js = received(fixture("js/gossip_publish.bin"));
  EXPECT_TRUE(verify(js.part));
  EXPECT_EQ(js.message.data.text(), "hello, mesh");
  EXPECT_EQ(js.message.id.size(), 46u);
  EXPECT_EQ(js.message.id[45], 0x01) << "the id ends with the sequence number";
  EXPECT_EQ(js.message.from.bytes(), fixture("js/ed25519_peer_id.bin"));
  EXPECT_FALSE(js.part.key.empty()) << "js sends the key though the id inlines it";
}

TEST(Message, of_ours_is_read_back_and_verifies_without_a_key) {
  const crypto::Identity author = identity_of(1);
  const Message made = make_message(author, 0x0102030405060708, "topic", Bytes::copy("data"));
  const Received back = received(made.rpc);
  EXPECT_TRUE(back.part.key.empty());
  EXPECT_TRUE(verify(back.part));
  EXPECT_EQ(back.message.id, made.id);
  EXPECT_EQ(back.message.data, made.data);
  EXPECT_EQ(back.message.rpc, made.rpc);
  EXPECT_EQ(back.message.id.slice(38), Bytes::copy("\x01\x02\x03\x04\x05\x06\x07\x08"));
}

TEST(Message, signature_of_anything_else_does_not_verify) {
  const Message made = make_message(identity_of(1), 1, "topic", Bytes::copy("data"));
  const Received good = received(made.rpc);
  for (std::size_t i = 0; i < good.part.content.size(); ++i) {
    SignedPart part = good.part;
    std::vector<std::uint8_t> content = part.content.to_vector();
    content[i] ^= 1;
    part.content = Bytes::adopt(std::move(content));
    ASSERT_FALSE(verify(part)) << i;
  }
  SignedPart cut = good.part;
  cut.signature = cut.signature.slice(0, 63);
  EXPECT_FALSE(verify(cut));
}

TEST(Message, key_must_be_the_authors) {
  const Message made = make_message(identity_of(1), 1, "topic", Bytes::copy("data"));
  SignedPart part = received(made.rpc).part;
  part.key = identity_of(1).public_key().encoded();
  EXPECT_TRUE(verify(part));
  part.key = identity_of(2).public_key().encoded();
  EXPECT_FALSE(verify(part));
  part.key = Bytes::copy("not a key");
  EXPECT_FALSE(verify(part));
}

TEST(Message, author_must_be_a_peer_id_from_which_the_key_follows) {
  const Message made = make_message(identity_of(1), 1, "topic", Bytes::copy("data"));
  SignedPart part = received(made.rpc).part;
  part.author = Bytes::copy("nobody");
  EXPECT_FALSE(verify(part));
  part.author = Multihash::of_sha256(identity_of(1).public_key().encoded()).bytes();
  EXPECT_FALSE(verify(part)) << "a hashed id needs the key beside it";
}

TEST(Message, is_refused_when_a_field_is_missing_or_out_of_bounds) {
  const Message made = make_message(identity_of(1), 1, "topic", Bytes::copy("data"));
  const libp2p::GossipMessageFields good = fields_of(made.rpc);
  const std::string long_text(100'000, 'x');
  const auto refused = [&](auto change) {
    libp2p::GossipMessageFields fields = good;
    change(fields);
    return refusal_of(fields);
  };
  EXPECT_EQ(refused([](auto&) {}), Refusal::none);
  EXPECT_EQ(refused([](auto& f) { f.data.reset(); }), Refusal::none) << "no data is no error";
  EXPECT_EQ(refused([](auto& f) { f.from.reset(); }), Refusal::malformed);
  EXPECT_EQ(refused([](auto& f) { f.from = ByteView{}; }), Refusal::malformed);
  EXPECT_EQ(refused([&](auto& f) { f.from = as_bytes(long_text).first(kFromBytesMax + 1); }),
            Refusal::malformed);
  EXPECT_EQ(refused([](auto& f) { f.topic.reset(); }), Refusal::malformed);
  EXPECT_EQ(refused([](auto& f) { f.seqno.reset(); }), Refusal::malformed);
  EXPECT_EQ(refused([](auto& f) { f.seqno = f.seqno->first(7); }), Refusal::malformed);
  EXPECT_EQ(refused([&](auto& f) { f.seqno = as_bytes(long_text).first(9); }), Refusal::malformed);
  EXPECT_EQ(refused([](auto& f) { f.signature.reset(); }), Refusal::malformed);
  EXPECT_EQ(refused([](auto& f) { f.signature = ByteView{}; }), Refusal::malformed);
  EXPECT_EQ(refused([&](auto& f) { f.signature = as_bytes(long_text).first(513); }),
            Refusal::malformed);
  EXPECT_EQ(refused([](auto& f) { f.key = ByteView{}; }), Refusal::malformed);
  EXPECT_EQ(refused([&](auto& f) { f.key = as_bytes(long_text).first(641); }), Refusal::malformed);
  EXPECT_EQ(refused([&](auto& f) { f.data = as_bytes(long_text).first(kGossipDataMax); }),
            Refusal::none);
  EXPECT_EQ(refused([&](auto& f) { f.data = as_bytes(long_text).first(kGossipDataMax + 1); }),
            Refusal::oversized);
}

TEST(Message, small_one_does_not_keep_the_buffer_it_came_in) {
  const Message made = make_message(identity_of(1), 1, "topic", Bytes::copy("data"));
  const Received copied = received(made.rpc);
  EXPECT_NE(copied.message.rpc.data(), made.rpc.data());
  EXPECT_EQ(copied.message.rpc, made.rpc);
  const Received shared = received(made.rpc, true);
  EXPECT_EQ(shared.message.rpc.data(), made.rpc.data()) << "unless the host says it may";
  const Message large =
      make_message(identity_of(1), 2, "topic", Bytes::copy(std::string(kCopyBytesMax, 'x')));
  EXPECT_EQ(received(large.rpc).message.rpc.data(), large.rpc.data());
}

TEST(Message, that_was_not_alone_in_its_rpc_is_forwarded_alone) {
  const Message made = make_message(identity_of(1), 1, "topic", Bytes::copy("data"));
  for (const bool share : {false, true}) {
    const std::vector<std::uint8_t> graft = graft_rpc("x").to_vector();
    std::vector<std::uint8_t> both = made.rpc.to_vector();
    both.insert(both.end(), graft.begin(), graft.end());
    EXPECT_EQ(received(Bytes::copy(both), share).message.rpc, made.rpc);
    both = graft;
    both.insert(both.end(), made.rpc.begin(), made.rpc.end());
    const Received behind = received(Bytes::copy(both), share);
    EXPECT_EQ(behind.message.rpc, made.rpc);
    EXPECT_EQ(behind.message.data.text(), "data");
    EXPECT_TRUE(verify(behind.part));
  }
}

TEST(Message, largest_one_fits_what_rust_takes) {
  const Message made = make_message(identity_of(1), 1, std::string(256, 't'),
                                    Bytes::copy(std::string(kGossipDataMax, 'x')));
  EXPECT_LE(made.rpc.size(), 64u << 10);
}

TEST(Message, what_we_may_publish_is_checked) {
  EXPECT_TRUE(check_publish("t", kGossipDataMax));
  EXPECT_EQ(check_publish("t", kGossipDataMax + 1).error().code, Errc::oversized);
  EXPECT_EQ(check_publish("", 0).error().code, Errc::malformed);
  EXPECT_EQ(check_publish(std::string(257, 't'), 0).error().code, Errc::malformed);
}

}  // namespace
}  // namespace kith::gossip
