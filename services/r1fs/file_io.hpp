// The only file I/O of r1fs: users' files, read and written on the pool. Blocking calls; no state
// but the descriptor.
//
// Output is written under a temporary name beside the target (NAME.kith-part), locked while it is
// written; it gets its name when it is whole and synced. A part that a killed process left behind
// is not locked: the next get of that path takes it over.
#pragma once

#include <memory>
#include <string>

#include "services/r1fs/r1fs_effects.hpp"

namespace kith::r1fs {

class InputFile {
 public:
  // Errors: not_found, permission, io; directories and devices are refused with a fix.
  static Result<std::shared_ptr<InputFile>> open(const std::string& path);
  static std::shared_ptr<InputFile> of_memory(Bytes content);
  ~InputFile();
  std::uint64_t bytes() const { return bytes_; }
  // Leaf `index`: at most kLeafBytes, less at the end. Hashes it too.
  Result<HashedChunk> read(std::uint64_t index) const;
  // The file is what it was when it was opened: size, time of change.
  Result<void> check_unchanged() const;

 private:
  InputFile(std::string path, int descriptor, std::uint64_t bytes, std::int64_t changed)
      : path_(std::move(path)), descriptor_(descriptor), bytes_(bytes), changed_(changed) {}
  std::string path_;
  int descriptor_;
  std::uint64_t bytes_;
  std::int64_t changed_;  // ns
  Bytes content_;         // without a descriptor
};

class OutputFile {
 public:
  static Result<std::shared_ptr<OutputFile>> open(const std::string& path, bool overwrite);
  // Errors of write: oversized.
  static std::shared_ptr<OutputFile> in_memory(std::size_t bytes_max);
  ~OutputFile();  // removes the part when it was not finished
  bool in_memory() const { return descriptor_ < 0; }
  Bytes take_content() { return Bytes::adopt(std::exchange(content_, {})); }
  Result<void> write(std::uint64_t offset, ByteView data);
  Result<void> finish(std::uint64_t bytes);

 private:
  OutputFile(std::string path, std::string part, int descriptor, bool overwrite)
      : path_(std::move(path)),
        part_(std::move(part)),
        descriptor_(descriptor),
        overwrite_(overwrite) {}
  std::string path_;
  std::string part_;
  int descriptor_;
  bool overwrite_;
  bool finished_ = false;
  std::vector<std::uint8_t> content_;  // without a descriptor
  std::size_t content_max_ = 0;
};

}  // namespace kith::r1fs
