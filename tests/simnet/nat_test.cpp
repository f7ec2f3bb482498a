// The terms of RFC 4787 and RFC 5382, one by one.
#include "simnet/nat.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace kith::simnet {
namespace {

constexpr NatEndpoint kInside{10, 4001};
constexpr NatEndpoint kOther{11, 4001};
constexpr NatEndpoint kPeer{20, 4001};
constexpr NatEndpoint kPeerElsewhere{20, 50'000};
constexpr NatEndpoint kStranger{30, 4001};
constexpr std::uint32_t kOutside = 99;
constexpr std::array kKinds{Nat::full_cone, Nat::restricted, Nat::port_restricted, Nat::symmetric,
                            Nat::carrier};
constexpr std::array kCones{Nat::full_cone, Nat::restricted, Nat::port_restricted};
constexpr Mono kStart = Mono(1h);

TEST(NatTable, nobody_is_let_in_before_the_node_has_dialled) {
  for (const Nat kind : kKinds) {
    const NatTable table(kind, kOutside);
    EXPECT_FALSE(table.admit(kStart, kInside.port, kPeer));
    EXPECT_FALSE(table.owner(kStart, kInside.port));
  }
}

TEST(NatTable, mapping_of_a_cone_is_the_same_for_every_destination_and_keeps_the_port) {
  for (const Nat kind : kCones) {
    NatTable table(kind, kOutside);
    EXPECT_EQ(table.open(kStart, kInside, kPeer), (NatEndpoint{kOutside, 4001}));
    EXPECT_EQ(table.open(kStart, kInside, kStranger), (NatEndpoint{kOutside, 4001}));
    const NatEndpoint second = table.open(kStart, kOther, kPeer);
    EXPECT_EQ(second.ip, kOutside);
    EXPECT_NE(second.port, 4001) << "the port is taken";
    EXPECT_EQ(table.open(kStart, kOther, kStranger), second);
    EXPECT_EQ(table.owner(kStart, second.port), kOther);
  }
}

TEST(NatTable, mapping_of_a_symmetric_one_is_fresh_for_every_destination) {
  for (const Nat kind : {Nat::symmetric, Nat::carrier}) {
    NatTable table(kind, kOutside);
    std::set<std::uint16_t> ports;
    for (std::uint16_t port = 1; port <= 50; ++port) {
      const NatEndpoint seen = table.open(kStart, kInside, {kPeer.ip, port});
      EXPECT_EQ(seen.ip, kOutside);
      ports.insert(seen.port);
    }
    EXPECT_EQ(ports.size(), 50u);
    EXPECT_EQ(table.open(kStart, kInside, {kPeer.ip, 7}).port,
              table.open(kStart, kInside, {kPeer.ip, 7}).port);
  }
}

// filtering: who is let in at the port that the peer saw.
TEST(NatTable, filtering_lets_in_whom_its_kind_lets_in) {
  struct Row {
    Nat kind;
    bool exact, same_address, stranger;
  };
  for (const Row& row :
       {Row{Nat::full_cone, true, true, true}, Row{Nat::restricted, true, true, false},
        Row{Nat::port_restricted, true, false, false}, Row{Nat::symmetric, true, false, false},
        Row{Nat::carrier, true, false, false}}) {
    NatTable table(row.kind, kOutside);
    const std::uint16_t port = table.open(kStart, kInside, kPeer).port;
    EXPECT_EQ(table.admit(kStart, port, kPeer).has_value(), row.exact);
    EXPECT_EQ(table.admit(kStart, port, kPeerElsewhere).has_value(), row.same_address);
    EXPECT_EQ(table.admit(kStart, port, kStranger).has_value(), row.stranger);
    EXPECT_EQ(table.admit(kStart, port, kPeer), kInside);
    const auto unused = static_cast<std::uint16_t>(port + 1);
    EXPECT_FALSE(table.admit(kStart, unused, kPeer)) << "no mapping there";
  }
}

TEST(NatTable, mapping_lasts_as_long_as_a_connection_and_its_lifetime_more) {
  for (const Nat kind : kKinds) {
    NatTable table(kind, kOutside);
    const std::uint16_t port = table.open(kStart, kInside, kPeer).port;
    table.open(kStart, kInside, kPeer);  // a second connection
    table.close(kStart + 1s, kInside, kPeer);
    EXPECT_TRUE(table.admit(kStart + 24h, port, kPeer));
    table.close(kStart + 24h, kInside, kPeer);
    EXPECT_TRUE(table.admit(kStart + 24h + kNatMappingLifetime, port, kPeer));
    EXPECT_FALSE(table.admit(kStart + 24h + kNatMappingLifetime + 1ns, port, kPeer));
  }
}

TEST(NatTable, port_of_a_mapping_that_is_over_is_given_to_another) {
  NatTable table(Nat::restricted, kOutside);
  table.open(kStart, kInside, kPeer);
  table.close(kStart, kInside, kPeer);
  EXPECT_EQ(table.open(kStart + kNatMappingLifetime + 1ns, kOther, kPeer).port, 4001);
  EXPECT_EQ(table.admit(kStart + kNatMappingLifetime + 1ns, 4001, kPeer), kOther);
}

TEST(NatTable, oldest_session_goes_when_it_is_full) {
  NatTable table(Nat::symmetric, kOutside);
  const std::uint16_t first = table.open(kStart, kInside, {1, 1}).port;
  std::uint16_t last = 0;
  for (std::uint32_t i = 0; i < kNatSessionsMax; ++i)
    last = table.open(kStart, kInside, {1000 + i, 1}).port;
  EXPECT_FALSE(table.owner(kStart, first));
  EXPECT_TRUE(table.owner(kStart, last));
}

}  // namespace
}  // namespace kith::simnet
