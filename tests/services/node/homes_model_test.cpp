// Random adds, removals, reads, restarts and crashes of one home against a naive model: which files
// it has, and which blocks those are made of.
#include <set>

#include "services/r1fs/tree_builder.hpp"
#include "tests/services/node/homes.hpp"

namespace kith::node::test {
namespace {

constexpr int kSteps = 200;
constexpr std::size_t kPieces = 4;  // whole leaves that files share
constexpr std::uint64_t kCountCommits = 1'000'000;

struct File {
  std::string content;
  std::map<Multihash, std::size_t> blocks;  // of its tree, with sizes
};

class Model {
 public:
  explicit Model(std::uint64_t seed) : rng_(seed), homes_({{}}, seed) {
    for (std::size_t i = 0; i < kPieces; ++i) {
      std::vector<std::uint8_t> piece(r1fs::kLeafBytes);
      Rng(i + 1).fill(piece);
      pieces_.emplace_back(piece.begin(), piece.end());
    }
    homes_.disk(0).faults.write_delay = 2ms;
    wait_until_ready();
  }

  void step() {
    switch (rng_.below(8)) {
      case 0:
      case 1:
      case 2:
        return add();
      case 3:
      case 4:
        return remove();
      case 5:
        return read();
      case 6:
        return crash_in_the_middle();
      default:
        return restart();
    }
  }
  void check() {
    std::map<Multihash, std::size_t> blocks;
    for (const auto& [cid, file] : files_) blocks.insert(file.blocks.begin(), file.blocks.end());
    std::uint64_t bytes = 0;
    for (const auto& [hash, size] : blocks) bytes += size;
    const r1fs::StorageStatus storage = homes_.node(0).status().storage;
    ASSERT_EQ(storage.own_bytes, bytes);
    ASSERT_EQ(storage.blocks, blocks.size());
    ASSERT_EQ(storage.kept_bytes, 0u);
    homes_.cluster().run_for(20ms);
    ASSERT_EQ(entries("r1fs_blocks"), blocks.size()) << "bytes of no file, or none of one";
    ASSERT_EQ(entries("r1fs_meta"), blocks.size());
    ASSERT_EQ(entries("r1fs_files"), files_.size());
    const auto list = homes_.ask_file(0, FileList{});
    ASSERT_TRUE(list.has_value());
    std::set<std::string> listed, expected;
    for (const r1fs::FileInfo& file : list->files) listed.insert(file.cid.text());
    for (const auto& [cid, file] : files_) expected.insert(cid);
    ASSERT_EQ(listed, expected);
  }
  void read_all() {
    for (const auto& [cid, file] : files_) expect_whole(cid, file);
  }
  void remove_all() {
    while (!files_.empty()) remove();
    homes_.cluster().run_for(100ms);
    EXPECT_EQ(entries("r1fs_blocks"), 0u);
  }

 private:
  std::size_t entries(std::string_view family);
  void wait_until_ready() {
    ASSERT_TRUE(homes_.cluster().run_until([&] { return homes_.home(0).ready; }, 10s));
    homes_.cluster().run_for(50ms);
  }
  std::string some_content() {
    std::string content;
    const std::uint64_t leaves = rng_.below(4);
    for (std::uint64_t i = 0; i < leaves; ++i) content += pieces_[rng_.below(kPieces)];
    const std::size_t tails[] = {0, 1, 1000};
    return content + pieces_[0].substr(0, tails[rng_.below(3)]);
  }
  static std::pair<std::string, File> file_of(const std::string& content) {
    File file{content, {}};
    r1fs::TreeBuilder builder;
    std::vector<r1fs::Block> nodes;
    for (std::size_t at = 0; at == 0 || at < content.size(); at += r1fs::kLeafBytes) {
      const Bytes leaf = Bytes::copy(as_bytes(content.substr(at, r1fs::kLeafBytes)));
      const Cid cid = Cid::v1(kCodecRaw, Multihash::of_sha256(leaf));
      file.blocks[cid.hash()] = leaf.size();
      builder.add_leaf(cid, leaf.size(), nodes);
    }
    const Cid root = builder.finish(nodes);
    for (const r1fs::Block& node : nodes) file.blocks[node.cid.hash()] = node.data.size();
    return {root.text(), std::move(file)};
  }
  std::string write_input(const std::string& content) {
    std::ofstream(homes_.path("in"), std::ios::binary) << content;
    return homes_.path("in");
  }
  r1fs::Visibility some_visibility() {
    return rng_.below(2) == 0 ? r1fs::Visibility::public_ : r1fs::Visibility::local;
  }
  const std::pair<const std::string, File>& some_file() {
    return *std::next(files_.begin(), static_cast<std::ptrdiff_t>(rng_.below(files_.size())));
  }

