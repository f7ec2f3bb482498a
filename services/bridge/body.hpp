// Body: a JSON object from outside, read field by field into types. The first fault is kept and
// answers finish(), which also refuses fields that nobody asked for, naming the nearest known one.
//
// Bounds: kBodyMax bytes (checked by who reads them), kDepthMax levels. Attacker: whoever holds the
// token; the codec must stay in its bounds whatever is sent.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/base/time.hpp"
#include "schema/base/cid.hpp"
#include "schema/base/multiaddr.hpp"
#include "schema/base/result.hpp"

namespace kith::bridge {

inline constexpr std::size_t kDepthMax = 8;
inline constexpr std::size_t kPathMax = 4096;
inline constexpr std::size_t kTopicNameMax = 1024;

class Body {
 public:
  // An empty text is an empty object.
  static Result<Body> parse(std::string_view text);

  // A field that must be there.
  std::string text(std::string_view key, std::size_t size_max);
  std::string path(std::string_view key);  // absolute
  Multiaddr multiaddr(std::string_view key);
  PeerId peer_id(std::string_view key);
  Cid cid(std::string_view key);
  Bytes base64(std::string_view key);
  // A field that may be missing.
  std::string text_or(std::string_view key, std::size_t size_max, std::string_view otherwise);
  std::uint64_t number_or(std::string_view key, std::uint64_t otherwise, std::uint64_t min,
                          std::uint64_t max);
  bool flag_or(std::string_view key, bool otherwise);
  bool has(std::string_view key);  // and it is known from then on

  // A fault that the caller found in what it was given.
  void blame(Error error);
  Result<void> finish() const;

 private:
  explicit Body(boost::json::object object) : object_(std::move(object)) {}
  const boost::json::value* find(std::string_view key);
  const boost::json::value* need(std::string_view key);
  void blame(std::string_view key, std::string_view expected);
  template <class T>
  T take(std::string_view key, Result<T> (*read)(std::string_view));

  boost::json::object object_;
  std::vector<std::string_view> known_;
  std::optional<Error> error_;
};

}  // namespace kith::bridge
