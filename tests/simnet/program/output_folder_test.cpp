#include "simnet/program/output_folder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>

#include "simnet/program/json_text.hpp"
#include "simnet/program/source.hpp"
#include "tests/simnet/program/support.hpp"

namespace kith::simnet {
namespace {

class OutputFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/kith-sim-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string root_;
};

RunResult a_result() {
  RunResult result;
  result.second_hashes = {{0, 0xabc}, {2, UINT64_MAX}};
  result.journal = {{Mono(1500ms), "crash", 3, "a \"quoted\"\nline"}, {Mono(2s), "log", {}, "x"}};
  return result;
}

std::size_t count(const std::string& text, char c) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), c));
}

TEST_F(OutputFolderTest, what_is_written_reads_back) {
  const std::string folder = root_ + "/deep/er";
  const auto out = OutputFolder::open(folder, false, "name = \"t\"\n");
  ASSERT_TRUE(out.has_value()) << describe(out.error());
  ASSERT_TRUE(out->write(a_run(), a_result()).has_value());
  const auto manifest = read_manifest(folder);
  ASSERT_TRUE(manifest.has_value()) << describe(manifest.error());
  EXPECT_EQ(manifest->hash, a_run().hash);
  EXPECT_EQ(manifest->seed, 7u);
  EXPECT_EQ(manifest->command, a_run().command);
  const auto hashes = read_hashes(folder);
  ASSERT_TRUE(hashes.has_value());
  EXPECT_EQ(*hashes, a_result().second_hashes);
  const auto data = read_data(folder);
  ASSERT_TRUE(data.has_value()) << describe(data.error());
  EXPECT_EQ(json_text(data_json(*data)), json_text(data_json(a_run())));
  EXPECT_TRUE(std::filesystem::exists(folder + "/report.html"));
}

TEST_F(OutputFolderTest, a_scenario_that_was_edited_after_the_run_is_noticed) {
  const auto out = OutputFolder::open(root_, false, "name = \"t\"\n");
  ASSERT_TRUE(out->write(a_run(), a_result()).has_value());
  const auto manifest = read_manifest(root_);
  ASSERT_TRUE(manifest.has_value()) << describe(manifest.error());
  EXPECT_TRUE(*scenario_is_unchanged(root_, *manifest));
  ASSERT_TRUE(write_file(root_ + "/scenario.toml", "name = \"u\"\n").has_value());
  EXPECT_FALSE(*scenario_is_unchanged(root_, *manifest));
}

TEST_F(OutputFolderTest, a_folder_that_holds_a_run_is_refused_and_left_alone) {
  ASSERT_TRUE(OutputFolder::open(root_, false, "first").has_value());
  const auto again = OutputFolder::open(root_, false, "second");
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::in_use);
  EXPECT_NE(again.error().fix.find("--overwrite"), std::string::npos);
  EXPECT_EQ(*read_file(root_ + "/scenario.toml", 100), "first");
}

TEST_F(OutputFolderTest, overwriting_leaves_nothing_of_the_run_before) {
  const auto out = OutputFolder::open(root_, false, "first");
  ASSERT_TRUE(out->write(a_run(), a_result()).has_value());
  ASSERT_TRUE(write_file(root_ + "/notes.txt", "mine").has_value());
  ASSERT_TRUE(OutputFolder::open(root_, true, "second").has_value());
  EXPECT_FALSE(read_manifest(root_).has_value());
  EXPECT_FALSE(std::filesystem::exists(root_ + "/report.html"));
  EXPECT_EQ(*read_file(root_ + "/notes.txt", 100), "mine");
}

TEST_F(OutputFolderTest, a_folder_that_cannot_be_made_is_an_error_before_the_run) {
  ASSERT_TRUE(write_file(root_ + "/file", "x").has_value());
  const auto out = OutputFolder::open(root_ + "/file/below", false, "s");
  ASSERT_FALSE(out.has_value());
  EXPECT_EQ(out.error().code, Errc::io);
}

