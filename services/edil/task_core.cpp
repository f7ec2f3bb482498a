// Rounds: start, training, readiness, leading, what is told.
#include "services/edil/task_core.hpp"

#include <algorithm>

#include "net/base/planted.hpp"

namespace kith::edil {
namespace {

Bytes key_of(char kind, const TaskId& id, std::size_t more = 0) {
  std::vector<std::uint8_t> key(1 + id.size() + more, 0);
  key[0] = static_cast<std::uint8_t>(kind);
  std::copy(id.begin(), id.end(), key.begin() + 1);
  return Bytes::adopt(std::move(key));
}

std::uint64_t wall_ms(Now now) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(
      0,
      std::chrono::duration_cast<std::chrono::milliseconds>(now.wall.time_since_epoch()).count()));
}

}  // namespace

Bytes task_key(const TaskId& id) { return key_of('t', id); }
Bytes model_key(const TaskId& id) { return key_of('m', id); }
Bytes close_key(const TaskId& id, std::uint32_t round) {
  std::vector<std::uint8_t> key = key_of('c', id).to_vector();
  for (int shift = 24; shift >= 0; shift -= 8)
    key.push_back(static_cast<std::uint8_t>(round >> shift));
  return Bytes::adopt(std::move(key));
}

TaskCore::TaskCore(const TaskContext& context, std::uint32_t number, const TaskId& id,
                   schema::EdilTask task, Counters& counters, Rng rng)
    : context_(context),
      number_(number),
      id_(id),
      task_(std::move(task)),
      counters_(counters),
      rng_(std::move(rng)),
      chain_(task_.first_model),
      updates_(task_.shape.parameters()) {}

void TaskCore::restore(std::vector<Link> links, ByteView model_file) {
  // Closes before the model that a crash left are asked for again.
  const auto model = decode_model(model_file);
  const Cid cid = model ? cid_of_file(model_file) : Cid();
  while (!links.empty() && links.back().close.model != cid) links.pop_back();
  if (!chain_.place_of(links)) return;
  for (const Link& link : links) remember(link.hash);
  chain_.follow(0, std::move(links));
  if (model && model->shape == task_.shape) keep_model(cid, model->weights);
}

void TaskCore::start(Now now, Role role, std::uint32_t own_samples, Effects& out) {
  const bool running = role_ != Role::none;
  role_ = role;
  own_samples_ = own_samples;
  if (role != Role::contributor) training_.reset();  // its samples are gone
  if (!running) {
    out.push_back(Subscribe{id_});
    sync_at_ = now.mono + 1s;
    round_started_ = now.mono;
    if (const SharedWeights weights = weights_of(chain_.model()))
      out.push_back(
          Measure{id_, chain_.model(), weights, task_.shape, task_.data != DataKind::own});
  }
  if (role == Role::contributor) say_join(now, false, out);
  advance(now, out);
}

void TaskCore::leave(Now now, Effects& out) {
  if (role_ == Role::contributor) say_join(now, true, out);
  role_ = Role::none;
  out.push_back(Unsubscribe{id_});
  out.push_back(DropData{id_});
}

void TaskCore::say_join(Now now, bool leaves, Effects& out) {
  const schema::EdilJoin body{id_, wall_ms(now), leaves};
  schema::EdilSigned record =
      sign(context_.identity, context_.network_id, Kind::join, schema::encode_edil_join(body));
  Join& own = joins_[context_.identity.id()];
  own.record = record;
  own.at_ms = body.at_ms;
  own.leaves = leaves;
  out.push_back(Publish{id_, schema::encode_edil_message(schema::JoinedTask{std::move(record)})});
  join_at_ = leaves ? kNever : now.mono + kJoinEvery;
}

void TaskCore::keep_model(const Cid& cid, SharedWeights weights) {
  std::erase_if(models_, [&](const auto& one) { return one.first == cid; });
  models_.emplace_back(cid, std::move(weights));
  if (models_.size() > kModelsKept) models_.erase(models_.begin());
}

SharedWeights TaskCore::weights_of(const Cid& cid) const {
  for (const auto& [model, weights] : models_)
    if (model == cid) return weights;
  return nullptr;
}

bool TaskCore::check(std::vector<Check> checks, AfterCheck after, Effects& out) {
  if (checks_.size() >= kChecksMax) return false;
  const std::uint64_t tag = new_tag();
  checks_.emplace(tag, std::move(after));
  out.push_back(Verify{tag, std::move(checks)});
  return true;
}

// What can be done now, in this order: a better chain first, then the round under way.
void TaskCore::advance(Now now, Effects& out) {
  if (role_ == Role::none) return;
  if (!weights_of(chain_.model()) && !candidate_) fetch_model(now, out);
  if (candidate_) return pursue(now, out);
  train_if_due(out);
  lead_if_due(now, out);
}

