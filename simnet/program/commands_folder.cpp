#include "simnet/program/commands.hpp"
#include "simnet/program/comparison.hpp"
#include "simnet/program/output_folder.hpp"
#include "simnet/program/page.hpp"
#include "simnet/program/progress_line.hpp"
#include "simnet/program/source.hpp"
#include "simnet/program/text.hpp"

namespace kith::simnet {

Result<Exit> execute(const ReplayCommand& command) {
  KITH_TRY(const Manifest before, read_manifest(command.folder));
  KITH_TRY(const auto hashes, read_hashes(command.folder));
  KITH_TRY(const bool unchanged, scenario_is_unchanged(command.folder, before));
  KITH_TRY(const Scenario scenario, load_scenario({command.folder + "/scenario.toml",
                                                   {{"seed", std::to_string(before.seed)}}}));
  ProgressLine line(command.quiet);
  RunHooks hooks;
  hooks.progress = [&](const RunProgress& progress) { line.on_progress(progress); };
  KITH_TRY(const RunResult result, run_scenario(scenario, hooks));
  line.clear();
  if (result.hash == before.hash) {
    KITH_TRY_VOID(print("the same run: hash " + hash_text(result.hash) + "\n"));
    return kExitOk;
  }
  std::string text = "another run: hash " + hash_text(result.hash) + ", and it was " +
                     hash_text(before.hash) + "\n";
  if (const auto second = first_difference(hashes, result.second_hashes))
    text += "they first differ in second " + grouped(static_cast<std::uint64_t>(*second)) + "\n";
  text += unchanged ? "another version of the program gives other runs; "
                      "`kith-sim verify` tells whether this one repeats itself\n"
                    : "scenario.toml is not what ran: it was changed since\n";
  KITH_TRY_VOID(print(text));
  return kExitFailed;
}

Result<Exit> execute(const DiffCommand& command) {
  KITH_TRY(const ReportData left, read_data(command.left));
  KITH_TRY(const ReportData right, read_data(command.right));
  KITH_TRY(const auto left_hashes, read_hashes(command.left));
  KITH_TRY(const auto right_hashes, read_hashes(command.right));
  std::string text = "left:  " + command.left + ", " + left.command + "\nright: " + command.right +
                     ", " + right.command + "\n\n" +
                     metrics_side_by_side(left.metrics, right.metrics) + "\n";
  const auto second = first_difference(left_hashes, right_hashes);
  if (left.hash == right.hash)
    text += "the same run: hash " + hash_text(left.hash) + "\n";
  else if (second)
    text += "they first differ in second " + grouped(static_cast<std::uint64_t>(*second)) + "\n";
  else
    text += "they differ after their last whole second\n";
  KITH_TRY_VOID(print(text));
  return kExitOk;
}

Result<Exit> execute(const ReportCommand& command) {
  KITH_TRY(const ReportData data, read_data(command.folder));
  const std::string path = command.folder + "/report.html";
  KITH_TRY_VOID(write_file(path, report_page(data)));
  KITH_TRY_VOID(print("report: " + path + "\n"));
  return kExitOk;
}

}  // namespace kith::simnet
