#include "simnet/scenario/workload.hpp"

#include <algorithm>

#include "dht/key.hpp"
#include "net/base/check.hpp"
#include "simnet/scenario/fields.hpp"
#include "simnet/scenario/oracle.hpp"

namespace kith::simnet {

Workload::Workload(Town& town, Deliveries& deliveries)
    : town_(town),
      deliveries_(deliveries),
      handler_(town.world().add_handler(*this)),
      rng_(town.world().rng("workload")),
      ready_(town.scenario().nodes),
      figures_(town.scenario().work.size()) {}

Duration Workload::end_of(const Work& work) const {
  const Scenario& scenario = town_.scenario();
  return work.until != Duration{} ? work.until : scenario.until - scenario.settle;
}

void Workload::begin() {
  const auto& works = town_.scenario().work;
  for (std::uint32_t i = 0; i < works.size(); ++i)
    town_.world().schedule(Mono(works[i].at), handler_, 0, kAct, i);
}

void Workload::on_event(const Event& event) {
  switch (static_cast<Kind>(event.kind)) {
    case kAct:
      return act(static_cast<std::uint32_t>(event.data));
    case kRead:
      return read(things_[event.data].work, event.data);
    case kJoin:
      return join(event.data);
  }
}

std::optional<NodeIndex> Workload::draw(const std::string& who) {
  const auto members = town_.members(who);
  if (members.empty()) return std::nullopt;
  for (int i = 0; i < 64; ++i) {
    const NodeIndex node = members[static_cast<std::size_t>(rng_.below(members.size()))];
    if (ready(node)) return node;
  }
  for (const NodeIndex node : members)
    if (ready(node)) return node;
  return std::nullopt;
}

void Workload::act(std::uint32_t index) {
  const Work& work = town_.scenario().work[index];
  for (std::uint32_t i = 0; i < work.acts; ++i) act_once(index);
  const Mono next = town_.world().now() + work.every;
  if (work.every != Duration{} && next < Mono(end_of(work)))
    town_.world().schedule(next, handler_, 0, kAct, index);
}

void Workload::remember(NodeIndex node, RequestId id, Asked asked) {
  asked.at = town_.world().now();
  asked_.emplace(AskedKey{node, id.value}, std::move(asked));
}

void Workload::act_once(std::uint32_t index) {
  const Work& work = town_.scenario().work[index];
  WorkFigures& figures = figures_[index];
  const auto drawn = draw(work.who);
  if (!drawn) {
    ++figures.nobody;
    return;
  }
  const NodeIndex node = *drawn;
  Home& home = town_.home(node);
  ++figures.asked;
  Asked asked;
  asked.work = index;
  switch (work.kind) {
    case WorkKind::publish: {
      Bytes body = deliveries_.make_body(static_cast<std::size_t>(work.size));
      asked.ref = deliveries_.published(node, work.topic);
      const RequestId id = home.ask(node::TopicPublish{work.topic, std::move(body)}, work.deadline);
      return remember(node, id, std::move(asked));
    }
    case WorkKind::lookup: {
      std::array<std::uint8_t, 32> key{};
      rng_.fill(key);
      asked.key.assign(key.begin(), key.end());
      return remember(node, home.find_closest(Bytes::copy(key)), std::move(asked));
    }
    case WorkKind::find: {
      const auto sought = draw("all");
      asked.ref = *sought;
      const RequestId id = home.ask(node::DhtFind{town_.id_of(*sought)}, work.deadline);
      return remember(node, id, std::move(asked));
    }
    case WorkKind::provide: {
      std::array<std::uint8_t, 32> digest{};
      rng_.fill(digest);
      const Multihash hash = Multihash::sha256(digest);
      asked.ref = things_.size();
      things_.push_back({index, node, Cid::v1(kCodecRaw, hash), 0, 0, work.readers});
      return remember(node, home.provide(hash), std::move(asked));
    }
    case WorkKind::file: {
      const std::uint64_t seed = rng_.next();
      asked.ref = things_.size();
      things_.push_back({index, node, {}, seed, work.size, work.readers});
      r1fs::AddFile what{{},
                         "file " + std::to_string(things_.size()),
                         r1fs::Visibility::public_,
                         work.spread,
                         content_of(seed, work.size)};
      return remember(node, home.ask(node::FileAdd{std::move(what)}, work.deadline),
                      std::move(asked));
    }
    case WorkKind::put: {
      // A key of many writers is nobody's to lose: that all agree on it is what counts.
      ++keys_;
      asked.key = work.keys == 0
                      ? "k" + std::to_string(keys_)
                      : "shared " + std::to_string((figures.asked - 1) / work.acts % work.keys);
      asked.value = "by " + std::to_string(node) + " ";
      asked.value.resize(static_cast<std::size_t>(work.size), '.');
      cstore::Request what =
          cstore::Put{work.space, Bytes::copy(asked.key), Bytes::copy(asked.value)};
      return remember(node, home.ask(std::move(what), work.deadline), std::move(asked));
    }
    case WorkKind::count: {
      asked.by = 1;
      cstore::Request what = cstore::Increment{work.space, Bytes::copy("n"), 1};
      return remember(node, home.ask(std::move(what), work.deadline), std::move(asked));
    }
    case WorkKind::learn:
      return learn(index, node);
  }
}

Bytes Workload::content_of(std::uint64_t seed, std::uint64_t size) {
  std::vector<std::uint8_t> content(static_cast<std::size_t>(size));
  Rng(seed).fill(content);
  return Bytes::copy(content);
}

// ---- what comes back

void Workload::on_crash(NodeIndex node) {
  ready_[node] = false;
  const auto from = asked_.lower_bound({node, 0});
  const auto to = asked_.lower_bound({node + 1, 0});
  for (auto at = from; at != to; ++at) {
    WorkFigures& figures = figures_[at->second.work];
    ++figures.unanswered;
    const Work& work = town_.scenario().work[at->second.work];
    if (at->second.by != 0) spaces_[work.space].uncertain += at->second.by;
  }
  asked_.erase(from, to);
}

void Workload::fail(const Asked& asked, NodeIndex node, const Error& error) {
  const Work& work = town_.scenario().work[asked.work];
  WorkFigures& figures = figures_[asked.work];
  ++(asked.stage == Stage::read ? figures.read_failed : figures.failed);
  if (asked.by != 0) spaces_[work.space].uncertain += asked.by;  // it may have been written
  // Publishing answers at once: this is no deadline that passed, but a refusal.
  if (work.kind == WorkKind::publish) deliveries_.refused(asked.ref);
  town_.journal().tell("failed", node,
                       std::string(kWorkNames[static_cast<std::size_t>(work.kind)]) + ": " +
                           error.what + (error.why.empty() ? "" : " (" + error.why + ")"));
}

void Workload::on_done(NodeIndex node, RequestId id, Result<node::Answer> answer) {
  const auto found = asked_.find({node, id.value});
  if (found == asked_.end()) return;
  const Asked asked = std::move(found->second);
  asked_.erase(found);
  if (!answer) return fail(asked, node, answer.error());
  finish(asked, node, answer);
}

void Workload::finish(const Asked& asked, NodeIndex node, Result<node::Answer>& answer) {
  const Work& work = town_.scenario().work[asked.work];
  WorkFigures& figures = figures_[asked.work];
  const auto took = static_cast<std::uint64_t>((town_.world().now() - asked.at) / 1us);
  if (asked.stage == Stage::read) return finish_read(asked, answer);
  if (asked.stage == Stage::join) {
    lessons_[asked.ref].joined.push_back(node);
    return;
  }
  ++figures.done;
  figures.took_us.add(took);
  if (work.kind == WorkKind::file) {
    Thing& thing = things_[asked.ref];
    thing.cid = std::get<r1fs::FileAnswer>(*answer).file.cid;
    files_.push_back({node, thing.cid, thing.content, thing.size, work.spread});
    read_later(asked.ref, work.wait);
  } else if (work.kind == WorkKind::put) {
    if (work.keys == 0) spaces_[work.space].values[asked.key] = asked.value;
  } else if (work.kind == WorkKind::count) {
    spaces_[work.space].counted += asked.by;
  } else if (work.kind == WorkKind::find) {
    const auto& routed = std::get<dht::RoutingAnswer>(*answer);
    figures.messages.add(routed.counts.asked);
    figures.hops.add(routed.counts.hops);
    figures.dead_ends.add(routed.counts.failed);
    figures.true_due += 1;
    for (const dht::PeerInfo& peer : routed.peers)
      if (peer.id == town_.id_of(static_cast<NodeIndex>(asked.ref))) {
        ++figures.true_found;
        break;
      }
  } else if (work.kind == WorkKind::learn) {
    lessons_[asked.ref].task = std::get<edil::TaskInfo>(std::get<edil::Answer>(*answer)).id;
    town_.world().schedule(town_.world().now() + work.wait, handler_, 0, kJoin, asked.ref);
  }
}

void Workload::on_routed(NodeIndex node, RequestId id, Result<dht::RoutingAnswer> answer) {
  const auto found = asked_.find({node, id.value});
  if (found == asked_.end()) return;
  const Asked asked = std::move(found->second);
  asked_.erase(found);
  if (!answer) return fail(asked, node, answer.error());
  const Work& work = town_.scenario().work[asked.work];
  WorkFigures& figures = figures_[asked.work];
  const auto took = static_cast<std::uint64_t>((town_.world().now() - asked.at) / 1us);
  if (asked.stage == Stage::read) {
    const Thing& thing = things_[asked.ref];
    const PeerId owner = town_.id_of(thing.owner);
    const bool right = std::any_of(answer->peers.begin(), answer->peers.end(),
                                   [&](const dht::PeerInfo& peer) { return peer.id == owner; });
    ++(right ? figures.read : figures.read_failed);
    if (right) figures.read_us.add(took);
    return;
  }
  ++figures.done;
  figures.took_us.add(took);
  figures.messages.add(answer->counts.asked);
  figures.hops.add(answer->counts.hops);
  figures.dead_ends.add(answer->counts.failed);
  if (work.kind == WorkKind::lookup) judge_lookup(figures, node, asked, *answer);
  if (work.kind == WorkKind::provide) read_later(asked.ref, work.wait);
}

void Workload::judge_lookup(WorkFigures& figures, NodeIndex asker, const Asked& asked,
                            const dht::RoutingAnswer& answer) {
  const LookupTruth truth = judge_closest(town_, asker, as_bytes(asked.key), asked.at, answer);
  figures.true_due += truth.due;
  figures.true_found += truth.found;
}

// ---- second stages

void Workload::read_later(std::uint64_t ref, Duration wait) {
  if (things_[ref].readers_left == 0) return;
  town_.world().schedule(town_.world().now() + wait, handler_, 0, kRead, ref);
}

void Workload::read(std::uint32_t index, std::uint64_t ref) {
  const Work& work = town_.scenario().work[index];
  for (; things_[ref].readers_left > 0; --things_[ref].readers_left) {
    const auto reader = draw("all");
    if (!reader) return;
    Asked asked;
    asked.work = index;
    asked.stage = Stage::read;
    asked.ref = ref;
    const Thing& thing = things_[ref];
    Home& home = town_.home(*reader);
    if (work.kind == WorkKind::provide) {
      remember(*reader, home.find_providers(thing.cid.hash(), 1), std::move(asked));
      continue;
    }
    r1fs::GetFile what;
    what.cid = thing.cid;
    what.memory_max = static_cast<std::size_t>(thing.size) + 1;
    remember(*reader, home.ask(node::FileGet{std::move(what)}, work.deadline), std::move(asked));
  }
}

void Workload::finish_read(const Asked& asked, Result<node::Answer>& answer) {
  WorkFigures& figures = figures_[asked.work];
  const Thing& thing = things_[asked.ref];
  const auto& file = std::get<r1fs::FileAnswer>(*answer);
  if (!(file.content == content_of(thing.content, thing.size))) {
    ++figures.read_wrong;
    return;
  }
  ++figures.read;
  figures.read_us.add(static_cast<std::uint64_t>((town_.world().now() - asked.at) / 1us));
}

void Workload::learn(std::uint32_t index, NodeIndex node) {
  const Work& work = town_.scenario().work[index];
  schema::EdilTask task;
  task.name = "digits " + std::to_string(lessons_.size() + 1);
  task.rounds = work.rounds;
  task.contributors_min = std::max(1u, work.learners / 2);
  task.samples = work.samples;
  task.rate_millionths = 100'000;
  task.round_ms = 20'000;
  Asked asked;
  asked.work = index;
  asked.ref = lessons_.size();
  lessons_.push_back({{}, work.rounds, {}});
  lesson_work_.push_back(index);
  remember(node, town_.home(node).ask(edil::Request(edil::CreateTask{task}), work.deadline),
           std::move(asked));
}

void Workload::join(std::uint64_t lesson) {
  const std::uint32_t index = lesson_work_[lesson];
  const Work& work = town_.scenario().work[index];
  std::set<NodeIndex> chosen;
  for (std::uint32_t i = 0; i < 8 * work.learners && chosen.size() < work.learners; ++i)
    if (const auto node = draw(work.who)) chosen.insert(*node);
  for (const NodeIndex node : chosen) {
    Asked asked;
    asked.work = index;
    asked.stage = Stage::join;
    asked.ref = lesson;
    edil::Request what = edil::JoinTask{lessons_[lesson].task, {}, false};
    remember(node, town_.home(node).ask(std::move(what), work.deadline), std::move(asked));
  }
}

std::map<std::string, AckedSpace> Workload::spaces() const {
  auto spaces = spaces_;
  for (const auto& [key, asked] : asked_)
    if (asked.by != 0) spaces[town_.scenario().work[asked.work].space].uncertain += asked.by;
  return spaces;
}

}  // namespace kith::simnet
