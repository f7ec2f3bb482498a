// The choice among forks against a naive model: a random tree of good closes, told to several nodes
// in orders of their own; in the end all follow the path that has most samples behind it.
#include <rapidcheck/gtest.h>

#include "tests/services/edil/table.hpp"

namespace kith::edil::test {
namespace {

constexpr std::uint32_t kNodes = 3;
constexpr std::uint32_t kHolders = 100;  // slots of who closed: its chain ends with that close

// One close, the model after it, and where it stands.
struct Told {
  std::optional<std::size_t> before;
  std::uint32_t round = 0;
  std::uint64_t weight = 0;  // of the path to it
  std::size_t leader = 0;
  schema::EdilSigned record;
  Sha256Digest hash{};
  Model model;
  Bytes file;
  std::vector<schema::EdilPart> parts;
};

// All that was ever closed, and who answers for it.
struct World : Table {
  explicit World(Rng& rng) : Table(1, Role::follower) {
    const std::size_t closes = 4 + static_cast<std::size_t>(rng.below(8));
    while (all.size() < closes) grow(rng);
  }

  void grow(Rng& rng) {
    Told one;
    const auto at = static_cast<std::size_t>(rng.below(all.size() + 1));
    if (at < all.size()) one.before = at;
    one.round = one.before ? all[at].round + 1 : 1;
    if (one.round > task.rounds) return;
    const Model& base = one.before ? all[at].model : first;
    const Cid base_cid = cid_of_file(encode_model(base));
    // Few different sums of samples, so that equal weights are common.
    std::vector<std::size_t> members;
    for (std::size_t i = 1; i < keys.size(); ++i)
      if (rng.chance(400'000)) members.push_back(i);
    if (members.empty()) members.push_back(1);
    const auto value = static_cast<std::uint8_t>(1 + rng.below(100));
    one.leader = members[static_cast<std::size_t>(rng.below(members.size()))];
    Merge merge{id, 0, {id, one.round, base_cid, task.shape, base.weights}, {}};
    for (const std::size_t i : members) {
      one.parts.push_back(part_of(i, one.round, base_cid, value));
      merge.updates.push_back({one.parts.back().bytes, 10});
    }
    one.record = close_by(one.leader, one.round, base, one.parts);
    one.hash = sha256(one.record.body);
    one.model = merge.head;
    const Merged merged = merge_now(merge);
    one.model.weights = merged.weights;
    one.file = merged.file;
    one.weight = (one.before ? all[at].weight : 0) + 10 * members.size();
    // The same members with the same updates make the same model: that is no fork.
    for (const Told& other : all)
      if (other.file == one.file) return;
    all.push_back(std::move(one));
  }

  // The naive model: of all paths the heaviest, of equal ones that with the smaller last hash.
  std::size_t best() const {
    std::size_t found = 0;
    for (std::size_t i = 1; i < all.size(); ++i)
      if (all[i].weight > all[found].weight ||
          (all[i].weight == all[found].weight && all[i].hash < all[found].hash))
        found = i;
    return found;
  }
  std::vector<std::size_t> path_to(std::size_t end) const {
    std::vector<std::size_t> path;
    for (std::optional<std::size_t> at = end; at; at = all[*at].before) path.push_back(*at);
    std::reverse(path.begin(), path.end());
    return path;
  }
  // As whoever's chain ends there answers.
  schema::EdilAnswer answer_of(std::size_t end, const schema::ChainQuestion& question) const {
    schema::EdilAnswer answer;
    answer.weight = all[end].weight;
    answer.round = all[end].round;
    if (answer.weight < question.weight || cid_of_file(all[end].file) == question.model)
      return answer;
    for (const std::size_t at : path_to(end))
      if (all[at].round > question.from_round) answer.records.push_back(all[at].record);
    return answer;
  }
  Result<Bytes> file_of(const Cid& cid) const {
    if (cid == task.first_model) return first_file;
    for (const Told& one : all)
      if (cid_of_file(one.file) == cid) return one.file;
    return fail(Errc::not_found, "nobody has it");
  }

  std::vector<Told> all;
};

struct Node {
  Node(const World& world, std::uint32_t i)
      : context{world.keys[0], std::string(kNetwork), 0},
        core(context, i + 1, world.id, world.task, counters, Rng(i)) {}
  TaskContext context;
  Counters counters;
  TaskCore core;
  Effects out;
};

struct Village {
  Village(World& with, Rng& rng) : world(with) {
    for (std::uint32_t i = 0; i < kNodes; ++i) {
      nodes.push_back(std::make_unique<Node>(world, i));
      nodes[i]->core.start(now, Role::follower, 0, nodes[i]->out);
      settle(*nodes[i]);
      orders.emplace_back();
      for (std::size_t k = 0; k < world.all.size(); ++k) orders[i].push_back(k);
      rng.shuffle(orders[i]);
    }
    for (std::uint32_t i = 0; i < kNodes; ++i) listeners.push_back({i, 0});
    for (std::uint32_t k = 0; k < world.all.size(); ++k) listeners.push_back({kHolders + k, 0});
  }
  void settle(Node& node) {
    while (!node.out.empty())
      for (Effect& effect : std::exchange(node.out, {})) carry_out(node, effect);
  }
  void carry_out(Node& node, Effect& effect) {
    if (auto* check = std::get_if<Verify>(&effect)) {
      bool hold = true;
      for (const Check& one : check->checks) hold = hold && holds(kNetwork, one);
      node.core.on_verified(now, check->tag, hold, node.out);
    } else if (auto* merge = std::get_if<Merge>(&effect)) {
      const std::uint64_t tag = merge->tag;
      node.core.on_merged(now, tag, merge_now(*merge), node.out);
    } else if (auto* get = std::get_if<GetObject>(&effect)) {
      node.core.on_got(now, get->tag, world.file_of(get->cid), node.out);
    } else if (auto* ask = std::get_if<Ask>(&effect)) {
      schema::EdilAnswer answer;
      const std::uint32_t peer = ask->peer.index;
      if (const auto* chain = std::get_if<schema::ChainQuestion>(&ask->question))
        answer = peer < kNodes ? nodes[peer]->core.answer(*chain)
                               : world.answer_of(peer - kHolders, *chain);
      if (const auto* updates = std::get_if<schema::UpdatesQuestion>(&ask->question))
        if (peer >= kHolders)
          for (const auto& part : world.all[peer - kHolders].parts)
            if (part.base == updates->base)
              answer.updates.push_back({part.round, part.base, part.member, part.bytes});
      node.core.on_answer(now, ask->tag, std::move(answer), node.out);
    }
  }
  void tell(std::uint32_t i, std::uint32_t close) {
    const Told& told = world.all[close];
    (void)nodes[i]->core.on_message(
        now, {++judges, 0}, world.keys[told.leader].id(), {kHolders + close, 0},
        schema::encode_edil_message(schema::ClosedRound{told.record}), nodes[i]->out);
    settle(*nodes[i]);
  }
  void pass(Duration time) {
    now.mono += time;
    now.wall += time;
    for (auto& node : nodes) {
      node->core.on_tick(now, listeners, node->out);
      settle(*node);
    }
  }
  bool all_at(const Cid& model) const {
    return std::all_of(nodes.begin(), nodes.end(), [&](const auto& node) {
      TaskInfo info;
      node->core.fill(info);
      return info.model == model;
    });
  }

  World& world;
  Now now{Mono(100s), Wall(std::chrono::hours(24))};
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<std::vector<std::size_t>> orders;
  std::vector<host::PeerSlot> listeners;
  std::uint32_t judges = 0;
};

RC_GTEST_PROP(Forks, whatever_the_order_of_closes_all_end_with_the_heaviest_path_of_the_naive_model,
              ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  World world(rng);
  Village village(world, rng);
  for (std::size_t k = 0; k < world.all.size(); ++k) {
    for (std::uint32_t i = 0; i < kNodes; ++i)
      village.tell(i, static_cast<std::uint32_t>(village.orders[i][k]));
    village.pass(std::chrono::milliseconds(rng.below(3000)));
  }
  // Closes that came too fast to be asked about are found with those who hold them.
  const Told& best = world.all[world.best()];
  const Cid head = cid_of_file(best.file);
  for (int i = 0; i < 600 && !village.all_at(head); ++i) village.pass(5s);
  for (const auto& node : village.nodes) {
    TaskInfo info;
    node->core.fill(info);
    RC_ASSERT(info.weight == best.weight);
    RC_ASSERT(info.model == head);
    RC_ASSERT(node->counters.blamed == 0u && node->counters.wrong_model == 0u &&
              node->counters.forged == 0u);
  }
  // And there they stay.
  for (int i = 0; i < 10; ++i) village.pass(10s);
  RC_ASSERT(village.all_at(head));
}

}  // namespace
}  // namespace kith::edil::test
