#include "simnet/scenario/scenario_toml.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdio>

#include "schema/base/base_encoding.hpp"
#include "schema/base/nearest.hpp"
#include "simnet/scenario/fields.hpp"
#include "simnet/scenario/units.hpp"

namespace kith::simnet {
namespace {

struct Place {
  std::string file;
  std::string text(const toml::source_region& at) const {
    if (!at.begin) return file;
    return file + ":" + std::to_string(at.begin.line) + ":" + std::to_string(at.begin.column);
  }
};

// Reads one table; the first error wins and stays.
class Reader {
 public:
  Reader(const toml::table& table, std::string prefix, const Place& place,
         std::optional<Error>& error)
      : table_(table), prefix_(std::move(prefix)), place_(place), error_(error) {}

  void time(const char* key, Duration& out, Duration least, Duration most) {
    quantity(
        key, "a time such as \"25ms\" or \"1m30s\"",
        [&](const std::string& text) {
          const auto value = parse_duration(text);
          if (!value || *value < least || *value > most) return false;
          out = *value;
          return true;
        },
        "from " + duration_text(least) + " to " + duration_text(most));
  }
  // A rate or the time between two.
  void interval(const char* key, Duration& out) {
    quantity(key, "a rate such as \"120/s\" or a time such as \"5s\"",
             [&](const std::string& text) {
               auto value = parse_rate(text);
               if (!value) value = parse_duration(text);
               if (!value || *value > kUntilMax) return false;
               out = *value;
               return true;
             });
  }
  template <class T>
  void size(const char* key, T& out, std::uint64_t least, std::uint64_t most) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    std::optional<std::uint64_t> value;
    if (const auto* number = node->as_integer(); number != nullptr && number->get() >= 0)
      value = static_cast<std::uint64_t>(number->get());
    else if (const auto* text = node->as_string())
      value = text->get() == "unlimited" ? most : parse_size(text->get());
    if (!value || *value < least || *value > most)
      return wrong(key, *node,
                   "a size such as \"2KiB\" or \"10MiB\"" +
                       (most < UINT64_MAX ? " up to " + size_text(most)
                                          : std::string(", or \"unlimited\"")));
    out = static_cast<T>(*value);
  }
  void bandwidth(const char* key, std::uint64_t& out) {
    quantity(key, "a bandwidth such as \"50Mbit/s\", or \"unlimited\"",
             [&](const std::string& text) {
               const auto value = parse_bandwidth(text);
               if (value) out = *value;
               return value.has_value();
             });
  }
  void share(const char* key, std::uint32_t& out) {
    quantity(key, "a share such as \"10%\" or \"200ppm\"", [&](const std::string& text) {
      const auto value = parse_share(text);
      if (value) out = *value;
      return value.has_value();
    });
  }
  template <class T>
  void number(const char* key, T& out, std::uint64_t least, std::uint64_t most) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* value = node->as_integer();
    if (value == nullptr || value->get() < 0 || static_cast<std::uint64_t>(value->get()) < least ||
        static_cast<std::uint64_t>(value->get()) > most)
      return wrong(key, *node,
                   "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    out = static_cast<T>(value->get());
  }
  void real(const char* key, double& out, bool& has) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto value = node->value<double>();
    if (!value || !(*value >= -1e18 && *value <= 1e18)) return wrong(key, *node, "a number");
    out = *value;
    has = true;
  }
  void flag(const char* key, bool& out) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* value = node->as_boolean();
    if (value == nullptr) return wrong(key, *node, "true or false");
    out = value->get();
  }
  void text(const char* key, std::string& out) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* value = node->as_string();
    if (value == nullptr || value->get().size() > 1024)
      return wrong(key, *node, "a text of at most 1024 letters");
    out = value->get();
  }
  void texts(const char* key, std::vector<std::string>& out, std::size_t most) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* array = node->as_array();
    std::vector<std::string> read;
    if (array != nullptr && array->size() <= most)
      for (const toml::node& item : *array)
        if (const auto* text = item.as_string()) read.push_back(text->get());
    if (array == nullptr || read.size() != array->size())
      return wrong(key, *node, "a list of at most " + std::to_string(most) + " texts");
    out = std::move(read);
  }
  void matrix(const char* key, std::vector<std::vector<std::uint32_t>>& out, std::size_t side,
              std::uint32_t most) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* rows = node->as_array();
    std::vector<std::vector<std::uint32_t>> read;
    if (rows != nullptr)
      for (const toml::node& row : *rows) {
        read.emplace_back();
        if (const auto* cells = row.as_array())
          for (const toml::node& cell : *cells)
            if (const auto* value = cell.as_integer();
                value != nullptr && value->get() >= 0 && value->get() <= most)
              read.back().push_back(static_cast<std::uint32_t>(value->get()));
      }
    bool square = read.size() == side;
    for (const auto& row : read) square = square && row.size() == side;
    if (!square)
      return wrong(key, *node,
                   "a row for each of `regions`, each with a whole number from 0 to " +
                       std::to_string(most) + " for each of them");
    out = std::move(read);
  }
  template <class E, std::size_t N>
  void choice(const char* key, E& out, const std::array<std::string_view, N>& names) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* value = node->as_string();
    for (std::size_t i = 0; value != nullptr && i < N; ++i)
      if (names[i] == value->get()) {
        out = static_cast<E>(i);
        return;
      }
    std::string list;
    for (const std::string_view name : names)
      list += (list.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    wrong(key, *node, "one of " + list);
  }
  template <class T>
  void table(const char* key, T& out) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* inner = node->as_table();
    if (inner == nullptr) return wrong(key, *node, "a table, [" + prefix_ + key + "]");
    Reader reader(*inner, prefix_ + key + ".", place_, error_);
    describe(reader, out);
    reader.finish();
  }
  template <class T, class Make>
  void list(const char* key, std::vector<T>& out, std::size_t most, Make&& make) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* array = node->as_array();
    if (array == nullptr || array->size() > most)
      return wrong(key, *node, "at most " + std::to_string(most) + " tables, [[" + key + "]]");
    out.clear();
    for (const toml::node& item : *array) {
      const auto* inner = item.as_table();
      if (inner == nullptr) return wrong(key, item, std::string("tables, [[") + key + "]]");
      out.push_back(make());
      Reader reader(*inner, prefix_ + key + ".", place_, error_);
      describe(reader, out.back());
      reader.finish();
    }
  }

  // What was not asked for is not known.
  void finish() {
    if (error_) return;
    std::vector<std::string_view> known(known_.begin(), known_.end());
    for (const auto& [key, node] : table_) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      error_ = fail(Errc::configuration,
                    place_.text(key.source()) + ": the key " +
                        quote_text(prefix_ + std::string(key.str())) + " is unknown",
                    {}, suggest_name(key.str(), known));
      return;
    }
  }

 private:
  const toml::node* take(const char* key) {
    known_.emplace_back(key);
    return error_ ? nullptr : table_.get(key);
  }
  template <class Parse>
  void quantity(const char* key, const std::string& expected, Parse&& parse,
                const std::string& range = {}) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* text = node->as_string();
    if (text == nullptr || !parse(text->get()))
      wrong(key, *node, expected + (range.empty() ? "" : ", " + range));
  }
  void wrong(const char* key, const toml::node& node, const std::string& expected) {
    if (error_) return;
    error_ =
        fail(Errc::configuration,
             place_.text(node.source()) + ": the value of '" + prefix_ + key + "' cannot be used",
             {}, "give it " + expected);
  }

  const toml::table& table_;
  std::string prefix_;
  const Place& place_;
  std::optional<Error>& error_;
  std::vector<std::string> known_;
};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\u%04x", static_cast<unsigned>(c));
      out += hex;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// Writes plain values first, then tables and lists of them.
