#include "simnet/program/output_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "schema/base/sha256.hpp"
#include "simnet/program/json_text.hpp"
#include "simnet/program/page.hpp"
#include "simnet/program/source.hpp"
#include "simnet/program/text.hpp"

namespace kith::simnet {
namespace {

constexpr std::array<const char*, 7> kFiles{"manifest.json", "scenario.toml", "metrics.csv",
                                            "events.jsonl",  "hashes.csv",    "data.json",
                                            "report.html"};

Error failed(const std::string& path, int error) {
  if (error == ENOSPC || error == EDQUOT)
    return fail(Errc::disk_full, path + " cannot be written: the disk is full",
                std::strerror(error), "free some space, or choose another folder with --out");
  return fail(Errc::io, path + " cannot be written", std::strerror(error),
              "choose another folder with --out");
}

std::string hex(const Sha256Digest& digest) {
  std::string text;
  char two[4];
  for (const std::uint8_t byte : digest) {
    std::snprintf(two, sizeof two, "%02x", unsigned{byte});
    text += two;
  }
  return text;
}

ByteView view(const std::string& text) {
  return ByteView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

}  // namespace

Result<void> write_file(const std::string& path, std::string_view content) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return failed(path, errno);
  while (!content.empty()) {
    const ssize_t took = ::write(file, content.data(), content.size());
    if (took < 0 && errno == EINTR) continue;
    if (took < 0) {
      const int error = errno;
      ::close(file);
      return failed(path, error);
    }
    content.remove_prefix(static_cast<std::size_t>(took));
  }
  if (::close(file) != 0) return failed(path, errno);
  return {};
}

Result<OutputFolder> OutputFolder::open(const std::string& path, bool overwrite,
                                        const std::string& scenario) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    return fail(Errc::io, "the folder " + path + " cannot be made", error.message(),
                "choose another folder with --out");
  for (const char* name : kFiles) {
    const std::string file = path + "/" + name;
    if (!std::filesystem::exists(file, error)) continue;
    if (!overwrite)
      return fail(Errc::in_use, "the folder " + path + " already holds a run", "there is " + file,
                  "--overwrite replaces it; or choose another folder with --out");
    if (!std::filesystem::remove(file, error)) return failed(file, error.value());
  }
  KITH_TRY_VOID(write_file(path + "/scenario.toml", scenario));
  return OutputFolder(path, scenario);
}

Result<void> OutputFolder::write(const ReportData& data, const RunResult& result) const {
  KITH_TRY_VOID(write_file(path_ + "/metrics.csv", metrics_csv(data)));
  KITH_TRY_VOID(write_file(path_ + "/hashes.csv", hashes_csv(result.second_hashes)));
  KITH_TRY_VOID(write_file(path_ + "/events.jsonl", events_jsonl(result.journal)));
  KITH_TRY_VOID(write_file(path_ + "/data.json", json_text(data_json(data)) + "\n"));
  KITH_TRY_VOID(write_file(report_path(), report_page(data)));
  const boost::json::object manifest{{"schema", 1},
                                     {"name", data.name},
                                     {"seed", data.seed},
                                     {"commit", data.commit},
                                     {"version", data.version},
                                     {"scenario_sha256", hex(sha256(view(scenario_)))},
                                     {"command", data.command},
                                     {"started", data.started},
                                     {"summary", summary_json(data)}};
  return write_file(path_ + "/manifest.json", json_text(manifest, JsonShape::pretty) + "\n");
}

std::string metrics_csv(const ReportData& data) {
  std::string out = "second,metric,value\n";
  for (const Second& s : data.seconds)
    for (const auto& [name, value] : {std::pair{"events", s.events},
                                      {"bytes", s.bytes},
                                      {"up", s.up},
                                      {"published", s.published},
                                      {"heard", s.heard}})
      out += std::to_string(s.second) + "," + name + "," + std::to_string(value) + "\n";
  // Those of the whole run have no second.
  for (const auto& [name, value] : data.metrics)
    out += "," + csv_field(name) + "," + json_text(json_number(value)) + "\n";
  return out;
}

std::string hashes_csv(const std::vector<World::SecondHash>& hashes) {
  std::string out = "second,hash\n";
  for (const auto& one : hashes)
    out += std::to_string(one.second) + "," + hash_text(one.hash) + "\n";
  return out;
}

std::string events_jsonl(const std::vector<JournalLine>& journal) {
  std::string out;
  for (const JournalLine& line : journal) {
    boost::json::object one{
        {"at_s", static_cast<double>(line.at.time_since_epoch().count()) * 1e-9},
        {"kind", line.kind}};
    if (line.node) one["node"] = *line.node;
    one["text"] = line.text;
    out += json_text(one) + "\n";
  }
  return out;
}

Result<Manifest> read_manifest(const std::string& folder) {
  const std::string path = folder + "/manifest.json";
  auto text = read_file(path, 1u << 22);
  if (!text && text.error().code == Errc::not_found)
    return fail(Errc::usage, folder + " holds no run that ended", "there is no " + path,
                "give the folder of a `kith-sim run --out`");
  if (!text) return text.error();
  KITH_TRY(const boost::json::value value, read_json(*text, path));
  try {  // what is not as we wrote it: one answer for all of it
    const auto& from = value.as_object();
    return Manifest{
        std::string(from.at("name").as_string()), std::string(from.at("command").as_string()),
        std::string(from.at("scenario_sha256").as_string()),
        from.at("seed").to_number<std::uint64_t>(),
        std::stoull(std::string(from.at("summary").at("hash").as_string()), nullptr, 16)};
  } catch (const std::exception& thrown) {
    return fail(Errc::corrupt, path + " is not the manifest of a run", thrown.what());
  }
}

Result<bool> scenario_is_unchanged(const std::string& folder, const Manifest& manifest) {
  KITH_TRY(const std::string text, read_file(folder + "/scenario.toml", kScenarioBytesMax));
  return hex(sha256(view(text))) == manifest.scenario_sha256;
}

Result<ReportData> read_data(const std::string& folder) {
  const std::string path = folder + "/data.json";
  auto text = read_file(path, kDataBytesMax);
  if (!text && text.error().code == Errc::not_found)
    return fail(Errc::usage, folder + " holds no run that ended", "there is no " + path,
                "give the folder of a `kith-sim run --out`");
  if (!text) return text.error();
  return read_data_json(*text, path);
}

Result<std::vector<World::SecondHash>> read_hashes(const std::string& folder) {
  const std::string path = folder + "/hashes.csv";
  KITH_TRY(const std::string text, read_file(path, kDataBytesMax));
  std::vector<World::SecondHash> hashes;
  std::size_t at = text.find('\n');
  while (at != std::string::npos && at + 1 < text.size()) {
    long long second = 0;
    unsigned long long hash = 0;
    if (std::sscanf(text.c_str() + at + 1, "%lld,%16llx", &second, &hash) != 2)
      return fail(Errc::corrupt, path + " is not a list of hashes");
    hashes.push_back({second, hash});
    at = text.find('\n', at + 1);
  }
  return hashes;
}

std::optional<std::int64_t> first_difference(const std::vector<World::SecondHash>& left,
                                             const std::vector<World::SecondHash>& right) {
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    if (i >= left.size()) return right[i].second;
    if (i >= right.size()) return left[i].second;
    if (left[i] != right[i]) return std::min(left[i].second, right[i].second);
  }
  return std::nullopt;
}

}  // namespace kith::simnet
