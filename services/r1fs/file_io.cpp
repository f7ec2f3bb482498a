#include "services/r1fs/file_io.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "services/r1fs/tree_builder.hpp"

namespace kith::r1fs {
namespace {

Error system_error(const std::string& what, int number) {
  const std::string why = std::strerror(number);
  switch (number) {
    case ENOENT:
      return fail(Errc::not_found, what, why, "check the path");
    case EACCES:
    case EPERM:
      return fail(Errc::permission, what, why, "check the permissions of that path");
    case ENOSPC:
    case EDQUOT:
      return fail(Errc::disk_full, what, why, "free space on that volume, or choose another path");
    default:
      return fail(Errc::io, what, why, "check the disk and the path");
  }
}

std::int64_t change_time(const struct stat& status) {
  return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::shared_ptr<InputFile>> InputFile::open(const std::string& path) {
  // O_NONBLOCK: a pipe without a writer must not stop the pool; it is refused below.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return system_error("cannot read " + path, errno);
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  std::shared_ptr<InputFile> file(new InputFile(
      path, descriptor, static_cast<std::uint64_t>(status.st_size), change_time(status)));
  if (!known) return system_error("cannot read " + path, errno);
  if (S_ISDIR(status.st_mode))
    return fail(Errc::unsupported, path + " is a folder", "only single files can be added",
                "add its files one by one, or an archive of it");
  if (!S_ISREG(status.st_mode))
    return fail(Errc::unsupported, path + " is not a regular file", {},
                "pipe it into kith file add with - as the path");
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  return file;
}

std::shared_ptr<InputFile> InputFile::of_memory(Bytes content) {
  std::shared_ptr<InputFile> file(new InputFile("an object", -1, content.size(), 0));
  file->content_ = std::move(content);
  return file;
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<HashedChunk> InputFile::read(std::uint64_t index) const {
  const std::uint64_t offset = index * kLeafBytes;
  const std::uint64_t left = offset < bytes_ ? bytes_ - offset : 0;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, kLeafBytes));
  int failed = 0;
  HashedChunk chunk;
  if (descriptor_ < 0) {
    chunk.data = content_.slice(static_cast<std::size_t>(offset), size);
    chunk.cid = Cid::v1(kCodecRaw, Multihash::of_sha256(chunk.data));
    return chunk;
  }
  chunk.data = Bytes::make_up_to(size, [&](std::span<std::uint8_t> to) {
    std::size_t at = 0;
    while (at < to.size()) {
      const ssize_t got =
          ::pread(descriptor_, to.data() + at, to.size() - at, static_cast<off_t>(offset + at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) failed = errno;
      if (got <= 0) break;
      at += static_cast<std::size_t>(got);
    }
    return at;
  });
  if (failed != 0) return system_error("cannot read " + path_, failed);
  chunk.cid = Cid::v1(kCodecRaw, Multihash::of_sha256(chunk.data));
  return chunk;
}

Result<void> InputFile::check_unchanged() const {
  if (descriptor_ < 0) return {};
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return system_error("cannot read " + path_, errno);
  if (static_cast<std::uint64_t>(status.st_size) == bytes_ && change_time(status) == changed_)
    return {};
  return fail(Errc::io, path_ + " changed while it was read", {},
              "add it again when nothing writes to it");
}

Result<std::shared_ptr<OutputFile>> OutputFile::open(const std::string& path, bool overwrite) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode))
      return fail(Errc::in_use, path + " is a folder", {}, "name a file in it with --out");
    if (!overwrite)
      return fail(Errc::in_use, path + " exists already", {},
                  "choose another path with --out, or allow it with --overwrite");
  }
  const std::string part = path + ".kith-part";
  const int descriptor = ::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return system_error("cannot write to " + folder_of(path), errno);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return fail(Errc::in_use, path + " is being written by another request", part,
                "wait for it, or choose another path with --out");
  }
  // Whoever held the lock before may have removed the name since we opened it.
  struct stat named {};
  if (::fstat(descriptor, &status) != 0 || ::lstat(part.c_str(), &named) != 0 ||
      status.st_ino != named.st_ino || status.st_dev != named.st_dev) {
    ::close(descriptor);
    return fail(Errc::in_use, path + " is being written by another request", part,
                "try again, or choose another path with --out");
  }
  std::shared_ptr<OutputFile> file(new OutputFile(path, part, descriptor, overwrite));
  if (::ftruncate(descriptor, 0) != 0) return system_error("cannot write " + part, errno);
  return file;
}

std::shared_ptr<OutputFile> OutputFile::in_memory(std::size_t bytes_max) {
  std::shared_ptr<OutputFile> file(new OutputFile("an object", {}, -1, false));
  file->content_max_ = bytes_max;
  return file;
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  if (!finished_) ::unlink(part_.c_str());
  ::close(descriptor_);
}

Result<void> OutputFile::write(std::uint64_t offset, ByteView data) {
  if (descriptor_ < 0) {
    if (offset > content_max_ || data.size() > content_max_ - offset)
      return fail(Errc::oversized, "the object is larger than what is asked for");
    const auto at = static_cast<std::size_t>(offset);
    content_.resize(std::max(content_.size(), at + data.size()));
    std::copy(data.begin(), data.end(), content_.begin() + static_cast<std::ptrdiff_t>(at));
    return {};
  }
  for (std::size_t at = 0; at < data.size();) {
    const ssize_t put =
        ::pwrite(descriptor_, data.data() + at, data.size() - at, static_cast<off_t>(offset + at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error("cannot write " + part_, errno);
    at += static_cast<std::size_t>(put);
  }
  return {};
}

Result<void> OutputFile::finish(std::uint64_t bytes) {
  if (descriptor_ < 0) {
    if (content_.size() == bytes) return {};
    return fail(Errc::io, "the object is not as long as it was written");
  }
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return system_error("cannot write " + part_, errno);
  if (static_cast<std::uint64_t>(status.st_size) != bytes)
    return fail(Errc::io, part_ + " is not as long as it was written", {},
                "see who else writes into that folder");
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fsync(descriptor_) != 0 || ::fchmod(descriptor_, 0666 & ~mask) != 0)
    return system_error("cannot write " + part_, errno);
  // Without leave to overwrite a file that appeared meanwhile stays: link fails where rename would
  // replace.
  const bool named = overwrite_ ? ::rename(part_.c_str(), path_.c_str()) == 0
                                : ::link(part_.c_str(), path_.c_str()) == 0;
  if (!named) return system_error("cannot name the file " + path_, errno);
  if (!overwrite_) ::unlink(part_.c_str());
  finished_ = true;
  const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && ::fsync(folder) == 0;
  if (folder >= 0) ::close(folder);
  if (!synced) return system_error("cannot sync the folder of " + path_, errno);
  return {};
}

}  // namespace kith::r1fs
