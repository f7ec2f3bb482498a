#include <memory>

#include "services/daemon/command_tree.hpp"
#include "services/edil/edil.hpp"

namespace kith::daemon {
namespace {

using Verb = FlCommand::Verb;

void add_data_option(CLI::App* app, FlCommand& in) {
  app->add_option("--data", in.data,
                  "digits (drawn), idx:FOLDER or csv:FILE (your own; label first)");
}

void add_create_options(CLI::App* app, FlCommand& in) {
  app->add_option("--name", in.name, "what others see in their lists");
  app->add_option("--model", in.model, "softmax, or mlp (one hidden layer)")
      ->check(CLI::IsMember({"softmax", "mlp"}));
  app->add_option("--hidden", in.hidden, "units of the hidden layer (32)")
      ->check(CLI::Range(1u, schema::kHiddenMax));
  app->add_option("--inputs", in.inputs, "features of a sample (784)")
      ->check(CLI::Range(1u, schema::kInputsMax));
  app->add_option("--outputs", in.outputs, "labels (10)")
      ->check(CLI::Range(2u, schema::kOutputsMax));
  app->add_option("--rounds", in.rounds, "how many (10)")
      ->check(CLI::Range(1u, schema::kRoundsMax));
  app->add_option("--min", in.min, "updates that a round needs (1)")
      ->check(CLI::Range(1u, static_cast<std::uint32_t>(schema::kContributorsMax)));
  app->add_option("--split", in.split, "of drawn digits: iid, or labels (four of ten each)")
      ->check(CLI::IsMember({"iid", "labels"}));
  app->add_option("--samples", in.samples, "digits that each draws (500)")
      ->check(CLI::Range(1u, schema::kSamplesMax));
  app->add_option("--epochs", in.epochs, "of each contributor, a round (2)")
      ->check(CLI::Range(1u, schema::kEpochsMax));
  app->add_option("--rate", in.rate, "learning rate (0.1; mlp 0.2)")->check(CLI::Range(1e-6, 10.0));
  app->add_option("--batch", in.batch, "samples a step (16)")
      ->check(CLI::Range(1u, schema::kBatchMax));
  app->add_option("--round-seconds", in.round_seconds, "how long a round waits for the late (30)")
      ->check(CLI::Range(1.0, schema::kRoundMsMax / 1000.0));
}

Result<Command> checked(const FlCommand& in) {
  const std::string& data = in.data;
  if (!data.empty() && data != "digits" && !data.starts_with("idx:") && !data.starts_with("csv:"))
    return fail(Errc::usage, "--data " + data + " is unknown", {},
                "give it digits, idx:FOLDER or csv:FILE");
  const bool needs_task = in.verb != Verb::create && in.verb != Verb::run && in.verb != Verb::list;
  const bool hex = in.task.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (needs_task && (!hex || in.task.size() < 4 || in.task.size() > 64))
    return fail(Errc::usage, "this is not the id of a task", {},
                "copy it, or its first digits (four at least), from kith fl ls");
  return Command(in);
}

}  // namespace

void add_fl_commands(const CommandTree& tree) {
  CLI::App* fl = tree.group("fl", "learning together: create, ls, join, leave, rounds, show, run");
  const auto leaf = [&](Verb verb, const char* name, const char* what) {
    auto in = std::make_shared<FlCommand>();
    in->verb = verb;
    CLI::App* app = tree.leaf(*fl, name, what, [in] { return checked(*in); });
    return std::make_pair(app, in.get());
  };
  const auto [create, created] = leaf(Verb::create, "create", "announce a learning task");
  add_create_options(create, *created);
  add_data_option(create, *created);
  leaf(Verb::list, "ls", "learning tasks that are known here");
  const auto [join, joined] = leaf(Verb::join, "join", "train with the others");
  join->add_option("TASK", joined->task, "its id, or the first digits of it")->required();
  add_data_option(join, *joined);
  join->add_flag("--follow", joined->follow, "train nothing, only keep the models");
  constexpr std::tuple<Verb, const char*, const char*> kOfTask[] = {
      {Verb::leave, "leave", "take no part any more"},
      {Verb::rounds, "rounds", "the rounds that are closed, one a line"},
      {Verb::show, "show", "a task, its state and how good its model is"}};
  for (const auto& [verb, name, what] : kOfTask) {
    const auto [app, in] = leaf(verb, name, what);
    app->add_option("TASK", in->task, "its id, or the first digits of it")->required();
  }
  const auto [run, ran] = leaf(Verb::run, "run", "create, join, and wait for the last round");
  add_create_options(run, *ran);
  add_data_option(run, *ran);
}

}  // namespace kith::daemon