class Writer {
 public:
  explicit Writer(std::string prefix) : prefix_(std::move(prefix)) {}
  void time(const char* key, Duration& v, Duration, Duration) {
    line(key, quoted(duration_text(v)));
  }
  void interval(const char* key, Duration& v) { line(key, quoted(duration_text(v))); }
  template <class T>
  void size(const char* key, T& v, std::uint64_t, std::uint64_t most) {
    line(key, quoted(v == most && most == UINT64_MAX ? "unlimited" : size_text(v)));
  }
  void bandwidth(const char* key, std::uint64_t& v) { line(key, quoted(bandwidth_text(v))); }
  void share(const char* key, std::uint32_t& v) { line(key, quoted(share_text(v))); }
  template <class T>
  void number(const char* key, T& v, std::uint64_t, std::uint64_t) {
    line(key, std::to_string(v));
  }
  void real(const char* key, double& v, bool& has) {
    if (!has) return;
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", v);
    std::string number = text;
    if (number.find_first_of(".e") == std::string::npos) number += ".0";
    line(key, number);
  }
  void flag(const char* key, bool& v) { line(key, v ? "true" : "false"); }
  void text(const char* key, std::string& v) { line(key, quoted(v)); }
  void texts(const char* key, std::vector<std::string>& v, std::size_t) {
    std::string list;
    for (const std::string& item : v) list += (list.empty() ? "" : ", ") + quoted(item);
    line(key, "[" + list + "]");
  }
  void matrix(const char* key, std::vector<std::vector<std::uint32_t>>& v, std::size_t,
              std::uint32_t) {
    if (v.empty()) return;
    std::string rows;
    for (const auto& row : v) {
      std::string cells;
      for (const std::uint32_t cell : row)
        cells += (cells.empty() ? "" : ", ") + std::to_string(cell);
      rows += "\n  [" + cells + "],";
    }
    line(key, "[" + rows + "\n]");
  }
  template <class E, std::size_t N>
  void choice(const char* key, E& v, const std::array<std::string_view, N>& names) {
    line(key, quoted(std::string(names[static_cast<std::size_t>(v)])));
  }
  template <class T>
  void table(const char* key, T& v) {
    Writer inner(prefix_ + key + ".");
    describe(inner, v);
    tables_ += "\n[" + prefix_ + key + "]\n" + inner.text();
  }
  template <class T, class Make>
  void list(const char* key, std::vector<T>& v, std::size_t, Make&&) {
    for (T& item : v) {
      Writer inner(prefix_ + key + ".");
      describe(inner, item);
      tables_ += "\n[[" + prefix_ + key + "]]\n" + inner.text();
    }
  }
  std::string text() const { return lines_ + tables_; }

