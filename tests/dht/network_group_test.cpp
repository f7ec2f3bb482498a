#include "dht/network_group.hpp"

#include <gtest/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::addr;

NetworkGroup group(std::string_view text) { return network_group(addr(text)); }

TEST(NetworkGroup, is_the_24_of_an_ipv4_address) {
  EXPECT_EQ(group("/ip4/8.8.8.8/tcp/1"), group("/ip4/8.8.8.9/udp/2/quic-v1"));
  EXPECT_NE(group("/ip4/8.8.8.8/tcp/1"), group("/ip4/8.8.9.8/tcp/1"));
}

TEST(NetworkGroup, is_the_48_of_an_ipv6_address) {
  EXPECT_EQ(group("/ip6/2600:1:2:3::1/tcp/1"), group("/ip6/2600:1:2:ffff::9/tcp/1"));
  EXPECT_NE(group("/ip6/2600:1:2::1/tcp/1"), group("/ip6/2600:1:3::1/tcp/1"));
}

TEST(NetworkGroup, sees_ipv4_through_a_mapped_ipv6_address) {
  EXPECT_EQ(group("/ip6/::ffff:8.8.8.8/tcp/1"), group("/ip4/8.8.8.77/tcp/1"));
  EXPECT_EQ(group("/ip6/::ffff:192.168.1.8/tcp/1"), 0u);
}

TEST(NetworkGroup, exempts_private_and_loopback_ranges) {
  for (const char* text :
       {"/ip4/127.0.0.1/tcp/1", "/ip4/10.1.2.3/tcp/1", "/ip4/192.168.0.1/tcp/1",
        "/ip4/172.16.5.5/tcp/1", "/ip6/::1/tcp/1", "/ip6/fd00::1/tcp/1", "/ip6/fe80::1/tcp/1"})
    EXPECT_EQ(group(text), 0u) << text;
}

TEST(NetworkGroup, exempts_what_has_no_ip) {
  EXPECT_EQ(group("/memory/7"), 0u);
  EXPECT_EQ(group("/dns4/example.org/tcp/1"), 0u);
}

}  // namespace
}  // namespace kith::dht
