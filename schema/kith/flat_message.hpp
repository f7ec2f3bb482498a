// Cap'n Proto at the edge: one segment, bounded, its exceptions turned into Results.
#pragma once

#include "schema/kith/capnp_compat.hpp"

// The library's headers do not meet our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>
#pragma GCC diagnostic pop

#include <array>
#include <cstring>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::schema {

inline constexpr int kNestingMax = 4;

// Encodes `Root` filled by fill(Root::Builder): the words of the one segment, without a segment
// table.
template <class Root, class Fill>
Bytes encode_flat(Fill&& fill) {
  capnp::MallocMessageBuilder builder(16u << 10);
  fill(builder.initRoot<Root>());
  const auto segments = builder.getSegmentsForOutput();
  if (segments.size() == 1) {
    const auto bytes = segments[0].asBytes();
    return Bytes::copy(ByteView(bytes.begin(), bytes.size()));
  }
  // Larger than the first segment: copy into one that is large enough.
  std::size_t words = 8;
  for (const auto& segment : segments) words += segment.size();
  capnp::MallocMessageBuilder whole(static_cast<kj::uint>(words));
  whole.setRoot(builder.getRoot<Root>().asReader());
  const auto bytes = whole.getSegmentsForOutput()[0].asBytes();
  return Bytes::copy(ByteView(bytes.begin(), bytes.size()));
}

// Calls read(Root::Reader) -> Result<T>. Errors: malformed, oversized, truncated (it ends within a
// word, or would follow its schema if zeros came behind it), and read's own.
template <class Root, class T, class Read>
Result<T> decode_flat(ByteView bytes, std::size_t bytes_max, Read&& read) {
  if (bytes.size() > bytes_max) return fail(Errc::oversized, "message above its maximum");
  if (bytes.empty() || bytes.size() % 8 != 0)
    return fail(Errc::truncated, "message is not whole words");
  // Words must be aligned; a message is small, so it is copied once.
  std::vector<std::uint64_t> words(bytes.size() / 8);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  const auto follows = [&](Result<T>& result) {
    const std::array<kj::ArrayPtr<const capnp::word>, 1> segments = {
        kj::ArrayPtr<const capnp::word>(reinterpret_cast<const capnp::word*>(words.data()),
                                        words.size())};
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 8 * words.size() + 64;
    options.nestingLimit = kNestingMax;
    return kj::runCatchingExceptions([&] {
             capnp::SegmentArrayMessageReader reader(kj::arrayPtr(segments.data(), segments.size()),
                                                     options);
             result = read(reader.getRoot<Root>());
           }) == nullptr;
  };
  Result<T> result = fail(Errc::malformed, "message does not follow its schema");
  if (follows(result)) return result;
  words.resize(bytes_max / 8);
  Result<T> padded = fail(Errc::malformed, "message does not follow its schema");
  if (follows(padded)) return fail(Errc::truncated, "message ends before what it holds");
  return fail(Errc::malformed, "message does not follow its schema");
}

inline ByteView view_of(capnp::Data::Reader data) { return {data.begin(), data.size()}; }
inline capnp::Data::Reader data_of(ByteView bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace kith::schema
