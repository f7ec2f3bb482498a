// The owner's files: good ones, and those that are cut, lie in their heads or hold nonsense.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "services/edil/data_source.hpp"

namespace kith::edil {
namespace {

using Raw = std::vector<std::uint8_t>;

void put_number(Raw& to, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8)
    to.push_back(static_cast<std::uint8_t>(number >> shift));
}

Raw images(std::uint32_t magic, std::uint32_t samples, std::uint32_t rows, std::uint32_t columns,
           std::size_t bytes) {
  Raw file;
  for (const std::uint32_t number : {magic, samples, rows, columns}) put_number(file, number);
  for (std::size_t i = 0; i < bytes; ++i) file.push_back(static_cast<std::uint8_t>(i * 51));
  return file;
}
Raw labels(std::uint32_t magic, std::uint32_t samples, const Raw& values) {
  Raw file;
  for (const std::uint32_t number : {magic, samples}) put_number(file, number);
  file.insert(file.end(), values.begin(), values.end());
  return file;
}
constexpr std::uint32_t kImages = 0x803, kLabels = 0x801;

Errc idx_error(const Raw& image_file, const Raw& label_file) {
  const auto read = parse_idx(image_file, label_file, 10);
  return read ? Errc::none : read.error().code;
}
Errc csv_error(std::string_view text) {
  const auto read = parse_csv(text, 10);
  return read ? Errc::none : read.error().code;
}

TEST(IdxFiles, bytes_become_zero_to_one_in_their_order) {
  const auto read = parse_idx(images(kImages, 2, 1, 3, 6), labels(kLabels, 2, {7, 0}), 10);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->inputs, 3u);
  EXPECT_EQ(read->labels, (Raw{7, 0}));
  ASSERT_EQ(read->features.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_FLOAT_EQ(read->features[i], static_cast<float>(i) * 0.2f);
}

TEST(IdxFiles, files_cut_anywhere_are_truncated) {
  const Raw good_images = images(kImages, 2, 1, 3, 6), good_labels = labels(kLabels, 2, {7, 0});
  for (std::size_t size = 0; size < good_images.size(); ++size)
    EXPECT_EQ(idx_error(Raw(good_images.begin(), good_images.begin() + static_cast<long>(size)),
                        good_labels),
              Errc::truncated)
        << size;
  for (std::size_t size = 0; size < good_labels.size(); ++size)
    EXPECT_EQ(idx_error(good_images,
                        Raw(good_labels.begin(), good_labels.begin() + static_cast<long>(size))),
              Errc::truncated)
        << size;
}

TEST(IdxFiles, heads_that_claim_more_than_there_is_or_may_be_are_refused_without_memory_for_it) {
  const Raw two = labels(kLabels, 2, {7, 0});
  constexpr std::uint32_t kHuge = 0xFFFFFFFF;
  EXPECT_EQ(idx_error(images(kImages, kHuge, 28, 28, 6), labels(kLabels, kHuge, {7, 0})),
            Errc::oversized);
  // The product of rows and columns would wrap in 32 bits, and in 64 with the samples.
  EXPECT_EQ(idx_error(images(kImages, 2, kHuge, kHuge, 6), two), Errc::oversized);
  EXPECT_EQ(idx_error(images(kImages, 2, 0x10000, 0x10000, 6), two), Errc::oversized);
  EXPECT_EQ(idx_error(images(kImages, 1u << 20, 64, 64, 6), labels(kLabels, 1u << 20, {7, 0})),
            Errc::oversized)
      << "each within its bound, all values together above theirs";
  EXPECT_EQ(idx_error(images(kImages, 16'000, 64, 64, 6), labels(kLabels, 16'000, {7, 0})),
            Errc::truncated)
      << "256 MiB that are not there";
  EXPECT_EQ(idx_error(images(kImages, 0, 1, 3, 0), labels(kLabels, 0, {})), Errc::oversized);
  EXPECT_EQ(idx_error(images(kImages, 2, 0, 3, 0), two), Errc::oversized);
  EXPECT_EQ(idx_error(images(kImages, 2, 1, 3, 7), two), Errc::oversized) << "a byte more";
}

TEST(IdxFiles, another_magic_and_unequal_counts_are_malformed_and_labels_beyond_the_task_unknown) {
  const Raw good_images = images(kImages, 2, 1, 3, 6), good_labels = labels(kLabels, 2, {7, 0});
  EXPECT_EQ(idx_error(images(0x0D03, 2, 1, 3, 6), good_labels), Errc::malformed) << "floats";
  EXPECT_EQ(idx_error(images(0x1F8B0800, 2, 1, 3, 6), good_labels), Errc::malformed) << "gzip";
  EXPECT_EQ(idx_error(good_images, labels(kImages, 2, {7, 0})), Errc::malformed);
  EXPECT_EQ(idx_error(good_labels, good_images), Errc::truncated) << "the two exchanged";
  EXPECT_EQ(idx_error(good_images, labels(kLabels, 1, {7})), Errc::malformed);
  EXPECT_EQ(idx_error(good_images, labels(kLabels, 2, {7, 10})), Errc::unsupported);
}

TEST(CsvFiles, a_head_blank_lines_and_both_kinds_of_line_ends_are_taken) {
  for (const std::string_view text :
       {"label,a,b\n3,0.5,-1e2\n\n9,1,0\n", "3,0.5,-1e2\r\n\r\n9,1,0\r\n", "3,0.5,-1e2\n9,1,0"}) {
    const auto read = parse_csv(text, 10);
    ASSERT_TRUE(read.has_value()) << text;
    EXPECT_EQ(read->inputs, 2u);
    EXPECT_EQ(read->labels, (Raw{3, 9}));
    EXPECT_EQ(read->features, (std::vector<float>{0.5f, -100.0f, 1.0f, 0.0f}));
  }
}

TEST(CsvFiles, whole_numbers_up_to_255_are_bytes_and_anything_else_is_as_it_stands) {
  EXPECT_EQ(parse_csv("1,0,255\n", 10)->features, (std::vector<float>{0, 1}));
  EXPECT_EQ(parse_csv("1,0,1\n", 10)->features, (std::vector<float>{0, 1}));
  EXPECT_EQ(parse_csv("1,0,256\n", 10)->features, (std::vector<float>{0, 256}));
  EXPECT_EQ(parse_csv("1,0.5,255\n", 10)->features, (std::vector<float>{0.5f, 255}));
}

TEST(CsvFiles, ragged_lines_are_malformed_and_named) {
  for (const std::string_view text : {"1,2,3\n1,2\n", "1,2,3\n1,2,3,4\n", "1,2,3\n1\n"}) {
    const auto read = parse_csv(text, 10);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, Errc::malformed);
    EXPECT_NE(read.error().what.find("line 2"), std::string::npos) << read.error().what;
  }
}

