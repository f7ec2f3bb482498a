#include "net/host/protocol_registry.hpp"

#include <gtest/gtest.h>

namespace kith::host {
namespace {

class Nobody final : public Protocol {};

TEST(ProtocolRegistry, serves_what_is_registered_and_switched_on) {
  ProtocolRegistry registry;
  Nobody nobody;
  const auto first = registry.add({.ids = {"/b/2", "/b/1"}}, nobody);
  const auto second = registry.add({.ids = {"/a"}, .serve = false}, nobody);
  EXPECT_EQ(registry.served(), (std::vector<std::string>{"/b/1", "/b/2"}));
  EXPECT_EQ(registry.serving("/b/1")->index, first);
  EXPECT_EQ(registry.serving("/b/1")->id, "/b/1");
  EXPECT_FALSE(registry.serving("/a"));
  EXPECT_FALSE(registry.serving("/b/"));
  EXPECT_FALSE(registry.set_serving(second, false));
  EXPECT_TRUE(registry.set_serving(second, true));
  EXPECT_EQ(registry.serving("/a")->index, second);
}

TEST(ProtocolRegistry, picks_our_preference_among_what_the_peer_speaks) {
  ProtocolRegistry registry;
  Nobody nobody;
  const auto index = registry.add({.ids = {"/x/3", "/x/1", "/x/2"}}, nobody);
  const std::vector<std::string> spoken = {"/x/1", "/x/2", "/y"};
  EXPECT_EQ(*registry.pick(index, spoken), "/x/1");
  EXPECT_EQ(registry.pick(index, std::vector<std::string>{"/y"}), nullptr);
}

}  // namespace
}  // namespace kith::host
