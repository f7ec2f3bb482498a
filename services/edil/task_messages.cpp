// What comes by gossip on a task's topic: parts of updates, joins, closes.
#include <algorithm>

#include "services/edil/task_core.hpp"

namespace kith::edil {

using gossip::Verdict;

Verdict TaskCore::refuse(const Error& error) {
  switch (error.code) {
    case Errc::truncated:
      ++counters_.truncated;
      break;
    case Errc::oversized:
      ++counters_.oversized;
      break;
    case Errc::signature:
    case Errc::identity:
      ++counters_.forged;
      break;
    default:
      ++counters_.malformed;
      break;
  }
  return Verdict::reject;
}

Verdict TaskCore::on_message(Now now, gossip::JudgeSlot judge, const PeerId& from,
                             host::PeerSlot via, const Bytes& message, Effects& out) {
  if (role_ == Role::none) return Verdict::ignore;
  const auto read = schema::decode_edil_message(message);
  if (!read) return refuse(read.error());
  if (const auto* part = std::get_if<schema::EdilPart>(&*read))
    return on_part(now, judge, from, via, *part, out);
  if (const auto* close = std::get_if<schema::ClosedRound>(&*read))
    return on_close(now, judge, from, via, close->record, out);
  return on_join(now, judge, from, std::get<schema::JoinedTask>(*read).record, out);
}

// Which round a part is for, seen from here. accept: for the one under way.
Verdict TaskCore::judge_base(Now now, gossip::JudgeSlot judge, host::PeerSlot via,
                             const schema::EdilPart& part, Effects& out) {
  if (part.round > task_.rounds) {
    ++counters_.wrong_base;
    return Verdict::reject;
  }
  const std::uint32_t next = chain_.round() + 1;
  if (part.round == next && part.base == chain_.model()) return Verdict::accept;
  if (part.round <= chain_.round() && part.base == chain_.model_after(part.round - 1)) {
    delivered(now, part.member.contributor, part.round);  // late: it is there all the same
    return Verdict::ignore;
  }
  // Who is quick trains for the next round while we still merge this one.
  if (part.round == next + 1 && part.base != chain_.model() && keep_early(judge, via, part))
    return Verdict::pending;
  ++counters_.wrong_base;
  // Two rounds for one model: nobody honest says that.
  if (part.base == chain_.model()) return Verdict::ignore;
  // Ahead of us, or of another fork.
  if (part.round >= next && !candidate_)
    sync_urgently(now, via, chain_.round() - std::min(chain_.round(), kSyncBack), out);
  return Verdict::ignore;
}

bool TaskCore::keep_early(gossip::JudgeSlot judge, host::PeerSlot via,
                          const schema::EdilPart& part) {
  if (early_.size() >= kEarlyMax || joins_.count(part.member.contributor) == 0) return false;
  const auto of_one = std::count_if(early_.begin(), early_.end(), [&](const Early& one) {
    return one.part.member.contributor == part.member.contributor;
  });
  if (of_one >= updates_.parts()) return false;
  early_.push_back({judge, via, part});
  return true;
}

void TaskCore::take_early(Now now, Effects& out) {
  for (Early& one : std::exchange(early_, {})) {
    const Verdict verdict =
        on_part(now, one.judge, one.part.member.contributor, one.via, one.part, out);
    if (verdict != Verdict::pending) out.push_back(Settle{one.judge, verdict});
  }
}

Verdict TaskCore::on_part(Now now, gossip::JudgeSlot judge, const PeerId& from, host::PeerSlot via,
                          const schema::EdilPart& part, Effects& out) {
  if (part.task != id_ || part.member.contributor != from)
    return refuse(fail(Errc::identity, "an update in somebody else's name"));
  if (part.count != updates_.parts())
    return refuse(fail(Errc::malformed, "an update of another number of parts"));
  const std::size_t need = updates_.bytes_of(part.index);
  if (part.bytes.size() != need)
    return refuse(fail(part.bytes.size() < need ? Errc::truncated : Errc::oversized,
                       "a part of another length"));
  if (const Verdict verdict = judge_base(now, judge, via, part, out); verdict != Verdict::accept)
    return verdict;
  if (const auto join = joins_.find(from); join == joins_.end() || join->second.leaves) {
    ++counters_.not_joined;
    return Verdict::ignore;
  }
  const UpdateTable::Put put = updates_.put(part);
  switch (put) {
    case UpdateTable::Put::duplicate:
      ++counters_.replayed;
      return Verdict::ignore;
    case UpdateTable::Put::other:
      return on_second(judge, part, out);
    case UpdateTable::Put::broken:
      // Whoever passed it on may have seen the other half only.
      ++counters_.forged;
      return Verdict::ignore;
    case UpdateTable::Put::full:
      ++counters_.full;
      return Verdict::ignore;
    case UpdateTable::Put::fresh:
    case UpdateTable::Put::more:
      break;
  }
  counters_.update_bytes_in += part.bytes.size();
  UpdateTable::Entry& entry = *updates_.find(part.base, from);
  if (put == UpdateTable::Put::fresh && !check({check_of(id_, part.round, part.base, part.member)},
                                               PartCheck{part.base, from}, out)) {
    updates_.erase(part.base, from);
    ++counters_.full;
    return Verdict::ignore;
  }
  if (!entry.verified) {
    entry.waiting.push_back(judge);
    return Verdict::pending;
  }
  if (entry.missing > 0) return Verdict::accept;
  if (!updates_.close_parts(entry))
    return refuse(fail(Errc::identity, "an update of another hash"));
  ++counters_.updates_in;
  delivered(now, from, part.round);
  advance(now, out);
  return Verdict::accept;
}

// Two updates of one contributor to one model. Both signed they are a proof; who passed this one on
// may have seen it only.
Verdict TaskCore::on_second(gossip::JudgeSlot judge, const schema::EdilPart& part, Effects& out) {
  if (updates_.find(part.base, part.member.contributor)->equivocated) {
    ++counters_.equivocated;
    return Verdict::ignore;
  }
  if (check({check_of(id_, part.round, part.base, part.member)}, SecondCheck{part, judge}, out))
    return Verdict::pending;
  ++counters_.full;
  return Verdict::ignore;
}

void TaskCore::after(Now, SecondCheck& second, bool hold, Effects& out) {
  out.push_back(Settle{second.judge, hold ? Verdict::ignore : Verdict::reject});
  if (!hold) {
    ++counters_.forged;
    return;
  }
  // The close may have brought this very one meanwhile, or the first one was forged.
  UpdateTable::Entry* first = updates_.find(second.part.base, second.part.member.contributor);
  if (first == nullptr || !first->verified || same_update(first->member, second.part.member))
    return;
  ++counters_.equivocated;
  first->equivocated = true;
}

void TaskCore::after(Now now, PartCheck& part, bool hold, Effects& out) {
  UpdateTable::Entry* entry = updates_.find(part.base, part.contributor);
  if (entry == nullptr) return;
  const std::vector<gossip::JudgeSlot> waiting = std::exchange(entry->waiting, {});
  if (entry->whole()) hold = true;  // it came by stream meanwhile
  bool good = hold;
  if (hold && !entry->whole()) {
    entry->verified = true;
    if (entry->missing == 0) {
      good = updates_.close_parts(*entry);
      if (good) {
        ++counters_.updates_in;
        delivered(now, part.contributor, entry->round);
      }
    }
  }
  if (!good) ++counters_.forged;
  for (const gossip::JudgeSlot judge : waiting)
    // A whole that is not what was signed shows with its last part, whoever hands that over.
    out.push_back(Settle{judge, good ? Verdict::accept : hold ? Verdict::ignore : Verdict::reject});
  // A broken whole stays, so that it is not taken again; a forged name does not take the place of
  // its bearer.
  if (!hold) updates_.erase(part.base, part.contributor);
  advance(now, out);
}

// --- joins

bool TaskCore::of_future(Now now, const schema::EdilJoin& join) {
  const auto wall = std::chrono::duration_cast<std::chrono::milliseconds>(
      now.wall.time_since_epoch() + kClockSkewMax);
  if (join.at_ms <= static_cast<std::uint64_t>(std::max<std::int64_t>(0, wall.count())))
    return false;
  ++counters_.future_dated;
  return true;
}

bool TaskCore::news_of(const schema::EdilJoin& join, const PeerId& signer) const {
  const auto known = joins_.find(signer);
  return known == joins_.end() || known->second.at_ms < join.at_ms;
}

Verdict TaskCore::on_join(Now now, gossip::JudgeSlot judge, const PeerId& from,
                          const schema::EdilSigned& record, Effects& out) {
  if (record.signer != from) return refuse(fail(Errc::identity, "a join in another's name"));
  const auto join = schema::decode_edil_join(record.body);
  if (!join) return refuse(join.error());
  if (join->task != id_) return refuse(fail(Errc::malformed, "a join to another task"));
  if (of_future(now, *join)) return Verdict::ignore;  // who passed it on may be ahead of us
  if (!news_of(*join, from)) {
    ++counters_.replayed;
    return Verdict::ignore;
  }
  if (!check({check_of(Kind::join, record)}, JoinsCheck{{{record, *join}}, {}, judge}, out)) {
    ++counters_.full;
    return Verdict::ignore;
  }
  return Verdict::pending;
}

void TaskCore::take_joins(Now now, const std::vector<schema::EdilSigned>& records, Effects& out) {
  JoinsCheck joins;
  joins.via = asked_;
  std::vector<Check> checks;
  for (const schema::EdilSigned& record : records) {
    const auto join = schema::decode_edil_join(record.body);
    if (!join || join->task != id_) {
      (void)refuse(join ? fail(Errc::malformed, "a join to another task") : join.error());
      return blame(now, asked_);
    }
    if (of_future(now, *join) || !news_of(*join, record.signer)) continue;
    checks.push_back(check_of(Kind::join, record));
    joins.joins.emplace_back(record, *join);
  }
  if (!checks.empty()) (void)check(std::move(checks), std::move(joins), out);
}

void TaskCore::after(Now now, JoinsCheck& joins, bool hold, Effects& out) {
  if (!hold) ++counters_.forged;
  if (joins.judge) out.push_back(Settle{*joins.judge, hold ? Verdict::accept : Verdict::reject});
  if (!hold && !joins.judge) blame(now, joins.via);
  if (!hold) return;
  for (auto& [record, join] : joins.joins) {
    if (!news_of(join, record.signer)) continue;
    if (joins_.count(record.signer) == 0 && joins_.size() >= schema::kContributorsMax) {
      ++counters_.full;
      continue;
    }
    Join& known = joins_[record.signer];
    known.record = std::move(record);
    known.at_ms = join.at_ms;
    known.leaves = join.leaves;
  }
  advance(now, out);
}

// --- closes

Result<Link> TaskCore::read_link(const schema::EdilSigned& record) const {
  KITH_TRY(schema::EdilClose close, schema::decode_edil_close(record.body));
  if (close.task != id_) return fail(Errc::malformed, "a close of another task");
  if (close.round > task_.rounds) return fail(Errc::malformed, "a close after the last round");
  if (close.members.size() < task_.contributors_min)
    return fail(Errc::malformed, "a close of too few contributors");
  const bool member = std::any_of(close.members.begin(), close.members.end(), [&](const auto& one) {
    return one.contributor == record.signer;
  });
  if (!member) return fail(Errc::malformed, "a close by somebody who contributed nothing");
  return make_link(record, std::move(close));
}

void TaskCore::add_checks(const Link& link, std::vector<Check>& checks) const {
  for (const schema::EdilMember& member : link.close.members) {
    const UpdateTable::Entry* held = updates_.find_whole(link.close.base, member);
    if (held != nullptr && held->round == link.close.round &&
        held->member.signature == member.signature)
      continue;
    checks.push_back(check_of(id_, link.close.round, link.close.base, member));
  }
}

Verdict TaskCore::on_close(Now, gossip::JudgeSlot judge, const PeerId& from, host::PeerSlot via,
                           const schema::EdilSigned& record, Effects& out) {
  if (record.signer != from) return refuse(fail(Errc::identity, "a close in another's name"));
  auto link = read_link(record);
  if (!link) return refuse(link.error());
  if (liars_.contains(from)) {
    ++counters_.wrong_model;
    return Verdict::ignore;  // who passed it on may not know that it lied
  }
  if (seen_.contains(link->hash)) {
    ++counters_.replayed;
    return Verdict::ignore;
  }
  std::vector<Check> checks = {check_of(Kind::close, link->record)};
  add_checks(*link, checks);
  if (!check(std::move(checks), LinksCheck{{std::move(*link)}, via, judge}, out)) {
    ++counters_.full;
    return Verdict::ignore;
  }
  return Verdict::pending;
}

void TaskCore::after(Now now, LinksCheck& links, bool hold, Effects& out) {
  if (!hold) ++counters_.forged;
  if (links.judge) out.push_back(Settle{*links.judge, hold ? Verdict::accept : Verdict::reject});
  if (!hold && !links.judge) blame(now, links.via);
  if (!hold) return;
  for (const Link& link : links.links) seen_.insert(link.hash);
  consider(now, std::move(links.links), links.via, links.judge.has_value(), out);
  advance(now, out);
}

void TaskCore::on_verified(Now now, std::uint64_t tag, bool hold, Effects& out) {
  const auto at = checks_.find(tag);
  if (at == checks_.end()) return;
  AfterCheck next = std::move(at->second);
  checks_.erase(at);
  std::visit([&](auto& one) { after(now, one, hold, out); }, next);
}

}  // namespace kith::edil