TEST_F(OutputFolderTest, a_full_disk_is_named) {
  const auto written = write_file("/dev/full", "x");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, Errc::disk_full);
}

TEST_F(OutputFolderTest, a_folder_without_a_run_says_what_to_give) {
  const auto manifest = read_manifest(root_);
  ASSERT_FALSE(manifest.has_value());
  EXPECT_EQ(manifest.error().code, Errc::usage);
  ASSERT_TRUE(write_file(root_ + "/manifest.json", "{\"name\": 3}").has_value());
  EXPECT_EQ(read_manifest(root_).error().code, Errc::corrupt);
  ASSERT_TRUE(write_file(root_ + "/data.json", "{\"summary\": []}").has_value());
  EXPECT_EQ(read_data(root_).error().code, Errc::corrupt);
}

TEST(OutputFiles, a_csv_has_three_fields_a_row) {
  ReportData data = a_run();
  data.metrics["kv.a,\"b\".roots"] = 0.5;
  const std::string csv = metrics_csv(data);
  EXPECT_TRUE(csv.starts_with("second,metric,value\n0,events,1000\n0,bytes,5000000\n")) << csv;
  EXPECT_NE(csv.find("\n,\"kv.a,\"\"b\"\".roots\",0.5\n"), std::string::npos);
  EXPECT_NE(csv.find("\n,gossip.latency_ms_p50,105.08\n"), std::string::npos);
  std::size_t rows = 0;
  for (std::size_t at = 0; at < csv.size(); at = csv.find('\n', at) + 1) ++rows;
  EXPECT_EQ(rows, 1 + 90 * 5 + data.metrics.size());
}

TEST(OutputFiles, a_journal_line_is_one_line_of_json) {
  const std::string lines = events_jsonl(a_result().journal);
  EXPECT_EQ(count(lines, '\n'), 2u);
  const auto first = boost::json::parse(lines.substr(0, lines.find('\n')));
  EXPECT_EQ(first.at("at_s").to_number<double>(), 1.5);
  EXPECT_EQ(first.at("node").to_number<int>(), 3);
  EXPECT_EQ(first.at("text").as_string(), "a \"quoted\"\nline");
}

TEST(OutputFiles, the_summary_is_one_line_of_json_with_the_failures) {
  ReportData data = a_run();
  data.ok = false;
  data.verdicts[0].ok = false;
  const std::string line = json_text(summary_json(data));
  EXPECT_EQ(count(line, '\n'), 0u);
  const auto value = boost::json::parse(line);
  EXPECT_EQ(value.at("schema").to_number<int>(), 1);
  EXPECT_EQ(value.at("hash").as_string(), "0123456789abcdef");
  EXPECT_EQ(value.at("nodes").to_number<int>(), 1000);
  EXPECT_NEAR(value.at("events_per_cpu_s").to_number<double>(), 1'234'567.0 / 40, 1e-6);
  EXPECT_EQ(value.at("metrics").at("gossip.copies").to_number<double>(), 7.94);
  EXPECT_EQ(value.at("failed").as_array().size(), 1u);
  EXPECT_NE(line.find("\"rss_mib\":300.5"), std::string::npos) << line;
}

TEST(OutputFiles, the_first_second_that_differs_is_found_also_at_an_end) {
  using Hashes = std::vector<World::SecondHash>;
  const Hashes a{{0, 1}, {1, 2}, {3, 4}};
  EXPECT_EQ(first_difference(a, a), std::nullopt);
  EXPECT_EQ(first_difference(a, Hashes{{0, 1}, {1, 9}, {3, 9}}), 1);
  EXPECT_EQ(first_difference(a, Hashes{{0, 1}, {2, 2}, {3, 4}}), 1);
  EXPECT_EQ(first_difference(a, Hashes{{0, 1}, {1, 2}}), 3);
  EXPECT_EQ(first_difference(Hashes{}, a), 0);
}

}  // namespace
}  // namespace kith::simnet
