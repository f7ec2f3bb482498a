// Chains: what others closed, how it is checked and taken over.
#include <algorithm>

#include "services/edil/task_core.hpp"

namespace kith::edil {

// `links` follow each other and their signatures hold.
void TaskCore::consider(Now now, std::vector<Link> links, host::PeerSlot via, bool by_gossip,
                        Effects& out) {
  while (!links.empty() && links.front().close.round <= chain_.round() &&
         chain_.link(links.front().close.round).hash == links.front().hash)
    links.erase(links.begin());
  if (links.empty()) return;
  const auto after = chain_.place_of(links);
  if (!after && by_gossip) return sync_urgently(now, via, 0, out);
  if (!after) return sync(now, via, 0, out);
  if (!chain_.better_with(*after, links)) return;
  if (candidate_) {
    // Compared with ours both are better; the heavier of them is pursued.
    Chain other = chain_;
    other.follow(candidate_->after, candidate_->links);
    if (const auto place = other.place_of(links); !place || !other.better_with(*place, links))
      return;
    if (const auto place = other.place_of(links); place > candidate_->after) {
      // It goes on from the candidate: both together.
      std::vector<Link> whole(
          candidate_->links.begin(),
          candidate_->links.begin() + static_cast<std::ptrdiff_t>(*place - candidate_->after));
      for (Link& link : links) whole.push_back(std::move(link));
      candidate_ = Candidate{candidate_->after, std::move(whole), via, 0, now.mono, 0, 0};
      return pursue(now, out);
    }
  }
  candidate_ = Candidate{*after, std::move(links), via, 0, now.mono, 0, 0};
  pursue(now, out);
}

void TaskCore::pursue(Now now, Effects& out) {
  Candidate& candidate = *candidate_;
  if (candidate.merging != 0 || candidate.getting != 0) return;
  const Link& last = candidate.links.back();
  const SharedWeights base = weights_of(last.close.base);
  if (base && candidate.tries < kUpdateTries) {
    Merge merge{id_, 0, {id_, last.close.round, last.close.base, task_.shape, base}, {}};
    for (const schema::EdilMember& member : last.close.members) {
      const UpdateTable::Entry* entry = updates_.find_whole(last.close.base, member);
      if (entry == nullptr) return fetch_updates(now, last, out);
      merge.updates.push_back({entry->payload, member.samples});
    }
    merge.tag = candidate.merging = new_tag();
    out.push_back(std::move(merge));
    return;
  }
  if (now.mono < candidate.retry_at) return;
  if (++candidate.tries > kUpdateTries + kModelTries) {
    candidate_.reset();
    return;
  }
  candidate.getting = new_tag();
  out.push_back(GetObject{candidate.getting, last.close.model});
}

void TaskCore::fetch_updates(Now now, const Link& last, Effects& out) {
  Candidate& candidate = *candidate_;
  if (now.mono < candidate.retry_at || asking_ != 0) return;
  candidate.retry_at = now.mono + kRetryEvery;
  // Gossip may still bring them: who closed had them a moment ago.
  if (candidate.tries++ == 0 && last.close.round == chain_.round() + 1) {
    candidate.retry_at = now.mono + 1s;
    return;
  }
  schema::UpdatesQuestion question{id_, last.close.base, {}};
  for (const schema::EdilMember& member : last.close.members)
    if (updates_.find_whole(last.close.base, member) == nullptr)
      question.hashes.push_back(member.hash);
  const auto other = any_listener(now);
  const bool shunned = shunned_.contains(now.mono, candidate.via);
  if (shunned && !other) return;
  const bool others_turn = shunned || candidate.tries % 2 == 1;
  const host::PeerSlot peer = others_turn && other ? *other : candidate.via;
  asking_ = new_tag();
  asking_updates_ = true;
  asked_ = peer;
  ask_ends_ = now.mono + kAnswerTime;
  out.push_back(Ask{peer, asking_, std::move(question)});
}

// The model of the head, when the node knows only its CID.
void TaskCore::fetch_model(Now now, Effects& out) {
  if (getting_first_ != 0 || (get_at_ != kNever && now.mono < get_at_)) return;
  get_at_ = kNever;
  getting_first_ = new_tag();
  out.push_back(GetObject{getting_first_, chain_.model()});
}

void TaskCore::on_got(Now now, std::uint64_t tag, Result<Bytes> file, Effects& out) {
  const bool first = tag == getting_first_ && tag != 0;
  const bool next = candidate_ && tag == candidate_->getting && tag != 0;
  if (!first && !next) return;
  const auto model = file ? decode_model(*file) : Result<Model>(file.error());
  const bool fits = model && model->shape == task_.shape;
  if (first) {
    getting_first_ = 0;
    if (fits && cid_of_file(*file) == chain_.model()) {
      keep_model(chain_.model(), model->weights);
      round_started_ = now.mono;
      out.push_back(
          Measure{id_, chain_.model(), model->weights, task_.shape, task_.data != DataKind::own});
    } else {
      get_at_ = weights_of(chain_.model()) ? kNever : now.mono + kRetryEvery;
    }
    return advance(now, out);
  }
  candidate_->getting = 0;
  candidate_->retry_at = now.mono + kRetryEvery;
  const Link& last = candidate_->links.back();
  if (!file) return;
  if (!fits || model->task != id_ || model->round != last.close.round ||
      model->previous != last.close.base || cid_of_file(*file) != last.close.model) {
    ++counters_.wrong_model;
    liars_.insert(last.record.signer);
    candidate_.reset();
    return advance(now, out);
  }
  Candidate taken = std::move(*candidate_);
  candidate_.reset();
  adopt(now, taken.after, std::move(taken.links), model->weights, *file, out);
}

void TaskCore::on_merged(Now now, std::uint64_t tag, Merged merged, Effects& out) {
  if (leading_ && leading_->merging == tag) {
    leading_->merging = 0;
    if (candidate_ || leading_->round != chain_.round() + 1) return leading_.reset();
    schema::EdilClose close{id_,        leading_->round,  leading_->view, chain_.model(),
                            merged.cid, leading_->members};
    schema::EdilSigned record =
        sign(context_.identity, context_.network_id, Kind::close, schema::encode_edil_close(close));
    leading_->link = {make_link(std::move(record), std::move(close))};
    leading_->merged = std::move(merged);
    leading_->persisting = new_tag();
    // Durable before it is told: who leads never closes the same view in two ways.
    Commit commit;
    commit.batch.put(context_.family, close_key(id_, leading_->round),
                     schema::encode_edil_signed(leading_->link.front().record));
    commit.durability = Durability::synced;
    commit.tag = leading_->persisting;
    out.push_back(std::move(commit));
    return;
  }
  if (!candidate_ || candidate_->merging != tag) return;
  candidate_->merging = 0;
  const Link& last = candidate_->links.back();
  if (merged.cid != last.close.model) {
    ++counters_.wrong_model;
    liars_.insert(last.record.signer);
    candidate_.reset();
    return advance(now, out);
  }
  Candidate taken = std::move(*candidate_);
  candidate_.reset();
  adopt(now, taken.after, std::move(taken.links), merged.weights, std::move(merged.file), out);
}

void TaskCore::on_persisted(Now now, std::uint64_t tag, bool kept, Effects& out) {
  if (!leading_ || leading_->persisting != tag) return;
  Leading lead = std::move(*leading_);
  leading_.reset();
  if (!kept || lead.round != chain_.round() + 1 || candidate_ ||
      lead.link.front().close.base != chain_.model()) {
    // Overtaken. What the store holds of that round follows from the chain.
    if (lead.round <= chain_.round()) persist_chain(lead.round - 1, lead.round, Bytes(), out);
    return advance(now, out);
  }
  ++counters_.rounds_led;
  seen_.insert(lead.link.front().hash);
  out.push_back(
      Publish{id_, schema::encode_edil_message(schema::ClosedRound{lead.link.front().record})});
  adopt(now, lead.round - 1, std::move(lead.link), lead.merged.weights, std::move(lead.merged.file),
        out);
}

bool TaskCore::puts_model(const Link& link) const {
  const PeerId& self = context_.identity.id();
  if (link.record.signer == self) return true;
  const Sha256Digest own = rank_of(link.close.round, self);
  std::uint32_t before = 0;
  bool member = false;
  for (const schema::EdilMember& one : link.close.members) {
    if (one.contributor == self)
      member = true;
    else if (rank_of(link.close.round, one.contributor) < own)
      ++before;
  }
  return member && before < kModelPutters;
}

void TaskCore::persist_chain(std::uint32_t after, std::uint32_t old_round, const Bytes& file,
                             Effects& out) {
  Commit commit;
  for (std::uint32_t round = after + 1; round <= chain_.round(); ++round)
    commit.batch.put(context_.family, close_key(id_, round),
                     schema::encode_edil_signed(chain_.link(round).record));
  for (std::uint32_t round = chain_.round() + 1; round <= old_round; ++round)
    commit.batch.erase(context_.family, close_key(id_, round));
  if (!file.empty()) commit.batch.put(context_.family, model_key(id_), file);
  out.push_back(std::move(commit));
}

void TaskCore::adopt(Now now, std::uint32_t after, std::vector<Link> links, SharedWeights weights,
                     Bytes file, Effects& out) {
  get_at_ = kNever;  // the head's model is here
  const std::uint32_t old_round = chain_.round();
  if (after < old_round) ++counters_.switches;
  for (std::uint32_t round = after + 1; round <= old_round; ++round)
    accuracies_.erase(chain_.model_after(round));
  const Cid& base = links.back().close.base;
  const Cid previous = base;
  for (const schema::EdilMember& member : links.back().close.members)
    delivered(now, member.contributor, links.back().close.round);
  chain_.follow(after, std::move(links));
  counters_.rounds_closed += chain_.round() > old_round ? chain_.round() - old_round : 0;
  keep_model(chain_.model(), weights);
  updates_.keep({previous, chain_.model()});
  for (auto& [contributor, join] : joins_) join.fresh = false;
  persist_chain(after, old_round, file, out);
  const Link& head = chain_.link(chain_.round());
  if (puts_model(head))
    out.push_back(
        PutObject{new_tag(), std::move(file),
                  "edil-" + task_text(id_).substr(0, 12) + "-" + std::to_string(head.close.round)});
  leading_.reset();
  ready_at_.reset();
  led_view_.reset();
  round_started_ = now.mono;
  republish_at_ = kNever;
  out.push_back(
      Measure{id_, chain_.model(), std::move(weights), task_.shape, task_.data != DataKind::own});
  take_early(now, out);
  advance(now, out);
}

}  // namespace kith::edil
