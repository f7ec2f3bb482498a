#include "services/bridge/token.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace kith::bridge {
namespace {

class Token : public testing::Test {
 protected:
  Token() {
    std::string folder = testing::TempDir() + "kith-token-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
    path_ = folder_ + "/api.token";
  }
  ~Token() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& text) { std::ofstream(path_) << text; }

  std::string folder_;
  std::string path_;
  Rng rng_{1};
};

TEST_F(Token, is_made_once_and_readable_by_the_owner_only) {
  const std::string made = load_or_make_token(path_, rng_).value();
  EXPECT_EQ(made.size(), kTokenDigits);
  EXPECT_EQ(load_or_make_token(path_, rng_).value(), made);
  EXPECT_EQ(load_token(path_).value(), made);
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
}

TEST_F(Token, that_others_can_read_is_refused) {
  (void)load_or_make_token(path_, rng_);
  ::chmod(path_.c_str(), 0644);
  EXPECT_EQ(load_or_make_token(path_, rng_).error().code, Errc::permission);
}

TEST_F(Token, that_is_damaged_is_refused_and_not_replaced) {
  for (const std::string& text : {std::string(), std::string(63, 'a'), std::string(65, 'a'),
                                  std::string(64, 'x'), std::string(10'000, 'a')}) {
    std::filesystem::remove(path_);
    write(text);
    ::chmod(path_.c_str(), 0600);
    EXPECT_EQ(load_or_make_token(path_, rng_).error().code, Errc::corrupt) << text.size();
    EXPECT_EQ(std::filesystem::file_size(path_), text.size());
  }
}

TEST_F(Token, a_link_is_refused) {
  std::filesystem::create_symlink("/etc/hostname", path_);
  EXPECT_FALSE(load_or_make_token(path_, rng_));
}

TEST_F(Token, missing_is_not_found) { EXPECT_EQ(load_token(path_).error().code, Errc::not_found); }

}  // namespace
}  // namespace kith::bridge