 private:
  void line(const char* key, const std::string& value) {
    lines_ += std::string(key) + " = " + value + "\n";
  }
  std::string prefix_, lines_, tables_;
};

// Steps through tables and, by number, through lists of them. Null: there is no such place.
toml::table* walk(toml::table& root, std::string_view path) {
  toml::node* at = &root;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    const std::string key(path.substr(0, dot));
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
    if (auto* table = at->as_table()) {
      if (table->get(key) == nullptr) table->insert(key, toml::table{});
      at = table->get(key);
    } else if (auto* array = at->as_array()) {
      const bool number = !key.empty() && key.size() < 6 &&
                          key.find_first_not_of("0123456789") == std::string::npos;
      if (!number || std::stoul(key) >= array->size()) return nullptr;
      at = array->get(std::stoul(key));
    } else {
      return nullptr;
    }
  }
  return at->as_table();
}

Result<void> put_override(toml::table& root, const Override& change) {
  const std::size_t dot = change.key.rfind('.');
  const std::string last = dot == std::string::npos ? change.key : change.key.substr(dot + 1);
  toml::table* to = walk(root, dot == std::string::npos ? "" : change.key.substr(0, dot));
  if (to == nullptr)
    return fail(Errc::configuration, "--set " + change.key + ": there is no such place",
                "a list's tables are named by their numbers, from 0", "as in work.0.every=10/s");
  try {
    toml::table parsed = toml::parse("v = " + change.value);
    if (parsed.size() == 1) {
      to->insert_or_assign(last, *parsed.get("v"));
      return {};
    }
  } catch (const toml::parse_error&) {
    // A text without its quotes.
  }
  to->insert_or_assign(last, change.value);
  return {};
}

// A dotted key makes a table for each dot, freed by recursion.
bool has_deep_line(std::string_view text) {
  std::size_t dots = 0;
  for (const char c : text) {
    if (c == '\n') dots = 0;
    if ((c == '.' || c == '[' || c == '{') && ++dots > 1000) return true;
  }
  return false;
}

}  // namespace

Result<Override> parse_override(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || text.size() > 4096 || has_deep_line(text))
    return fail(Errc::usage, "--set " + quote_text(text) + " is not KEY=VALUE", {},
                "--set link.latency=50ms");
  return Override{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Result<Scenario> read_scenario(std::string_view text, const std::string& name,
                               const std::vector<Override>& overrides) {
  const Place place{name};
  if (text.size() > kScenarioBytesMax)
    return fail(Errc::oversized, name + ": a scenario has at most 1 MiB");
  if (has_deep_line(text)) return fail(Errc::configuration, name + ": a line is nested too deeply");
  Scenario scenario;
  std::optional<Error> error;
  try {  // the packaged library is built to throw
    toml::table root = toml::parse(text);
    for (const Override& change : overrides) KITH_TRY_VOID(put_override(root, change));
    Reader reader(root, "", place, error);
    describe(reader, scenario);
    reader.finish();
  } catch (const toml::parse_error& thrown) {
    return fail(Errc::configuration, place.text(thrown.source()) + ": this is not TOML",
                std::string(thrown.description()));
  }
  if (error) return *error;
  KITH_TRY_VOID(check_scenario(scenario, name));
  return scenario;
}

std::string scenario_text(const Scenario& scenario) {
  Scenario copy = scenario;  // one description walks both ways
  Writer writer("");
  describe(writer, copy);
  return writer.text();
}

}  // namespace kith::simnet
