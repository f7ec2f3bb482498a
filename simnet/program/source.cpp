#include "simnet/program/source.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "schema/base/base_encoding.hpp"
#include "schema/base/nearest.hpp"

namespace kith::simnet {

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             &std::fclose);
  if (!file)
    return fail(errno == ENOENT || errno == ENOTDIR ? Errc::not_found : Errc::io,
                path + " cannot be read", std::strerror(errno));
  std::string text;
  char piece[65536];
  while (const std::size_t got = std::fread(piece, 1, sizeof piece, file.get())) {
    text.append(piece, got);
    if (text.size() > bytes_max)
      return fail(Errc::oversized,
                  path + " is longer than " + std::to_string(bytes_max) + " bytes");
  }
  if (std::ferror(file.get()))
    return fail(errno == EISDIR ? Errc::not_found : Errc::io, path + " cannot be read",
                std::strerror(errno));
  return text;
}

Result<Shipped> find_shipped(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Shipped& shipped : shipped_scenarios()) {
    if (shipped.name == name) return shipped;
    names.push_back(shipped.name);
  }
  return fail(Errc::usage, "there is no scenario " + quote_text(name), {},
              suggest_name(name, names) + " (kith-sim scenario ls)");
}

Result<Scenario> load_scenario(const Source& source) {
  const std::string& name = source.name;
  const bool path = name.find('/') != std::string::npos || name.ends_with(".toml");
  const auto shipped = find_shipped(name);
  if (!path && shipped) return read_scenario(shipped->text, name + " (shipped)", source.overrides);
  auto text = read_file(name, kScenarioBytesMax);
  if (text) return read_scenario(*text, name, source.overrides);
  Error error = text.error();
  if (error.code == Errc::oversized) error.fix = "give a scenario; this is something else";
  if (error.code != Errc::not_found) return error;
  if (!path) return shipped.error();
  error.code = Errc::usage;
  error.fix = "give the path of a scenario, or a name of `kith-sim scenario ls`";
  return error;
}

}  // namespace kith::simnet