  void add() {
    auto [root, file] = file_of(some_content());
    const auto cid = homes_.add(0, write_input(file.content), 0, some_visibility());
    ASSERT_TRUE(cid.has_value()) << describe(cid.error());
    ASSERT_EQ(cid->text(), root);
    files_[root] = std::move(file);
  }
  void remove() {
    if (files_.empty()) return;
    const std::string root = some_file().first;
    const auto removed = homes_.ask_file(0, FileRemove{*Cid::parse(root)});
    ASSERT_TRUE(removed.has_value()) << describe(removed.error());
    files_.erase(root);
  }
  void read() {
    if (files_.empty()) return;
    const auto& [root, file] = some_file();
    expect_whole(root, file);
  }
  void expect_whole(const std::string& root, const File& file) {
    const auto got =
        homes_.ask_file(0, FileGet{{*Cid::parse(root), homes_.path("out"), false, true}});
    ASSERT_TRUE(got.has_value()) << describe(got.error());
    ASSERT_TRUE(homes_.content("out") == file.content);
  }
  void restart() {
    homes_.cluster().crash(0);
    homes_.disk(0).crash();
    homes_.cluster().restart(0);
    wait_until_ready();
  }
  // An add or a removal is under way: it has happened, or it has not.
  void crash_in_the_middle() {
    auto [root, file] = file_of(some_content());
    const bool adds = files_.empty() || rng_.below(2) == 0;
    if (!adds) root = some_file().first;
    Request request = FileRemove{*Cid::parse(root)};
    if (adds) request = FileAdd{{write_input(file.content), "f", some_visibility(), 0}};
    store::MemoryFaults& faults = homes_.disk(0).faults;
    faults.fail_commit = kCountCommits;
    const std::uint64_t commits = 1 + rng_.below(2);
    (void)homes_.node(0).start_request(std::move(request), 10s, homes_.home(0).asked);
    homes_.cluster().run_until([&] { return kCountCommits - faults.fail_commit >= commits; }, 1s);
    homes_.cluster().run_for(std::chrono::milliseconds(rng_.below(4)));
    restart();
    faults.fail_commit = 0;
    const auto stat = homes_.ask_file(0, FileList{});
    ASSERT_TRUE(stat.has_value());
    bool there = false;
    for (const r1fs::FileInfo& one : stat->files) there = there || one.cid.text() == root;
    if (adds && there) files_[root] = std::move(file);
    if (!adds && !there) files_.erase(root);
  }

  Rng rng_;
  Homes homes_;
  std::vector<std::string> pieces_;
  std::map<std::string, File> files_;  // by the text of their CIDs
};

// What is on the disk, whatever the home believes.
struct Counter final : StoreSink {
  std::optional<std::size_t> found;
  void on_persisted(Now, std::uint64_t, Result<void>) override {}
  void on_read(Now, std::uint64_t, Result<std::optional<Bytes>>) override {}
  void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>> all, bool more) override {
    EXPECT_FALSE(more);
    found = all->size();
  }
};

std::size_t Model::entries(std::string_view family) {
  const std::shared_ptr<store::MemoryDisk> disk(std::shared_ptr<void>(), &homes_.disk(0));
  store::MemoryStore probe(disk, homes_.cluster().loop(0));
  Counter counter;
  StoreScan scan;
  scan.family = probe.family(family);
  scan.keys_only = true;
  probe.scan(std::move(scan), counter, 0);
  homes_.cluster().run_until([&] { return counter.found.has_value(); }, 1s);
  return counter.found.value_or(999);
}

class HomesModel : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, HomesModel, testing::Range<std::uint64_t>(1, 7));

TEST_P(HomesModel, what_was_acknowledged_is_readable_and_bytes_are_those_of_the_files) {
  Model model(GetParam());
  for (int i = 0; i < kSteps && !HasFatalFailure(); ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    model.step();
    model.check();
    if (i % 20 == 19) model.read_all();
  }
  if (!HasFatalFailure()) model.remove_all();
}

}  // namespace
}  // namespace kith::node::test
