#include <memory>

#include "schema/kith/cstore_messages.hpp"
#include "services/daemon/command_tree.hpp"

namespace kith::daemon {
namespace {

Result<Command> checked(const std::shared_ptr<KvCommand>& in, KvCommand::Verb verb) {
  if (!schema::is_kv_space(in->space))
    return fail(Errc::usage, "this cannot be a namespace's name", {},
                "use 1 to 64 of a-z, 0-9, '.', '_' and '-'");
  if (in->by == INT64_MIN) return fail(Errc::usage, "N is too small");
  in->verb = verb;
  return Command(*in);
}

}  // namespace

void add_kv_commands(const CommandTree& tree) {
  using Verb = KvCommand::Verb;
  CLI::App* kv = tree.group("kv", "shared keys and values: put, get, del, ls, incr, watch, stat");
  const auto in = std::make_shared<KvCommand>();
  const auto leaf = [&](Verb verb, const std::string& name, const std::string& what, bool key) {
    CLI::App* app = tree.leaf(*kv, name, what, [in, verb] { return checked(in, verb); });
    app->add_option("NS", in->space, "the namespace; joined when it is new here")->required();
    if (key) app->add_option("KEY", in->key, "the key")->required();
    return app;
  };
  leaf(Verb::put, "put", "set a key", true)
      ->add_option("VALUE", in->value, "its value; - reads stdin")
      ->required();
  leaf(Verb::get, "get", "print a key's value", true);
  leaf(Verb::del, "del", "delete a key", true);
  leaf(Verb::list, "ls", "keys and values", false)
      ->add_option("--prefix", in->prefix, "only keys that begin so");
  leaf(Verb::incr, "incr", "add to a counter", true)
      ->add_option("N", in->by, "how much; may be negative (1)");
  CLI::App* watch = leaf(Verb::watch, "watch", "print changes as they come", false);
  watch->add_option("--prefix", in->prefix, "only keys that begin so");
  watch->add_option("--count", in->count, "end after so many");
  leaf(Verb::stat, "stat", "how the namespace is", false);
}

}  // namespace kith::daemon
