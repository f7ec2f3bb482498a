#include "net/crypto/identity_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "tests/support/fixture.hpp"

namespace kith::crypto {
namespace {

namespace fs = std::filesystem;

class IdentityFile : public testing::Test {
 protected:
  IdentityFile() {
    std::string pattern = (fs::temp_directory_path() / "kith-identity-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    folder_ = base_ + "/home";
    path_ = folder_ + "/identity.key";
  }
  ~IdentityFile() override { fs::remove_all(base_); }

  Result<Identity> start() { return load_or_make_identity(path_, rng_); }
  void put(ByteView content, mode_t mode = 0600) {
    fs::create_directories(folder_);
    ::chmod(folder_.c_str(), 0700);
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << as_text(content);
    ::chmod(path_.c_str(), mode);
  }
  std::string content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static mode_t mode_of(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0);
    return info.st_mode & 07777;
  }
  void expect_refused(Errc code, const std::string& fix) {
    const auto identity = start();
    ASSERT_FALSE(identity);
    EXPECT_EQ(identity.error().code, code) << describe(identity.error());
    EXPECT_NE(identity.error().fix.find(fix), std::string::npos) << describe(identity.error());
    EXPECT_FALSE(identity.error().why.empty());
  }

  Rng rng_{1};
  std::string base_, folder_, path_;
};

TEST_F(IdentityFile, first_start_makes_a_private_key_file_in_a_private_folder) {
  const mode_t before = ::umask(0);
  const auto identity = start();
  ::umask(before);
  ASSERT_TRUE(identity) << describe(identity.error());
  EXPECT_EQ(mode_of(folder_), 0700u);
  EXPECT_EQ(mode_of(path_), 0600u);
  EXPECT_EQ(content(), as_text(identity->encode()));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(IdentityFile, folders_above_are_made_too) {
  folder_ = base_ + "/share/kith/home";
  path_ = folder_ + "/identity.key";
  ASSERT_TRUE(start());
  EXPECT_EQ(mode_of(folder_), 0700u);
}

TEST_F(IdentityFile, later_starts_read_the_same_identity) {
  const auto first = start();
  ASSERT_TRUE(first);
  const std::string before = content();
  for (int i = 0; i < 3; ++i) {
    const auto again = start();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->id(), first->id());
  }
  EXPECT_EQ(content(), before);
}

TEST_F(IdentityFile, key_that_js_wrote_is_read) {
  put(fixture("js/ed25519_private_key.bin"));
  const auto identity = start();
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->id().text(), "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5");
}

TEST_F(IdentityFile, wider_file_modes_are_refused_with_the_command_that_helps) {
  ASSERT_TRUE(start());
  for (const mode_t mode : {0644u, 0640u, 0604u, 0660u, 0610u, 0666u}) {
    ::chmod(path_.c_str(), mode);
    expect_refused(Errc::permission, "chmod 600 " + path_);
  }
  ::chmod(path_.c_str(), 0600);
  EXPECT_TRUE(start());
}

TEST_F(IdentityFile, wider_folder_modes_are_refused_with_the_command_that_helps) {
  ASSERT_TRUE(start());
  ::chmod(folder_.c_str(), 0755);
  expect_refused(Errc::permission, "chmod 700 " + folder_);
  fs::remove(path_);
  expect_refused(Errc::permission, "chmod 700 " + folder_);
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(IdentityFile, wrong_sizes_are_refused_and_the_file_stays) {
  const Bytes good = fixture("keys/ed25519_private_key.bin");
  for (const std::size_t size : {0u, 1u, 10u, 67u}) {
    put(good.slice(0, size));
    expect_refused(Errc::corrupt, "mv " + path_ + " " + path_ + ".broken");
    EXPECT_EQ(content(), good.slice(0, size).text());
  }
  auto longer = good.to_vector();
  longer.push_back('\n');
  put(longer);
  expect_refused(Errc::corrupt, "restore it from a backup");
}

TEST_F(IdentityFile, wrong_content_is_refused) {
  auto bytes = fixture("keys/ed25519_private_key.bin").to_vector();
  bytes.back() ^= 1;
  put(bytes);
  expect_refused(Errc::corrupt, "restore it from a backup");
  put(std::vector<std::uint8_t>(kPrivateKeyBytes));
  expect_refused(Errc::corrupt, "restore it from a backup");
}

TEST_F(IdentityFile, symbolic_link_is_refused) {
  put(fixture("keys/ed25519_private_key.bin"));
  fs::rename(path_, folder_ + "/elsewhere");
  fs::create_symlink(folder_ + "/elsewhere", path_);
  expect_refused(Errc::permission, "cp --remove-destination");
}

TEST_F(IdentityFile, folder_or_pipe_in_its_place_is_refused) {
  fs::create_directories(path_);
  ::chmod(folder_.c_str(), 0700);
  ::chmod(path_.c_str(), 0700);
  expect_refused(Errc::corrupt, "mv ");
  fs::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  expect_refused(Errc::corrupt, "mv ");
}

TEST_F(IdentityFile, somebody_elses_file_is_refused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_TRUE(start());
  ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
  expect_refused(Errc::permission, "chown");
  ASSERT_EQ(::chown(path_.c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(folder_.c_str(), 65534, 65534), 0);
  expect_refused(Errc::permission, "chown");
}

TEST_F(IdentityFile, suggested_command_quotes_what_a_shell_would_split) {
  path_ = folder_ + "/it's mine.key";
  put(as_bytes("short"));
  expect_refused(Errc::corrupt, "'" + folder_ + "/it'\\''s mine.key'");
}

TEST_F(IdentityFile, loading_never_makes_one) {
  const auto identity = load_identity(path_);
  ASSERT_FALSE(identity);
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(IdentityFile, starts_at_the_same_moment_agree_on_one_key) {
  std::vector<std::string> ids(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < ids.size(); ++i)
    threads.emplace_back([this, i, &ids] {
      Rng rng(100 + i);
      const auto identity = load_or_make_identity(path_, rng);
      ids[i] = identity ? identity->id().text() : describe(identity.error());
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 1u) << ids[0] << ids[1];
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

}  // namespace
}  // namespace kith::crypto
