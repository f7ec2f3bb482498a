#include "simnet/scenario/checks.hpp"

#include <algorithm>
#include <set>

#include "simnet/scenario/oracle.hpp"

namespace kith::simnet {
namespace {

void judge(RunResult& result, std::string what, bool ok, std::string found) {
  result.verdicts.push_back({std::move(what), ok, std::move(found)});
}

std::string of(std::uint64_t part, std::uint64_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole);
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void Checks::ask(NodeIndex node, node::Request request, Then then) {
  const RequestId id = town_.home(node).ask(std::move(request), kAnswerIn);
  asked_.emplace(std::pair(node, id.value), std::move(then));
}

bool Checks::on_done(NodeIndex node, RequestId id, Result<node::Answer>& answer) {
  const auto found = asked_.find({node, id.value});
  if (found == asked_.end()) return false;
  const Then then = std::move(found->second);
  asked_.erase(found);
  then(answer);
  return true;
}

void Checks::settle(RunResult& result, const std::string& what) {
  const bool all = town_.world().run_until([this] { return asked_.empty(); }, kAnswerIn + 5s);
  if (!all) judge(result, what + ": every node answers", false, of(0, asked_.size()));
  asked_.clear();
}

void Checks::run(RunResult& result) {
  delivery(result);
  spaces(result);
  files(result);
  lessons(result);
  beats(result);
  tables(result);
  nodes(result);
  std::string first;
  for (const JournalLine& line : town_.journal().lines())
    if (line.kind == "log" && first.empty())
      first = " (node " + std::to_string(line.node.value_or(0)) + ": " + line.text + ")";
  judge(result, "no unexpected log line at warn or above", town_.log().unexpected() == 0,
        std::to_string(town_.log().unexpected()) + first);
  result.metrics["log.unexpected"] = static_cast<double>(town_.log().unexpected());
}

void Checks::before_heal() {
  for (const NodeIndex node : town_.members("all")) {
    if (!town_.up(node)) continue;
    const NodeSpec& spec = town_.group_of(node).node;
    for (const gossip::TopicView& topic : town_.home(node).node().gossip().topics()) {
      ++meshes_;
      if (topic.mesh < spec.degree_low && topic.subscribers > spec.degree) ++thin_meshes_;
    }
  }
}

void Checks::delivery(RunResult& result) {
  const DeliverySummary sum = deliveries_.summary();
  auto& metrics = result.metrics;
  metrics["gossip.published"] = static_cast<double>(sum.published);
  if (sum.published == 0) return;
  metrics["gossip.due"] = static_cast<double>(sum.due);
  metrics["gossip.delivery"] = share(sum.heard, sum.due);
  metrics["gossip.delivery_near_cut"] = share(sum.cut_heard, sum.cut_due);
  metrics["gossip.twice"] = static_cast<double>(sum.twice);
  metrics["gossip.latency_ms_p50"] = static_cast<double>(sum.latency_us.quantile(500'000)) / 1e3;
  metrics["gossip.latency_ms_p99"] = static_cast<double>(sum.latency_us.quantile(990'000)) / 1e3;
  metrics["gossip.latency_ms_max"] = static_cast<double>(sum.latency_us.most()) / 1e3;
  metrics["gossip.hops_p50"] = static_cast<double>(sum.hops.quantile(500'000));
  metrics["gossip.hops_p99"] = static_cast<double>(sum.hops.quantile(990'000));
  metrics["gossip.hops_max"] = static_cast<double>(sum.hops.most());
  result.histograms.push_back({"gossip latency", "us", sum.latency_us});
  result.histograms.push_back({"gossip hops", "hops", sum.hops});
  std::string missing;
  for (const std::string& one : deliveries_.missing(3)) missing += "; " + one;
  judge(result, "every subscriber that was there heard each message", sum.heard == sum.due,
        of(sum.heard, sum.due) + missing);
  judge(result, "nobody was told a message twice", sum.twice == 0, std::to_string(sum.twice));
}

void Checks::spaces(RunResult& result) {
  std::map<std::string, AckedSpace> all = workload_.spaces();
  for (const NodeIndex node : town_.members("all"))
    for (const std::string& space : town_.group_of(node).node.spaces) all[space];
  for (const auto& [name, acked] : all) space(result, name, acked);
}

void Checks::space(RunResult& result, const std::string& name, const AckedSpace& acked) {
  std::vector<NodeIndex> holders;
  for (const NodeIndex node : town_.members("all")) {
    const auto& held = town_.group_of(node).node.spaces;
    if (town_.up(node) && std::find(held.begin(), held.end(), name) != held.end())
      holders.push_back(node);
  }
  std::map<Sha256Digest, std::uint32_t> roots;
  for (const NodeIndex node : holders)
    ask(node, cstore::Request(cstore::Stat{name}), [&roots](Result<node::Answer>& answer) {
      if (answer) ++roots[std::get<cstore::SpaceInfo>(std::get<cstore::Answer>(*answer)).root];
    });
  settle(result, "namespace " + name);
  std::uint32_t most = 0, heard = 0;
  for (const auto& [root, count] : roots) {
    most = std::max(most, count);
    heard += count;
  }
  result.metrics["kv." + name + ".roots"] = static_cast<double>(roots.size());
  result.metrics["kv." + name + ".acknowledged"] = static_cast<double>(acked.values.size());
  if (!holders.empty())
    judge(result, "namespace " + name + ": one root on all that hold it",
          roots.size() == 1 && heard == holders.size(),
          of(most, holders.size()) + " agree, " + std::to_string(roots.size()) + " roots");

  // Read back whole, page by page, from the first, the last and some between.
  std::uint64_t lost = 0;
  std::string example;
  bool counted = true;
  for (std::size_t i = 0; i < std::min(kReadersChecked, holders.size()); ++i) {
    const std::size_t place =
        holders.size() <= kReadersChecked ? i : i * (holders.size() - 1) / (kReadersChecked - 1);
    const NodeIndex node = holders[place];
    std::map<std::string, cstore::Item> items;
    Bytes after;
    bool more = true;
    while (more) {
      more = false;
      ask(node, cstore::Request(cstore::List{name, {}, after, 1000}),
          [&](Result<node::Answer>& answer) {
            if (!answer) return;
            const auto& page = std::get<cstore::Listing>(std::get<cstore::Answer>(*answer));
            for (const cstore::Item& item : page.items)
              items.emplace(std::string(item.key.text()), item);
            more = page.more && !page.items.empty();
            if (more) after = page.items.back().key;
          });
      settle(result, "namespace " + name);
    }
    for (const auto& [key, value] : acked.values) {
      const auto found = items.find(key);
      if (found != items.end() && found->second.value.text() == value) continue;
      if (lost++ == 0) example = "; " + key + " on node " + std::to_string(node);
    }
    const std::int64_t count = items.count("n") == 0 ? 0 : items.at("n").count;
    counted = counted && count >= acked.counted && count <= acked.counted + acked.uncertain;
  }
  result.metrics["kv." + name + ".lost"] = static_cast<double>(lost);
  if (!acked.values.empty() && !holders.empty())
    judge(result, "namespace " + name + ": no acknowledged key is lost", lost == 0,
          std::to_string(lost) + " lost of " + std::to_string(acked.values.size()) + example);
  if (acked.counted > 0 && !holders.empty())
    judge(result, "namespace " + name + ": the counter counts what was acknowledged", counted,
          std::to_string(acked.counted) + " and at most " + std::to_string(acked.uncertain) +
              " more");
}

void Checks::files(RunResult& result) {
  const auto& files = workload_.files();
  if (files.empty()) return;
  std::uint64_t wrong = 0;
  for (const WorkFigures& figures : workload_.figures()) wrong += figures.read_wrong;
  judge(result, "no reader got other content", wrong == 0, std::to_string(wrong));
  std::uint64_t own_lost = 0, own = 0, spread_lost = 0, spread = 0;
  std::string example;
  Rng rng = town_.world().rng("checks of files");
  for (const AckedFile& file : files) {
    const auto read = [&](NodeIndex node, bool ask_others, std::uint64_t& lost) {
      r1fs::GetFile what;
      what.cid = file.cid;
      what.ask_others = ask_others;
      what.memory_max = static_cast<std::size_t>(file.size) + 1;
      ask(node, node::FileGet{what}, [&, node](Result<node::Answer>& answer) {
        const bool right = answer && std::get<r1fs::FileAnswer>(*answer).content ==
                                         Workload::content_of(file.content, file.size);
        if (right) return;
        ++lost;
        if (example.empty())
          example = "; " + file.cid.text() + " on node " + std::to_string(node) + ": " +
                    (answer ? "other content" : answer.error().what);
      });
      settle(result, "files");
    };
    if (town_.up(file.owner)) {
      ++own;
      read(file.owner, false, own_lost);
    }
    if (file.spread == 0) continue;
    const auto members = town_.members("all");
    const NodeIndex other = members[static_cast<std::size_t>(rng.below(members.size()))];
    if (!town_.up(other)) continue;
    ++spread;
    read(other, true, spread_lost);
  }
  result.metrics["files.acknowledged"] = static_cast<double>(files.size());
  result.metrics["files.lost"] = static_cast<double>(own_lost + spread_lost);
  judge(result, "no acknowledged file is lost on its home", own_lost == 0,
        std::to_string(own_lost) + " lost of " + std::to_string(own) + example);
  if (spread > 0)
    judge(result, "files that spread can be fetched by anybody", spread_lost == 0,
          std::to_string(spread_lost) + " lost of " + std::to_string(spread) + example);
}

void Checks::lessons(RunResult& result) {
  std::uint64_t ended = 0, learners = 0, one_model = 0;
  for (const Lesson& lesson : workload_.lessons()) {
    std::set<Cid> models;
    std::uint64_t through = 0, asked = 0;
    for (const NodeIndex node : lesson.joined) {
      if (!town_.up(node)) continue;
      ++asked;
      ask(node, edil::Request(edil::ShowTask{lesson.task}), [&](Result<node::Answer>& answer) {
        if (!answer) return;
        const auto& info = std::get<edil::TaskInfo>(std::get<edil::Answer>(*answer));
        models.insert(info.model);
        if (info.round == lesson.rounds) ++through;
      });
    }
    settle(result, "learning");
    learners += asked;
    ended += through;
    if (models.size() == 1) ++one_model;
  }
  const std::size_t lessons = workload_.lessons().size();
  if (lessons == 0) return;
  result.metrics["learn.tasks"] = static_cast<double>(lessons);
  result.metrics["learn.through"] = share(ended, learners);
  judge(result, "every learner is through with all rounds", ended == learners && learners > 0,
        of(ended, learners));
  judge(result, "each task ends in one model", one_model == lessons, of(one_model, lessons));
  // Votes hide a leader that is wrong: the others go on without it.
  std::uint64_t refuted = 0;
  for (const NodeIndex node : town_.members("all"))
    if (town_.up(node)) refuted += town_.home(node).node().status().edil.counters.wrong_model;
  judge(result, "every close is of the model that its updates make", refuted == 0,
        std::to_string(refuted) + " times it was not");
}

// Of what nodes that were up all the time saw of others that were: the share of slots with a beat.
void Checks::beats(RunResult& result) {
  std::vector<NodeIndex> steady;
  const Mono now = town_.world().now();
  for (const NodeIndex node : town_.members("all"))
    if (town_.group_of(node).node.beats && town_.up_during(node, Mono(kSettledIn), now))
      steady.push_back(node);
  std::uint64_t up = 0, seen = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(8, steady.size()); ++i) {
    const NodeIndex node = steady[i * steady.size() / std::min<std::size_t>(8, steady.size())];
    ask(node, poa::Request(poa::ShowUptime{}), [&](Result<node::Answer>& answer) {
      if (!answer) return;
      const auto& calendar = std::get<poa::Calendar>(std::get<poa::Answer>(*answer));
      for (const poa::PeerView& peer : calendar.peers) {
        const auto other = town_.node_of(peer.id);
        if (peer.self || !other || !std::binary_search(steady.begin(), steady.end(), *other))
          continue;
        for (const poa::EpochView& epoch : peer.epochs) {
          up += epoch.up;
          seen += epoch.seen;
        }
      }
    });
  }
  settle(result, "beats");
  if (up > 0) result.metrics["poa.seen"] = share(seen, up);
}

void Checks::sample() {
  for (NodeIndex node = 0; node < town_.started(); ++node) {
    if (!town_.up(node)) continue;
    const host::HostUsage usage = town_.home(node).usage();
    most_.links = std::max(most_.links, usage.links);
    most_.streams = std::max(most_.streams, usage.streams);
    most_.known_peers = std::max(most_.known_peers, usage.known_peers);
    most_.events = std::max(most_.events, usage.events);
    most_.assembly_bytes = std::max(most_.assembly_bytes, usage.assembly_bytes);
  }
}

void Checks::tables(RunResult& result) {
  const TableTruth truth = judge_tables(town_);
  if (truth.buckets == 0) return;  // nobody serves the DHT
  result.metrics["table.living"] = share(truth.living, truth.entries);
  result.metrics["table.served"] = share(truth.served, truth.buckets);
  result.metrics["table.lost"] = static_cast<double>(truth.lost);
}

void Checks::nodes(RunResult& result) {
  sample();
  std::uint64_t delivered = 0, duplicates = 0, ready = 0, up = 0, disk = 0;
  std::uint64_t stalled = 0, refused = 0, pulled = 0, too_soon = 0;
  for (const NodeIndex node : town_.members("all")) {
    if (!town_.up(node)) continue;
    ++up;
    if (workload_.ready(node)) ++ready;
    disk = std::max(disk, town_.disk(node).bytes());
    const gossip::Counters& counters = town_.home(node).node().gossip_counters();
    delivered += counters.delivered;
    duplicates += counters.duplicates;
    stalled += counters.peers_stalled;
    refused += counters.queue_full + counters.pending_full;
    pulled += counters.iwant_served;
    too_soon += counters.graft_in_backoff;
  }
  auto& metrics = result.metrics;
  metrics["nodes.up"] = static_cast<double>(up);
  metrics["nodes.ready"] = static_cast<double>(ready);
  metrics["node.connections_max"] = static_cast<double>(most_.links);
  metrics["node.streams_max"] = static_cast<double>(most_.streams);
  metrics["node.known_peers_max"] = static_cast<double>(most_.known_peers);
  metrics["node.queue_max"] = static_cast<double>(most_.events);
  metrics["node.assembly_bytes_max"] = static_cast<double>(most_.assembly_bytes);
  metrics["node.disk_bytes_max"] = static_cast<double>(disk);
  metrics["gossip.stalled"] = static_cast<double>(stalled);
  metrics["gossip.refused"] = static_cast<double>(refused);
  // Copies that a peer had to ask for, to a delivery; meshes that are too small although there is
  // somebody to fill them with; grafts within their backoff.
  metrics["gossip.pulled"] =
      delivered == 0 ? 0 : static_cast<double>(pulled) / static_cast<double>(delivered);
  metrics["gossip.thin_meshes"] = meshes_ == 0 ? 0 : share(thin_meshes_, meshes_);
  metrics["gossip.grafts_too_soon"] = static_cast<double>(too_soon);
  metrics["gossip.copies"] =
      delivered == 0 ? 0
                     : static_cast<double>(delivered + duplicates) / static_cast<double>(delivered);
  std::uint64_t bytes = 0;
  for (NodeIndex node = 0; node < town_.started(); ++node)
    bytes += town_.net().traffic(node).bytes_out;
  metrics["net.bytes"] = static_cast<double>(bytes);
  judge(result, "every node that is up is ready", ready == up, of(ready, up));
  judge(result, "connections stay within their limit",
        most_.links <= std::max<std::size_t>(town_.scenario().node.connections, 1024),
        std::to_string(most_.links));
  const host::HostLimits limits;
  judge(result, "what nodes hold for others stays within its limits",
        most_.known_peers <= limits.known_peers_max &&
            most_.assembly_bytes <= limits.assembly_bytes_max &&
            most_.streams <= most_.links * limits.streams_per_connection_max &&
            most_.events <= kQueuedEventsMax,
        std::to_string(most_.known_peers) + " known peers, " + std::to_string(most_.streams) +
            " streams, " + std::to_string(most_.events) + " events queued, " +
            std::to_string(most_.assembly_bytes) + " bytes of unfinished messages at most");
}

}  // namespace kith::simnet
