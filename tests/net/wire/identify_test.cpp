#include "net/wire/identify.hpp"

#include <gtest/gtest.h>

#include "schema/base/varint.hpp"
#include "tests/support/fixture.hpp"

namespace kith::wire {
namespace {

crypto::Identity identity_of(std::uint8_t seed) {
  crypto::Wiped<crypto::kEd25519SeedBytes> bytes;
  bytes.span()[0] = seed;
  return crypto::Identity::of_seed(bytes);
}

Now at_ms(std::int64_t wall_ms) {
  return Now{Mono{} + 1h, Wall{} + std::chrono::milliseconds(wall_ms)};
}

Multiaddr addr(const std::string& text) { return *Multiaddr::parse(text); }

IdentifySelf some_self() {
  return {{addr("/ip4/192.0.2.1/tcp/4001"), addr("/ip6/2001:db8::1/tcp/4001")},
          {"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"}};
}

Bytes framed(ByteView message) {
  std::vector<std::uint8_t> made;
  append_varint(made, message.size());
  made.insert(made.end(), message.begin(), message.end());
  return Bytes::adopt(std::move(made));
}

Result<IdentifyFacts> read(ByteView stream, const PeerId& proven) {
  IdentifyReader reader;
  KITH_TRY_VOID(reader.on_data(stream));
  return reader.finish(proven);
}

class Identify : public ::testing::Test {
 protected:
  crypto::Identity alice = identity_of(1);
  crypto::Identity mallory = identity_of(2);
  IdentifyMaker maker{alice, "kith/0.1.0", 0};
};

TEST_F(Identify, what_we_say_is_what_the_peer_understands) {
  const Bytes said = maker.make(at_ms(5000), some_self(), addr("/ip4/198.51.100.7/tcp/999"));
  const auto facts = read(said, alice.id());
  ASSERT_TRUE(facts) << describe(facts.error());
  EXPECT_EQ(facts->agent, "kith/0.1.0");
  EXPECT_EQ(facts->protocol_version, kIdentifyVersion);
  EXPECT_EQ(facts->protocols, some_self().protocols);
  EXPECT_EQ(facts->listen_addrs, some_self().listen_addrs);
  EXPECT_EQ(facts->observed, addr("/ip4/198.51.100.7/tcp/999"));
  ASSERT_TRUE(facts->record);
  EXPECT_EQ(facts->record->id, alice.id());
  EXPECT_EQ(facts->record->sequence, 5000u);
  EXPECT_EQ(facts->record->addrs, some_self().listen_addrs);
  EXPECT_EQ(facts->record_envelope, maker.record());
  EXPECT_TRUE(facts->record_ignored.empty());
  EXPECT_TRUE(facts->speaks("/ipfs/ping/1.0.0"));
  EXPECT_FALSE(facts->speaks("/ipfs/ping/2.0.0"));
}

TEST_F(Identify, message_of_js_libp2p_is_understood) {
  const PeerId js = *PeerId::parse("12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5");
  const auto facts = read(framed(fixture("js/identify.bin")), js);
  ASSERT_TRUE(facts) << describe(facts.error());
  EXPECT_EQ(facts->agent, "js-libp2p/3.3.11 UserAgent=v22.23.3");
  EXPECT_EQ(facts->protocol_version, "ipfs/0.1.0");
  EXPECT_EQ(facts->listen_addrs, some_self().listen_addrs);
  EXPECT_EQ(facts->observed, addr("/ip4/192.0.2.2/tcp/4002"));
  EXPECT_EQ(facts->protocols,
            (std::vector<std::string>{"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", "/meshsub/1.1.0"}));
  ASSERT_TRUE(facts->record) << facts->record_ignored;
  EXPECT_EQ(facts->record->sequence, 7u);
}

TEST_F(Identify, key_of_another_peer_is_refused) {
  const Bytes said = maker.make(at_ms(1), some_self(), {});
  const auto facts = read(said, mallory.id());
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Errc::identity);
}

TEST_F(Identify, missing_fields_and_an_empty_observed_address_are_fine) {
  const auto nothing = read(framed({}), alice.id());
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->agent || nothing->protocols || nothing->listen_addrs || nothing->observed);
  EXPECT_TRUE(nothing->addrs().empty());
  libp2p::Identify message;
  message.observed_addr = Bytes();
  const auto facts = judge_identify(message, alice.id());
  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->observed);
}

TEST_F(Identify, signed_record_of_another_peer_is_ignored_with_the_reason) {  // RUSTSEC-2022-0009
  libp2p::Identify message;
  message.agent_version = Bytes::copy("liar");
  const std::vector<Multiaddr> addrs = some_self().listen_addrs;
  message.signed_peer_record = crypto::seal_peer_record(mallory, 7, addrs);
  const auto facts = judge_identify(message, alice.id());
  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->record);
  EXPECT_TRUE(facts->record_envelope.empty());
  EXPECT_EQ(facts->record_ignored, "the signed record is another peer's");
  EXPECT_EQ(facts->agent, "liar");
}

