#include "services/daemon/toml_reader.hpp"

#include <toml++/toml.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "schema/base/base_encoding.hpp"
#include "schema/base/nearest.hpp"

namespace kith::daemon {
namespace {

Source source_of(const toml::source_region& region, const std::string& name) {
  return {name, region.begin.line, region.begin.column};
}

Error bad_type(const std::string& key, const Source& at) {
  return wrong_value(key, at.text(), "a text, a whole number, true or false, or a list of texts");
}

Result<Value> value_of(const toml::node& node, const std::string& key, const Source& at) {
  if (const auto* text = node.as_string()) return Value(text->get());
  if (const auto* number = node.as_integer()) return Value(number->get());
  if (const auto* flag = node.as_boolean()) return Value(flag->get());
  const auto* array = node.as_array();
  if (array == nullptr) return bad_type(key, at);
  std::vector<std::string> texts;
  for (const toml::node& item : *array) {
    const auto* text = item.as_string();
    if (text == nullptr) return bad_type(key, at);
    texts.push_back(text->get());
  }
  return Value(std::move(texts));
}

Result<void> read_table(const toml::table& table, const std::string& prefix,
                        const std::string& name, std::size_t depth, std::vector<Entry>& out) {
  for (const auto& [key, node] : table) {
    const std::string full = prefix + std::string(key.str());
    const Source at = source_of(key.source(), name);
    if (const auto* inner = node.as_table()) {
      if (depth == kTomlDepthMax)
        return fail(Errc::configuration, at.text() + ": this is nested too deeply");
      KITH_TRY_VOID(read_table(*inner, full + ".", name, depth + 1, out));
      continue;
    }
    KITH_TRY(Value value, value_of(node, full, at));
    out.push_back({full, std::move(value), at});
  }
  return {};
}

// A dotted key makes a table for each of its dots, and the parser frees them by recursion: a key of
// many thousand dots, which stands on one line, would overflow the stack.
std::optional<unsigned> line_of_many_dots(std::string_view text) {
  std::size_t dots = 0;
  unsigned line = 1;
  for (const char c : text) {
    if (c == '.' && ++dots > kLineDotsMax) return line;
    if (c != '\n') continue;
    dots = 0;
    ++line;
  }
  return std::nullopt;
}

}  // namespace

std::string Source::text() const {
  if (line == 0) return name;
  return name + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Result<std::vector<Entry>> read_toml(std::string_view text, const std::string& name) {
  if (const auto line = line_of_many_dots(text))
    return fail(Errc::configuration, Source{name, *line, 1}.text() + ": this line is too deep",
                "it has more than " + std::to_string(kLineDotsMax) + " dots");
  std::vector<Entry> out;
  try {  // the packaged library is built to throw
    KITH_TRY_VOID(read_table(toml::parse(text), "", name, 0, out));
  } catch (const toml::parse_error& error) {
    return fail(Errc::configuration, source_of(error.source(), name).text() + ": this is not TOML",
                std::string(error.description()));
  }
  std::sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
  });
  return out;
}

Error unknown_key(const Entry& entry, std::span<const std::string_view> known) {
  return fail(Errc::configuration,
              entry.at.text() + ": the key " + quote_text(entry.key) + " is unknown", {},
              suggest_name(entry.key, known));
}

Error wrong_value(const std::string& key, const std::string& at, std::string_view expected) {
  return fail(Errc::configuration, at + ": the value of '" + key + "' cannot be used", {},
              "give it " + std::string(expected));
}

Result<std::string> read_file(const std::string& path, std::size_t size_max) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr)
    return fail(errno == ENOENT ? Errc::not_found : Errc::io, path + " cannot be read",
                std::strerror(errno));
  std::string text(size_max + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  const bool failed = std::ferror(file) != 0;
  std::fclose(file);
  if (failed) return fail(Errc::io, path + " cannot be read");
  if (text.size() > size_max)
    return fail(Errc::oversized, path + " is too long",
                std::to_string(size_max) + " bytes are possible");
  return text;
}

}  // namespace kith::daemon
