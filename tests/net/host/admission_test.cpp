#include "net/host/admission.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace kith::host {
namespace {

Multiaddr from(std::string_view text) { return Multiaddr::parse(text).value(); }

TEST(Admission, prefix_is_the_ip4_address_and_the_ip6_slash_56) {
  EXPECT_EQ(prefix_of(from("/ip4/1.2.3.4/tcp/1")), prefix_of(from("/ip4/1.2.3.4/tcp/2")));
  EXPECT_NE(prefix_of(from("/ip4/1.2.3.4/tcp/1")), prefix_of(from("/ip4/1.2.3.5/tcp/1")));
  EXPECT_EQ(prefix_of(from("/ip6/2001:db8:1:100::1/tcp/1")),
            prefix_of(from("/ip6/2001:db8:1:1ff:ffff::9/tcp/1")));
  EXPECT_NE(prefix_of(from("/ip6/2001:db8:1:100::1/tcp/1")),
            prefix_of(from("/ip6/2001:db8:1:200::1/tcp/1")));
  EXPECT_EQ(prefix_of(from("/ip6/::ffff:1.2.3.4/tcp/1")), prefix_of(from("/ip4/1.2.3.4/tcp/1")));
  EXPECT_FALSE(prefix_of(from("/ip4/127.0.0.1/tcp/1")));
  EXPECT_FALSE(prefix_of(from("/ip6/::1/tcp/1")));
  EXPECT_FALSE(prefix_of(from("/ip6/::ffff:127.0.0.1/tcp/1")));
  EXPECT_FALSE(prefix_of(from("/memory/7")));
}

TEST(Admission, a_prefix_is_capped_until_one_of_it_leaves) {
  HostLimits limits;
  limits.inbound_per_prefix_max = 2;
  Admission admission(limits);
  const auto first = admission.inbound(from("/ip4/1.2.3.4/tcp/1"));
  ASSERT_TRUE(first && admission.inbound(from("/ip4/1.2.3.4/tcp/2")));
  EXPECT_FALSE(admission.inbound(from("/ip4/1.2.3.4/tcp/3")));
  EXPECT_TRUE(admission.inbound(from("/ip4/1.2.3.5/tcp/3")));
  admission.leave(*first);
  EXPECT_TRUE(admission.inbound(from("/ip4/1.2.3.4/tcp/3")));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(admission.inbound(from("/ip4/127.0.0.1/tcp/3")));
}

TEST(Admission, the_door_shuts_at_each_limit_and_outbound_keeps_its_reserve) {
  HostLimits limits;
  limits.connections_max = 4;
  limits.inbound_max = 3;
  limits.unauthenticated_max = 2;
  Admission admission(limits);
  auto a = admission.inbound(from("/memory/1"));
  auto b = admission.inbound(from("/memory/2"));
  EXPECT_FALSE(admission.door_open());
  EXPECT_FALSE(admission.inbound(from("/memory/3")));
  admission.authenticated(*a);
  admission.authenticated(*a);
  EXPECT_TRUE(admission.inbound(from("/memory/3")));
  admission.authenticated(*b);
  EXPECT_FALSE(admission.door_open());  // three inbound
  EXPECT_TRUE(admission.outbound());
  EXPECT_FALSE(admission.outbound());
}

RC_GTEST_PROP(Admission, counts_return_to_nothing, ()) {
  HostLimits limits;
  limits.connections_max = 12;
  limits.inbound_max = 9;
  limits.unauthenticated_max = 5;
  limits.inbound_per_prefix_max = 3;
  Admission admission(limits);
  std::vector<Admission::Ticket> tickets;
  const auto steps = *rc::gen::inRange(0, 100);
  for (int i = 0; i < steps; ++i) {
    const auto what = *rc::gen::inRange(0, 4);
    if (what == 0) {
      if (auto ticket = admission.outbound()) tickets.push_back(*ticket);
    } else if (what == 1) {
      const auto ip = std::to_string(*rc::gen::inRange(1, 5));
      if (auto ticket = admission.inbound(from("/ip4/9.9.9." + ip + "/tcp/1")))
        tickets.push_back(*ticket);
    } else if (!tickets.empty()) {
      const auto at = *rc::gen::inRange<std::size_t>(0, tickets.size());
      if (what == 2) {
        admission.authenticated(tickets[at]);
      } else {
        admission.leave(tickets[at]);
        tickets.erase(tickets.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
    RC_ASSERT(admission.connections() == tickets.size());
    RC_ASSERT(admission.connections() <= 12u);
    RC_ASSERT(admission.unauthenticated() <= 5u);
  }
  for (const auto& ticket : tickets) admission.leave(ticket);
  RC_ASSERT(admission.connections() == 0u);
  RC_ASSERT(admission.unauthenticated() == 0u);
  RC_ASSERT(admission.prefixes() == 0u);
}

}  // namespace
}  // namespace kith::host
