// By stream: what is asked of others, what they answer and who is to blame for it; how the late
// catch up.
#include <algorithm>

#include "services/edil/task_core.hpp"

namespace kith::edil {

using schema::EdilAnswer;
using schema::EdilUpdate;

std::optional<host::PeerSlot> TaskCore::any_listener(Now now) {
  std::vector<host::PeerSlot> some;
  for (const host::PeerSlot peer : listeners_)
    if (!shunned_.contains(now.mono, peer)) some.push_back(peer);
  if (some.empty()) return std::nullopt;
  return some[static_cast<std::size_t>(rng_.below(some.size()))];
}

void TaskCore::stop_asking(Effects& out) {
  if (asking_ != 0) out.push_back(StopAsking{asking_});
  asking_ = 0;
  incoming_.clear();
}

// Anybody can publish what makes us ask: so not at once again.
void TaskCore::sync_urgently(Now now, host::PeerSlot peer, std::uint32_t from, Effects& out) {
  if (now.mono < urgent_at_ || asking_ != 0) return;
  urgent_at_ = now.mono + kUrgentEvery;
  sync(now, peer, from, out);
}

void TaskCore::sync(Now now, host::PeerSlot peer, std::uint32_t from, Effects& out) {
  if (asking_ != 0 || shunned_.contains(now.mono, peer)) return;
  asking_ = new_tag();
  asked_from_ = from;
  asking_updates_ = false;
  asked_ = peer;
  ask_ends_ = now.mono + kAnswerTime;
  if (incoming_.empty() || incoming_.back().close.round != from) {
    incoming_.clear();
    incoming_checks_.clear();
    incoming_bytes_ = 0;
    pages_ = 0;
  }
  out.push_back(Ask{peer, asking_,
                    schema::ChainQuestion{id_, from, chain_.weight(), chain_.model(),
                                          static_cast<std::uint32_t>(joins_.size())}});
}

EdilAnswer TaskCore::answer(const schema::ChainQuestion& question) const {
  EdilAnswer answer;
  answer.weight = chain_.weight();
  answer.round = chain_.round();
  if (joins_.size() > question.joins)
    for (const auto& [contributor, join] : joins_) answer.joins.push_back(join.record);
  if (chain_.weight() < question.weight || chain_.model() == question.model) return answer;
  std::size_t bytes = 0;
  for (std::uint32_t round = question.from_round + 1;
       round <= chain_.round() && answer.records.size() < schema::kClosesAnswerMax; ++round) {
    bytes += chain_.link(round).record.body.size();
    if (bytes > kClosesAnswerBytes) break;
    answer.records.push_back(chain_.link(round).record);
  }
  return answer;
}

EdilAnswer TaskCore::answer(const schema::UpdatesQuestion& question) const {
  EdilAnswer answer;
  answer.weight = chain_.weight();
  answer.round = chain_.round();
  const std::set<Sha256Digest> wanted(question.hashes.begin(), question.hashes.end());
  std::size_t bytes = 0;
  for (const UpdateTable::Entry* entry : updates_.whole(question.base)) {
    if (wanted.count(entry->member.hash) == 0) continue;
    bytes += entry->payload.size();
    if (bytes > kUpdatesAnswerBytes) break;
    answer.updates.push_back({entry->round, question.base, entry->member, entry->payload});
  }
  return answer;
}

void TaskCore::on_answer(Now now, std::uint64_t tag, Result<EdilAnswer> answer, Effects& out) {
  if (tag != asking_ || tag == 0) return;
  asking_ = 0;
  if (answer && asking_updates_) on_updates_answer(now, *answer);
  if (answer && !asking_updates_) on_chain_answer(now, *answer, out);
  if (!answer) incoming_.clear();
  if (!answer && shows_to_all(answer.error())) {
    (void)refuse(answer.error());
    blame(now, asked_);
  }
  advance(now, out);
}

void TaskCore::blame(Now now, host::PeerSlot peer) {
  ++counters_.blamed;
  shunned_.add(now.mono, peer);
}

void TaskCore::on_updates_answer(Now now, EdilAnswer& answer) {
  if (!candidate_) return;
  const Link& last = candidate_->links.back();
  bool any = false;
  bool bad = false;
  for (EdilUpdate& update : answer.updates) {
    // Signatures of members hold since the close was checked; what is left is the content.
    const auto& members = last.close.members;
    const auto member = std::find_if(members.begin(), members.end(), [&](const auto& one) {
      return same_update(one, update.member);
    });
    if (update.base != last.close.base || member == members.end()) continue;
    if (updates_.find_whole(update.base, *member) != nullptr) {
      ++counters_.replayed;  // here already; no reason to ask again at once
      continue;
    }
    const auto put =
        updates_.put_whole(update.base, last.close.round, *member, std::move(update.payload));
    any = any || put.has_value();
    if (put) continue;
    (void)refuse(put.error());
    bad = bad || shows_to_all(put.error());
  }
  if (bad) blame(now, asked_);
  if (!any) return;
  candidate_->tries = 1;  // it goes on
  candidate_->retry_at = now.mono;
}

// The next of an answer to a chain question. Errors: of read_link; malformed when it is of another
// round than the next, refused when it does not go on from the one before.
Result<Link> TaskCore::read_next(const schema::EdilSigned& record) const {
  KITH_TRY(Link link, read_link(record));
  const std::uint32_t next = incoming_.empty() ? asked_from_ + 1 : incoming_.back().close.round + 1;
  if (link.close.round != next) return fail(Errc::malformed, "a close of another round than asked");
  if (!incoming_.empty() && link.close.base != incoming_.back().close.model)
    return fail(Errc::refused, "a close that does not follow the one before");
  if (incoming_.empty() && asked_from_ == 0 && link.close.base != chain_.model_after(0))
    return fail(Errc::malformed, "a first close to another model than the task's");
  return link;
}

void TaskCore::on_chain_answer(Now now, EdilAnswer& answer, Effects& out) {
  take_joins(now, answer.joins, out);
  if (answer.records.empty()) return incoming_.clear();
  // Between two pages an honest peer may switch to another chain.
  const std::size_t pages_before = incoming_.size();
  for (const schema::EdilSigned& record : answer.records) {
    auto link = read_next(record);
    if (!link) {
      const bool switched = incoming_.size() == pages_before && link.error().code == Errc::refused;
      incoming_.clear();
      if (switched) return;
      (void)refuse(link.error());
      return blame(now, asked_);
    }
    incoming_bytes_ += record.body.size();
    const bool known =
        link->close.round <= chain_.round() && chain_.link(link->close.round).hash == link->hash;
    if (!known) {
      incoming_checks_.push_back(check_of(Kind::close, link->record));
      add_checks(*link, incoming_checks_);
    }
    incoming_.push_back(std::move(*link));
  }
  const std::uint32_t reached = incoming_.back().close.round;
  if (reached < answer.round && incoming_bytes_ < kIncomingBytesMax && ++pages_ < kPagesMax)
    return sync(now, asked_, reached, out);  // the next page; all are checked at the end
  std::vector<Link> links = std::exchange(incoming_, {});
  std::vector<Check> checks = std::exchange(incoming_checks_, {});
  if (checks.empty()) return consider(now, std::move(links), asked_, false, out);
  (void)check(std::move(checks), LinksCheck{std::move(links), asked_, {}}, out);
}

}  // namespace kith::edil