void TaskCore::train_if_due(Effects& out) {
  if (role_ != Role::contributor || complete() || training_) return;
  const Cid& base = chain_.model();
  const SharedWeights weights = weights_of(base);
  if (!weights || updates_.find(base, context_.identity.id()) != nullptr) return;
  TrainingPlan plan;
  plan.shape = task_.shape;
  plan.rate = static_cast<float>(task_.rate_millionths) * 1e-6f;
  plan.epochs = task_.epochs;
  plan.batch = task_.batch;
  // The same after a restart, so that the update is the same, too.
  const Sha256Digest seed = rank_of(chain_.round() + 1, context_.identity.id());
  for (std::size_t i = 0; i < 8; ++i) plan.seed = plan.seed << 8 | seed[i];
  training_ = base;
  out.push_back(Train{id_, base, weights, plan});
}

void TaskCore::on_trained(Now now, const Cid& base, Trained result, Effects& out) {
  if (training_ != base) return;
  training_.reset();
  counters_.samples_trained += result.samples_seen;
  if (base == chain_.model() && role_ == Role::contributor && !complete()) {
    const std::uint32_t round = chain_.round() + 1;
    const schema::EdilMember member =
        sign_update(context_.identity, context_.network_id, id_, round, base, result.samples,
                    sha256(result.payload));
    if (updates_.put_whole(base, round, member, std::move(result.payload))) {
      ++counters_.updates_out;
      delivered(now, context_.identity.id(), round);
      republish_in_ = std::max<Duration>(5s, std::chrono::milliseconds(task_.round_ms) / 4);
      publish_own(now, out);
    }
  }
  advance(now, out);
}

// Again while the round is open: who came after the first time has not heard it.
void TaskCore::publish_own(Now now, Effects& out) {
  republish_at_ = kNever;
  const UpdateTable::Entry* own = updates_.find(chain_.model(), context_.identity.id());
  if (own == nullptr || !own->whole() || complete()) return;
  schema::EdilPart part{id_, own->round, chain_.model(), own->member, updates_.parts(), 0, {}};
  for (; part.index < part.count; ++part.index) {
    part.bytes = own->payload.slice(std::size_t{part.index} * schema::kPartBytes,
                                    updates_.bytes_of(part.index));
    out.push_back(Publish{id_, schema::encode_edil_message(part)});
  }
  republish_at_ = now.mono + republish_in_;
  republish_in_ *= 2;
}

void TaskCore::delivered(Now, const PeerId& contributor, std::uint32_t round) {
  const auto at = joins_.find(contributor);
  if (at != joins_.end()) at->second.delivered_round = std::max(at->second.delivered_round, round);
}

bool TaskCore::all_delivered() const {
  for (const auto& [contributor, join] : joins_) {
    const bool expected = !join.leaves && (join.fresh || join.delivered_round >= chain_.round());
    if (!expected) continue;
    const UpdateTable::Entry* entry = updates_.find(chain_.model(), contributor);
    if (entry == nullptr || !entry->whole()) return false;
  }
  return true;
}

Sha256Digest TaskCore::rank_of(std::uint32_t round, const PeerId& contributor) const {
  std::vector<std::uint8_t> text(id_.begin(), id_.end());
  for (int shift = 0; shift < 32; shift += 8)
    text.push_back(static_cast<std::uint8_t>(round >> shift));
  text.insert(text.end(), contributor.bytes().begin(), contributor.bytes().end());
  return sha256(text);
}

std::vector<PeerId> TaskCore::leader_order(std::uint32_t round) const {
  std::vector<std::pair<Sha256Digest, PeerId>> ranked;
  for (const UpdateTable::Entry* entry : updates_.whole(chain_.model()))
    ranked.emplace_back(rank_of(round, entry->member.contributor), entry->member.contributor);
  std::sort(ranked.begin(), ranked.end());
  std::vector<PeerId> order;
  for (auto& [rank, contributor] : ranked) order.push_back(std::move(contributor));
  return order;
}

