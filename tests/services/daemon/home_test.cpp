#include "services/daemon/home.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>

namespace kith::daemon {
namespace {

std::map<std::string, std::string> variables;
const char* fake_env(const char* name) {
  const auto at = variables.find(name);
  return at == variables.end() ? nullptr : at->second.c_str();
}

class HomeFolder : public testing::Test {
 protected:
  HomeFolder() {
    variables.clear();
    std::string folder = testing::TempDir() + "kith-home-XXXXXX";
    root_ = ::mkdtemp(folder.data());
    home_ = {root_ + "/deep/home", root_ + "/deep/home"};
  }
  ~HomeFolder() override { std::filesystem::remove_all(root_); }
  static unsigned mode(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777u : 0;
  }

  std::string root_;
  Home home_;
};

TEST_F(HomeFolder, a_flag_or_a_variable_puts_all_in_one_folder) {
  variables = {{"KITH_HOME", "/k"}, {"HOME", "/u"}, {"XDG_DATA_HOME", "/d"}};
  EXPECT_EQ(find_home("/flag/", fake_env).value().data, "/flag");
  EXPECT_EQ(find_home("", fake_env).value().data, "/k");
  EXPECT_EQ(find_home("", fake_env).value().config_file(), "/k/config.toml");
  EXPECT_EQ(find_home("here", fake_env).value().data.front(), '/');
}

TEST_F(HomeFolder, otherwise_the_xdg_folders_are_used) {
  variables = {{"HOME", "/u"}};
  EXPECT_EQ(find_home("", fake_env).value().config, "/u/.config/kith");
  EXPECT_EQ(find_home("", fake_env).value().data, "/u/.local/share/kith");
  variables = {{"HOME", "/u"}, {"XDG_DATA_HOME", "/d"}, {"XDG_CONFIG_HOME", "relative"}};
  EXPECT_EQ(find_home("", fake_env).value().data, "/d/kith");
  EXPECT_EQ(find_home("", fake_env).value().config, "/u/.config/kith");
  variables.clear();
  EXPECT_EQ(find_home("", fake_env).error().code, Errc::configuration);
}

TEST_F(HomeFolder, is_made_for_its_owner_only) {
  ASSERT_TRUE(make_home(home_));
  EXPECT_EQ(mode(home_.data), 0700u);
  EXPECT_EQ(mode(home_.scratch_folder()), 0700u);
  EXPECT_TRUE(make_home(home_));
}

TEST_F(HomeFolder, that_others_can_enter_is_refused_with_the_command_that_mends_it) {
  ASSERT_TRUE(make_home(home_));
  ::chmod(home_.data.c_str(), 0755);
  const auto made = make_home(home_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::permission);
  EXPECT_EQ(made.error().fix, "chmod 700 " + home_.data);
  EXPECT_EQ(mode(home_.data), 0755u);
}

TEST_F(HomeFolder, a_second_daemon_is_told_who_holds_it) {
  ASSERT_TRUE(make_home(home_));
  EXPECT_FALSE(lock_holder(home_));
  {
    const auto lock = HomeLock::take(home_);
    ASSERT_TRUE(lock);
    const auto second = HomeLock::take(home_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::in_use);
    EXPECT_NE(second.error().why.find("process " + std::to_string(::getpid()) + " "),
              std::string::npos)
        << second.error().why;
    ASSERT_TRUE(lock_holder(home_));
    EXPECT_EQ(lock_holder(home_)->pid, ::getpid());
  }
  EXPECT_FALSE(lock_holder(home_));
  EXPECT_TRUE(HomeLock::take(home_));
}

TEST_F(HomeFolder, looking_at_the_lock_does_not_take_it) {
  ASSERT_TRUE(make_home(home_));
  ASSERT_TRUE(HomeLock::take(home_));
  const pid_t child = ::fork();
  if (child == 0)
    for (;;) (void)lock_holder(home_);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(HomeLock::take(home_)) << i;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(HomeFolder, the_lock_of_a_killed_daemon_is_free) {
  ASSERT_TRUE(make_home(home_));
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = HomeLock::take(home_);
    ::_exit(lock ? 0 : 1);  // without the destructor, as SIGKILL
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(HomeLock::take(home_));
}

}  // namespace
}  // namespace kith::daemon
