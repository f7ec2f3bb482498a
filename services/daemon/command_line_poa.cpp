#include <memory>

#include "services/daemon/command_tree.hpp"
#include "services/poa/poa.hpp"

namespace kith::daemon {

void add_uptime_commands(const CommandTree& tree) {
  CLI::App* uptime = tree.group("uptime", "who was there, as this node saw it: show");
  const auto in = std::make_shared<UptimeShow>();
  CLI::App* show = tree.leaf(*uptime, "show", "a calendar of beats", [in]() -> Result<Command> {
    if (!in->peer.empty()) KITH_TRY_VOID(PeerId::parse(in->peer));
    if (!in->from.empty()) KITH_TRY_VOID(PeerId::parse(in->from));
    return Command(*in);
  });
  CLI::Option* peer = show->add_option("--peer", in->peer, "of one peer only, by its id");
  show->add_option("--from", in->from, "another node's table, in its words")->excludes(peer);
  show->add_option("--epochs", in->epochs, "the last so many")
      ->check(CLI::Range(1u, poa::kEpochsKept));
}

}  // namespace kith::daemon