TEST(CsvFiles, what_is_not_finite_too_large_or_no_number_is_malformed) {
  for (const std::string_view bad :
       {"nan", "-nan", "inf", "-inf", "1e39", "1e7", "-1e7", "x", "", "1 2", "0x10", "1;2", "--1"})
    EXPECT_EQ(csv_error("1,2,3\n1,2," + std::string(bad) + "\n"), Errc::malformed) << bad;
  EXPECT_EQ(csv_error(std::string_view("1,2\n1,\0\n", 8)), Errc::malformed);
}

TEST(CsvFiles, labels_that_are_no_whole_number_below_the_tasks_are_malformed) {
  for (const std::string_view bad : {"10", "-1", "1.5", "1e30"})
    EXPECT_EQ(csv_error("1,2\n" + std::string(bad) + ",2\n"), Errc::malformed) << bad;
}

TEST(CsvFiles, files_of_no_samples_are_truncated_and_too_many_features_refused) {
  EXPECT_EQ(csv_error(""), Errc::truncated);
  EXPECT_EQ(csv_error("\n\r\n"), Errc::truncated);
  EXPECT_EQ(csv_error("label,a,b\n"), Errc::truncated);
  const auto line = [](std::size_t features) {
    std::string text = "1";
    for (std::size_t i = 0; i < features; ++i) text += ",2";
    return text + "\n";
  };
  EXPECT_EQ(csv_error(line(4096)), Errc::none);
  EXPECT_EQ(csv_error(line(4097)), Errc::malformed);
}

// --- from the disk

struct Folder {
  Folder() {
    char name[] = "/tmp/kith-edil-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const Raw& content) const {
    std::ofstream(path + "/" + name, std::ios::binary)
        .write(reinterpret_cast<const char*>(content.data()),
               static_cast<std::streamsize>(content.size()));
  }
  std::string path;
};

LoadData from(SourceKind kind, const std::string& path, std::uint32_t inputs) {
  LoadData what;
  what.source = {kind, path};
  what.shape = {ModelKind::softmax, inputs, 0, 10};
  what.kind = DataKind::own;
  return what;
}

TEST(LoadSamples, a_tenth_is_held_out_and_training_files_are_preferred_to_test_files) {
  const Folder folder;
  folder.write("t10k-images-idx3-ubyte", images(kImages, 1, 1, 3, 3));
  folder.write("t10k-labels-idx1-ubyte", labels(kLabels, 1, {1}));
  folder.write("train-images-idx3-ubyte", images(kImages, 20, 1, 3, 60));
  folder.write("train-labels-idx1-ubyte", labels(kLabels, 20, Raw(20, 4)));
  const auto loaded = load_samples(from(SourceKind::idx, folder.path, 3));
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->train->samples(), 18u);
  EXPECT_EQ(loaded->held_out->samples(), 2u);
}

TEST(LoadSamples, what_is_missing_no_file_or_does_not_fit_the_task_says_so) {
  const Folder folder;
  const auto code = [](const LoadData& what) {
    const auto loaded = load_samples(what);
    return loaded ? Errc::none : loaded.error().code;
  };
  EXPECT_EQ(code(from(SourceKind::csv, folder.path + "/none", 2)), Errc::not_found);
  EXPECT_EQ(code(from(SourceKind::csv, folder.path, 2)), Errc::not_found) << "a folder";
  EXPECT_EQ(code(from(SourceKind::csv, "/dev/zero", 2)), Errc::not_found) << "a device";
  EXPECT_EQ(code(from(SourceKind::idx, folder.path, 2)), Errc::not_found);
  EXPECT_EQ(code(from(SourceKind::idx, folder.path + "/none", 2)), Errc::not_found);
  folder.write("a.csv", {'1', ',', '2', '\n'});
  EXPECT_EQ(code(from(SourceKind::csv, folder.path + "/a.csv", 2)), Errc::configuration);
  EXPECT_EQ(code(from(SourceKind::csv, folder.path + "/a.csv", 1)), Errc::none);
  folder.write("empty.csv", {});
  EXPECT_EQ(code(from(SourceKind::csv, folder.path + "/empty.csv", 1)), Errc::truncated);
  std::filesystem::resize_file(folder.path + "/empty.csv", kDataBytesMax + 1);  // sparse
  EXPECT_EQ(code(from(SourceKind::csv, folder.path + "/empty.csv", 1)), Errc::oversized);
}

}  // namespace
}  // namespace kith::edil
