#include "services/daemon/network.hpp"

#include <gtest/gtest.h>

namespace kith::daemon {
namespace {

TEST(Network, the_id_is_the_name_and_eight_digits_of_the_canonical_texts_hash) {
  EXPECT_EQ(home_network().canonical(), "kith network 1\nname=home\nepoch_seconds=86400\n");
  // printf 'kith network 1\nname=home\nepoch_seconds=86400\n' | sha256sum
  EXPECT_EQ(home_network().id(), "home-c3dd1d36");
}

TEST(Network, two_of_one_name_that_differ_have_different_ids) {
  const auto a = parse_network("name = \"lab\"\n", "a").value();
  const auto b = parse_network("name = \"lab\"\nepoch_seconds = 3600\n", "b").value();
  EXPECT_NE(a.id(), b.id());
  EXPECT_TRUE(a.id().starts_with("lab-"));
  EXPECT_EQ(a.id().size(), 12u);
}

TEST(Network, order_comments_and_bootstrap_do_not_change_the_id) {
  const auto a = parse_network("name = \"lab\"\nepoch_seconds = 3600\n", "a").value();
  const auto b = parse_network(
                     "# ours\nbootstrap = [\"/ip4/1.2.3.4/tcp/5\"]\nepoch_seconds = 3600\n"
                     "name = \"lab\"\n",
                     "b")
                     .value();
  EXPECT_EQ(a.id(), b.id());
  EXPECT_EQ(b.bootstrap.size(), 1u);
}

TEST(Network, bad_definitions_are_refused_with_their_place) {
  for (const char* text :
       {"", "name = \"\"", "name = \"Home\"", "name = \"1a\"", "name = \"a/b\"", "name = 1",
        "name = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "name = \"a\"\nepoch_seconds = 59",
        "name = \"a\"\nepoch_seconds = 604801", "name = \"a\"\nepoch_seconds = \"60\"",
        "name = \"a\"\nbootstrap = [\"x\"]", "name = \"a\"\nbootstrap = \"x\"",
        "name = \"a\"\nepoch_secnds = 60"}) {
    const auto network = parse_network(text, "n.toml");
    ASSERT_FALSE(network) << text;
    EXPECT_EQ(network.error().code, Errc::configuration) << text;
    EXPECT_TRUE(network.error().what.starts_with("n.toml:")) << network.error().what;
  }
}

TEST(Network, an_unknown_name_says_that_a_path_is_wanted) {
  const auto network = find_network("hoem");
  ASSERT_FALSE(network);
  EXPECT_NE(network.error().fix.find("path"), std::string::npos);
  EXPECT_EQ(find_network("/nowhere/n.toml").error().code, Errc::not_found);
}

TEST(Network, an_interval_of_its_own_makes_another_network_and_must_divide_the_epoch) {
  const std::string lab = "name = \"lab\"\nepoch_seconds = 60\n";
  const auto usual = parse_network(lab, "f");
  const auto spelled = parse_network(lab + "beat_seconds = 10\n", "f");
  const auto quick = parse_network(lab + "beat_seconds = 1\n", "f");
  ASSERT_TRUE(usual && spelled && quick);
  EXPECT_EQ(usual->id(), spelled->id());
  EXPECT_NE(usual->id(), quick->id());
  for (const char* bad : {"7", "0", "61", "20", "\"10\""})
    EXPECT_FALSE(parse_network(lab + "beat_seconds = " + bad + "\n", "f").has_value()) << bad;
  EXPECT_FALSE(
      parse_network("name = \"lab\"\nepoch_seconds = 604800\nbeat_seconds = 1\n", "f").has_value());
}

}  // namespace
}  // namespace kith::daemon