TEST_F(Identify, record_that_does_not_verify_is_ignored_wherever_it_was_altered) {
  maker.make(at_ms(1), some_self(), {});
  for (std::size_t i = 0; i < maker.record().size(); ++i) {
    auto altered = maker.record().to_vector();
    altered[i] ^= 1;
    libp2p::Identify message;
    message.signed_peer_record = Bytes::copy(altered);
    const auto facts = judge_identify(message, alice.id());
    ASSERT_TRUE(facts);
    EXPECT_FALSE(facts->record) << "byte " << i;
    EXPECT_FALSE(facts->record_ignored.empty());
  }
}

TEST_F(Identify, sequence_numbers_never_go_back_and_change_only_with_the_addresses) {
  IdentifyMaker after_restart(alice, "kith/0.1.0", 9000);
  after_restart.make(at_ms(5000), some_self(), {});  // the clock was set back
  EXPECT_EQ(after_restart.sequence(), 9001u);
  const Bytes first = after_restart.record();
  after_restart.make(at_ms(20'000), some_self(), addr("/ip4/1.2.3.4/tcp/1"));
  EXPECT_EQ(after_restart.record(), first) << "the same addresses are not signed again";
  IdentifySelf moved = some_self();
  moved.listen_addrs.pop_back();
  after_restart.make(at_ms(20'000), moved, {});
  EXPECT_EQ(after_restart.sequence(), 20'000u);
  after_restart.make(at_ms(20'000), some_self(), {});
  EXPECT_EQ(after_restart.sequence(), 20'001u) << "twice within a millisecond";
  IdentifyMaker before_1970(alice, "kith/0.1.0", 0);
  before_1970.make(at_ms(-5), some_self(), {});
  EXPECT_EQ(before_1970.sequence(), 1u);
}

TEST_F(Identify, ours_stays_under_four_kibibytes_by_leaving_out_addresses_first) {
  IdentifySelf self;
  for (int i = 0; i < 200; ++i)
    self.listen_addrs.push_back(addr("/dns4/a-rather-long-name-of-a-home-machine-" +
                                     std::to_string(i) + ".example/tcp/4001"));
  for (int i = 0; i < 20; ++i)
    self.protocols.push_back("/kith/home-1a2b3c4d/service/" + std::to_string(i));
  const Bytes said = maker.make(at_ms(1), self, addr("/ip4/1.2.3.4/tcp/1"));
  EXPECT_LE(said.size(), kIdentifyOwnBytesMax + 2);
  const auto facts = read(said, alice.id());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->protocols->size(), 20u);
  EXPECT_GE(facts->listen_addrs->size(), 20u);
  EXPECT_EQ(facts->listen_addrs->front(), self.listen_addrs.front());
  ASSERT_TRUE(facts->record);
  EXPECT_EQ(facts->record->addrs, *facts->listen_addrs);

  for (int i = 0; i < 300; ++i) self.protocols.push_back("/kith/another/" + std::to_string(i));
  const Bytes crowded = maker.make(at_ms(1), self, {});
  EXPECT_LE(crowded.size(), kIdentifyOwnBytesMax + 2);
}

TEST_F(Identify, many_short_addresses_are_capped_by_count) {
  IdentifySelf self;
  for (int i = 1; i <= 100; ++i)
    self.listen_addrs.push_back(addr("/ip4/10.0.0.1/tcp/" + std::to_string(i)));
  const auto facts = read(maker.make(at_ms(1), self, {}), alice.id());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->listen_addrs->size(), libp2p::kIdentifyAddrsMax);
}

TEST_F(Identify, parts_are_merged_in_any_cut) {
  libp2p::Identify one;
  one.protocols = {Bytes::copy("/a"), Bytes::copy("/b")};
  one.agent_version = Bytes::copy("first");
  libp2p::Identify two;
  two.protocols = {Bytes::copy("/c")};
  two.agent_version = Bytes::copy("second");
  std::vector<std::uint8_t> stream = framed(libp2p::encode_identify(one)).to_vector();
  const auto second = framed(libp2p::encode_identify(two)).to_vector();
  stream.insert(stream.end(), second.begin(), second.end());
  for (std::size_t cut = 1; cut <= stream.size(); ++cut) {
    IdentifyReader reader;
    EXPECT_FALSE(reader.complete());
    for (std::size_t from = 0; from < stream.size(); from += cut)
      ASSERT_TRUE(
          reader.on_data(ByteView(stream).subspan(from, std::min(cut, stream.size() - from))));
    EXPECT_TRUE(reader.complete());
    const auto facts = reader.finish(alice.id());
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->protocols, (std::vector<std::string>{"/a", "/b", "/c"}));
    EXPECT_EQ(facts->agent, "second");
  }
}

TEST_F(Identify, truncated_oversized_and_endless_streams_are_refused) {
  const Bytes said = maker.make(at_ms(1), some_self(), {});
  for (std::size_t size = 0; size < said.size(); ++size) {
    const auto facts = read(said.slice(0, size), alice.id());
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().code, Errc::truncated) << size;
  }
  const auto code = [&](std::vector<std::uint8_t> bytes) {
    const auto facts = read(bytes, alice.id());
    return facts ? Errc::usage : facts.error().code;
  };
  EXPECT_EQ(code({0x81, 0x40}), Errc::oversized) << "8193 bytes";
  EXPECT_EQ(code({0x80, 0x40}), Errc::truncated) << "8192 bytes are allowed";
  EXPECT_EQ(code({0xff, 0xff, 0xff, 0xff, 0x0f}), Errc::oversized);
  EXPECT_EQ(code({0x80, 0x00}), Errc::malformed);
  EXPECT_EQ(code(std::vector<std::uint8_t>(libp2p::kIdentifyPartsMax, 0)), Errc::usage);
  EXPECT_EQ(code(std::vector<std::uint8_t>(libp2p::kIdentifyPartsMax + 1, 0)), Errc::oversized);
}

TEST_F(Identify, hoards_of_addresses_and_protocols_are_refused) {  // CVE-2023-40583
  libp2p::Identify addrs;
  addrs.listen_addrs.assign(libp2p::kIdentifyAddrsMax + 1, addr("/ip4/1.2.3.4/tcp/1").bytes());
  EXPECT_EQ(read(framed(libp2p::encode_identify(addrs)), alice.id()).error().code, Errc::oversized);
  libp2p::Identify protocols;
  protocols.protocols.assign(libp2p::kIdentifyProtocolsMax + 1, Bytes::copy("/x"));
  EXPECT_EQ(read(framed(libp2p::encode_identify(protocols)), alice.id()).error().code,
            Errc::oversized);
}

TEST_F(Identify, addresses_lose_the_peers_own_id_and_those_of_others_are_dropped) {
  libp2p::Identify message;
  const std::string base = "/ip4/1.2.3.4/tcp/1";
  message.listen_addrs = {addr(base).with_peer_id(alice.id()).bytes(),
                          addr("/ip4/6.6.6.6/tcp/6").with_peer_id(mallory.id()).bytes(),
                          Bytes::copy("not an address"), Bytes()};
  const auto facts = judge_identify(message, alice.id());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->listen_addrs, std::vector<Multiaddr>{addr(base)});
}

TEST_F(Identify, texts_that_would_steer_a_terminal_are_made_harmless) {
  libp2p::Identify message;
  message.agent_version = Bytes::copy("go\x1b[31m\n\xff");
  message.protocol_version = Bytes::copy(std::string(1000, 'v'));
  message.protocols = {Bytes::copy(std::string(kIdentifyTextMax + 1, 'p')), Bytes(),
                       Bytes::copy("/b"), Bytes::copy("/a"), Bytes::copy("/b")};
  const auto facts = judge_identify(message, alice.id());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->agent, "go?[31m??");
  EXPECT_EQ(facts->protocol_version->size(), kIdentifyTextMax);
  EXPECT_EQ(facts->protocols, (std::vector<std::string>{"/a", "/b"}));
}

TEST_F(Identify, push_replaces_what_it_says_and_keeps_the_rest) {
  auto known = *read(maker.make(at_ms(1000), some_self(), {}), alice.id());
  IdentifyFacts pushed;
  pushed.protocols = {"/new"};
  merge_identify(known, std::move(pushed));
  EXPECT_EQ(known.protocols, std::vector<std::string>{"/new"});
  EXPECT_EQ(known.agent, "kith/0.1.0");
  ASSERT_TRUE(known.record);
  EXPECT_EQ(known.record->sequence, 1000u);
}

TEST_F(Identify, older_record_in_a_push_is_ignored) {
  auto known = *read(maker.make(at_ms(1000), some_self(), {}), alice.id());
  IdentifyMaker stale(alice, "kith/0.1.0", 0);
  auto pushed = *read(stale.make(at_ms(500), {}, {}), alice.id());
  merge_identify(known, std::move(pushed));
  EXPECT_EQ(known.record->sequence, 1000u);
  EXPECT_FALSE(known.record_ignored.empty());
  IdentifyMaker later_on(alice, "kith/0.1.0", 0);
  auto newer = *read(later_on.make(at_ms(2000), {}, {}), alice.id());
  merge_identify(known, std::move(newer));
  EXPECT_EQ(known.record->sequence, 2000u);
  EXPECT_TRUE(known.record_ignored.empty());
}

TEST_F(Identify, proven_addresses_go_before_claimed_ones) {
  libp2p::Identify message;
  message.listen_addrs = {addr("/ip4/9.9.9.9/tcp/9").bytes()};
  auto claimed = judge_identify(message, alice.id());
  EXPECT_EQ(claimed->addrs().front(), addr("/ip4/9.9.9.9/tcp/9"));
  const std::vector<Multiaddr> proven = some_self().listen_addrs;
  message.signed_peer_record = crypto::seal_peer_record(alice, 1, proven);
  auto both = judge_identify(message, alice.id());
  EXPECT_EQ(both->addrs().front(), proven.front());
}

}  // namespace
}  // namespace kith::wire