void TaskCore::lead_if_due(Now now, Effects& out) {
  const SharedWeights base = weights_of(chain_.model());
  if (complete() || !base || leading_) return;
  const std::uint32_t round = chain_.round() + 1;
  const std::vector<PeerId> order = leader_order(round);
  if (order.size() < task_.contributors_min) return;
  if (!ready_at_) {
    const Duration waited = now.mono - round_started_;
    const bool over = waited >= std::chrono::milliseconds(task_.round_ms);
    const bool early = all_delivered() && (round > 1 || waited >= kFirstGrace);
    if (!over && !early) return;
    ready_at_ = now.mono;
  }
  if (role_ != Role::contributor) return;
  const auto view = static_cast<std::uint32_t>((now.mono - *ready_at_) / kViewTime);
  if (order[view % order.size()] != context_.identity.id() || led_view_ == view) return;
  led_view_ = view;
  Leading lead;
  lead.round = round;
  lead.view = view;
  lead.merging = new_tag();
  Merge merge{id_, lead.merging, {id_, round, chain_.model(), task_.shape, base}, {}};
  for (const UpdateTable::Entry* entry : updates_.whole(chain_.model())) {
    lead.members.push_back(entry->member);
    merge.updates.push_back({entry->payload, entry->member.samples});
  }
  if (planted(Planted::update_added_twice)) merge.updates.push_back(merge.updates.front());
  leading_ = std::move(lead);
  out.push_back(std::move(merge));
}

void TaskCore::on_tick(Now now, const std::vector<host::PeerSlot>& listeners, Effects& out) {
  if (role_ == Role::none) return;
  ticked_ = now.mono;
  listeners_ = listeners;
  if (now.mono >= join_at_) {
    if (complete())
      join_at_ = kNever;
    else
      say_join(now, false, out);
  }
  if (now.mono >= republish_at_) publish_own(now, out);
  if (asking_ != 0 && now.mono >= ask_ends_) asking_ = 0;
  if (now.mono >= sync_at_) {
    sync_at_ = now.mono + (complete() ? 3 * kSyncEvery : kSyncEvery);
    const std::uint32_t back = std::min(chain_.round(), kSyncBack);
    if (const auto peer = any_listener()) sync(now, *peer, chain_.round() - back, out);
  }
  advance(now, out);
}

Mono TaskCore::next_deadline() const {
  if (role_ == Role::none) return kNever;
  Mono next = std::min({join_at_, republish_at_, sync_at_});
  if (!candidate_) next = std::min(next, get_at_);
  if (asking_ != 0) next = std::min(next, ask_ends_);
  // While something is asked, its answer or its end brings the candidate on.
  if (candidate_ && candidate_->merging == 0 && candidate_->getting == 0 && asking_ == 0)
    next = std::min(next, candidate_->retry_at);
  if (complete() || candidate_ || leading_) return next;
  // Times that have passed without an effect are not waited for again.
  const auto consider_time = [&](Mono at) {
    if (at > ticked_) next = std::min(next, at);
  };
  if (ready_at_) {
    if (role_ == Role::contributor)
      consider_time(*ready_at_ + kViewTime * ((ticked_ - *ready_at_) / kViewTime + 1));
    return next;
  }
  if (chain_.round() == 0) consider_time(round_started_ + kFirstGrace);
  consider_time(round_started_ + std::chrono::milliseconds(task_.round_ms));
  return next;
}

void TaskCore::fill(TaskInfo& info) const {
  info.role = role_;
  info.round = chain_.round();
  info.model = chain_.model();
  info.weight = chain_.weight();
  info.own_samples = own_samples_;
  for (const auto& [contributor, join] : joins_) info.joined += join.leaves ? 0 : 1;
  info.updates = static_cast<std::uint32_t>(updates_.whole(chain_.model()).size());
  if (const auto at = accuracies_.find(chain_.model()); at != accuracies_.end())
    info.accuracy = at->second;
  if (role_ == Role::none) {
    info.doing = "not taking part";
  } else if (candidate_) {
    info.doing = "catching up";
  } else if (complete()) {
    info.doing = "complete";
  } else if (!weights_of(chain_.model())) {
    info.doing = "fetching the model";
  } else {
    info.doing = training_ ? "training" : leading_ ? "merging" : "waiting for updates";
  }
}

RoundInfo TaskCore::round_info(std::uint32_t round) const {
  const Link& link = chain_.link(round);
  RoundInfo info{round,
                 link.close.view,
                 link.record.signer,
                 static_cast<std::uint32_t>(link.close.members.size()),
                 link.samples,
                 {},
                 link.close.model};
  if (const auto at = accuracies_.find(link.close.model); at != accuracies_.end())
    info.accuracy = at->second;
  return info;
}

std::vector<RoundInfo> TaskCore::rounds() const {
  std::vector<RoundInfo> all;
  for (std::uint32_t round = 1; round <= chain_.round(); ++round) all.push_back(round_info(round));
  return all;
}

void TaskCore::on_measured(const Cid& model, Accuracy accuracy) {
  accuracies_[model] = accuracy;
  for (std::uint32_t round = chain_.round(); round > 0; --round)
    if (chain_.model_after(round) == model) news_.push_back(round);
}

}  // namespace kith::edil
