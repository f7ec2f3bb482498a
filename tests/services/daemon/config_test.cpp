#include "services/daemon/config.hpp"

#include <gtest/gtest.h>

#include <map>

namespace kith::daemon {
namespace {

std::map<std::string, std::string> variables;  // what fake_env knows
const char* fake_env(const char* name) {
  const auto at = variables.find(name);
  return at == variables.end() ? nullptr : at->second.c_str();
}

class Configuration : public testing::Test {
 protected:
  Configuration() { variables.clear(); }
  static Config good(std::string_view toml, const ConfigFlags& flags = {}) {
    auto config = parse_config(toml, "config.toml", flags, fake_env);
    if (config) return *config;
    ADD_FAILURE() << describe(config.error());
    return {};
  }
  static Error bad(std::string_view toml, const ConfigFlags& flags = {}) {
    auto config = parse_config(toml, "config.toml", flags, fake_env);
    if (!config) return config.error();
    ADD_FAILURE() << "accepted: " << toml;
    return {};
  }
};

TEST_F(Configuration, defaults_listen_on_both_families_and_keep_for_others) {
  const Config config = good("");
  ASSERT_EQ(config.listen.size(), 2u);
  EXPECT_EQ(config.listen[0].text(), "/ip4/0.0.0.0/tcp/4700");
  EXPECT_EQ(config.store_quota, 10ull << 30);
  EXPECT_EQ(config.keep_quota, 5ull << 30);
  EXPECT_TRUE(config.keep_enabled);
  EXPECT_EQ(config.network, "home");
}

TEST_F(Configuration, every_key_is_taken) {
  const Config config = good(R"(
network = "/etc/n.toml"
listen = ["/ip4/127.0.0.1/tcp/1"]
bootstrap = ["/dns4/example.org/tcp/2"]
[store]
quota = "1GiB"
free_floor = 1000
[keep]
enabled = false
quota = "100 MB"
[dht]
mode = "client"
[log]
level = "debug"
)");
  EXPECT_EQ(config.network, "/etc/n.toml");
  EXPECT_EQ(config.listen.at(0).text(), "/ip4/127.0.0.1/tcp/1");
  EXPECT_EQ(config.bootstrap.at(0).text(), "/dns4/example.org/tcp/2");
  EXPECT_EQ(config.store_quota, 1ull << 30);
  EXPECT_EQ(config.store_free_floor, 1000u);
  EXPECT_FALSE(config.keep_enabled);
  EXPECT_EQ(config.keep_quota, 100'000'000u);
  EXPECT_EQ(config.dht_mode, dht::Mode::client);
  EXPECT_EQ(config.log_level, Level::debug);
}

TEST_F(Configuration, a_flag_beats_the_environment_and_that_the_file) {
  const std::string toml = "listen = [\"/ip4/1.1.1.1/tcp/1\"]\nstore.quota = \"1GiB\"\n";
  variables["KITH_LISTEN"] = "/ip4/2.2.2.2/tcp/2,/ip4/3.3.3.3/tcp/3";
  variables["KITH_STORE__QUOTA"] = "2GiB";
  variables["KITH_KEEP__ENABLED"] = "false";
  const Config by_env = good(toml);
  EXPECT_EQ(by_env.listen.size(), 2u);
  EXPECT_EQ(by_env.listen.at(1).text(), "/ip4/3.3.3.3/tcp/3");
  EXPECT_EQ(by_env.store_quota, 2ull << 30);
  EXPECT_FALSE(by_env.keep_enabled);
  ConfigFlags flags;
  flags.listen = {"/ip4/4.4.4.4/tcp/4"};
  const Config by_flag = good(toml, flags);
  ASSERT_EQ(by_flag.listen.size(), 1u);
  EXPECT_EQ(by_flag.listen[0].text(), "/ip4/4.4.4.4/tcp/4");
}

TEST_F(Configuration, an_unknown_key_is_named_with_its_place_and_the_nearest) {
  const Error error = bad("network = \"home\"\n\n  listne = []\n");
  EXPECT_EQ(error.code, Errc::configuration);
  EXPECT_EQ(error.what, "config.toml:3:3: the key \"listne\" is unknown");
  EXPECT_EQ(error.fix, "did you mean 'listen'?");
  EXPECT_EQ(bad("[store]\nqouta = 1\n").fix, "did you mean 'store.quota'?");
  EXPECT_NE(bad("[banana]\nx = 1\n").fix.find("log.level"), std::string::npos);
}

TEST_F(Configuration, the_first_mistake_in_the_file_is_told_first) {
  EXPECT_NE(bad("zzz = 1\naaa = 1\n").what.find(":1:1"), std::string::npos);
}

TEST_F(Configuration, values_of_another_type_or_range_are_refused_with_their_place) {
  for (const char* toml :
       {"network = 1", "network = \"\"", "listen = \"/ip4/1.1.1.1/tcp/1\"", "listen = [1]",
        "listen = [\"x\"]", "listen = [\"/ip4/1.1.1.1/tcp/1\", 1]", "store.quota = -1",
        "store.quota = 1", "store.quota = \"1 potato\"", "store.quota = 1.5", "store = 1",
        "keep.enabled = \"yes\"", "keep.enabled = 1", "dht.mode = \"auto\"", "log.level = \"loud\"",
        "log.level = 2020-01-01", "store.quota = \"99999999999TiB\"", "listen = [[]]"}) {
    const Error error = bad(toml);
    EXPECT_EQ(error.code, Errc::configuration) << toml;
    EXPECT_NE(error.what.find("config.toml:1:"), std::string::npos) << error.what;
  }
}

TEST_F(Configuration, mistakes_in_variables_and_flags_name_them) {
  variables["KITH_LOG__LEVEL"] = "loud";
  EXPECT_NE(bad("").what.find("KITH_LOG__LEVEL"), std::string::npos);
  variables.clear();
  ConfigFlags flags;
  flags.listen = {"4700"};
  EXPECT_NE(bad("", flags).what.find("--listen"), std::string::npos);
}

TEST_F(Configuration, what_is_not_toml_is_told_with_its_place) {
  const Error error = bad("network = \"home\"\nlisten = [\n");
  EXPECT_EQ(error.code, Errc::configuration);
  EXPECT_NE(error.what.find("config.toml:"), std::string::npos);
  EXPECT_NE(error.why, "");
}

TEST_F(Configuration, a_key_as_deep_as_the_file_is_long_is_refused) {
  std::string key = "a";
  while (key.size() + 10 < kConfigFileMax) key += ".a";
  EXPECT_NE(bad("network = \"home\"\n" + key + " = 1\n").what.find("config.toml:2:"),
            std::string::npos);
  EXPECT_EQ(bad(key.substr(0, 1999) + " = 1\n").code, Errc::configuration);
  EXPECT_EQ(bad("a = " + std::string(kConfigFileMax, '[')).code, Errc::configuration);
}

TEST_F(Configuration, keepers_get_no_more_than_the_whole_quota) {
  EXPECT_EQ(good("store.quota = \"1GiB\"").keep_quota, 1ull << 30);
}

TEST(Size, units_are_binary_and_decimal) {
  EXPECT_EQ(parse_size("0").value(), 0u);
  EXPECT_EQ(parse_size("10 GiB").value(), 10ull << 30);
  EXPECT_EQ(parse_size("3kB").value(), 3000u);
  EXPECT_EQ(parse_size("16777215TiB").value(), 16777215ull << 40);
  for (const char* text :
       {"", "x", "-1", "1e3", "1 gib", "1GiBs", "16777216TiB", "18446744073709551616", " 1"})
    EXPECT_FALSE(parse_size(text)) << text;
}

}  // namespace
}  // namespace kith::daemon
