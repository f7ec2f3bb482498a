// A TOML document read strictly: every key must be known, every value of its type and in its range;
// an error names file, line and column, and for an unknown key the nearest known one.
//
// Keys are written with dots ("store.quota"). Bounds: kTomlDepthMax tables in tables,
// kLineDotsMax dots on a line; the text's size is the caller's. Attacker: a definition file that
// somebody was sent.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "schema/base/result.hpp"

namespace kith::daemon {

inline constexpr std::size_t kTomlDepthMax = 4;
inline constexpr std::size_t kLineDotsMax = 1000;  // a list of 64 names has some 300

struct Source {
  std::string name;  // file
  unsigned line = 0;
  unsigned column = 0;
  std::string text() const;  // "kith.toml:14:1"
};

using Value = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

struct Entry {
  std::string key;
  Value value;
  Source at;
};

// Every value of the document, in its order. Errors: configuration.
Result<std::vector<Entry>> read_toml(std::string_view text, const std::string& name);
Error unknown_key(const Entry& entry, std::span<const std::string_view> known);
// "store.quota must be ..."
Error wrong_value(const std::string& key, const std::string& at, std::string_view expected);

Result<std::string> read_file(const std::string& path, std::size_t size_max);

}  // namespace kith::daemon
