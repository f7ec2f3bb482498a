#include "net/host/dialer.hpp"

#include <algorithm>

namespace kith::host {
namespace {

// In place: GCC 12 takes the temporary variant of push_back for uninitialised.
template <class Effect>
void put(DialEffects& out, Effect effect) {
  out.emplace_back(std::in_place_type<Effect>, std::move(effect));
}

}  // namespace

std::vector<Multiaddr> alternate_families(std::span<const Multiaddr> addrs) {
  std::vector<const Multiaddr*> first;
  std::vector<const Multiaddr*> second;
  const auto is_ip6 = [](const Multiaddr& addr) { return addr.find(proto::ip6).has_value(); };
  for (const Multiaddr& addr : addrs)
    (is_ip6(addr) == is_ip6(addrs.front()) ? first : second).push_back(&addr);
  std::vector<Multiaddr> mixed;
  mixed.reserve(addrs.size());
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) mixed.push_back(*first[i]);
    if (i < second.size()) mixed.push_back(*second[i]);
  }
  return mixed;
}

void Dialer::connect(Now now, ConnectRequest request, const PeerId& id,
                     std::span<const Multiaddr> addrs, std::vector<std::string> unusable,
                     DialEffects& out) {
  if (requests_ >= limits_.connects_max) {
    out.push_back(
        DialAnswer{request, {}, fail(Errc::exhausted, "too many connects are under way")});
    return;
  }
  const auto joined = id.empty() ? by_id_.end() : by_id_.find(id);
  const JobSlot slot = joined != by_id_.end() ? joined->second : jobs_.insert({});
  if (!id.empty()) by_id_[id] = slot;
  Job& job = jobs_.at(slot);
  job.id = id;
  job.waiters.push_back({request, later(now.mono, limits_.connect_deadline)});
  ++requests_;
  for (const Multiaddr& addr : alternate_families(addrs)) {
    if (job.addrs.size() >= limits_.dial_addrs_max) break;
    if (std::find(job.addrs.begin(), job.addrs.end(), addr) == job.addrs.end())
      job.addrs.push_back(addr);
  }
  for (std::string& why : unusable)
    if (job.said.size() < limits_.dial_addrs_max) job.said.push_back(std::move(why));
  pump(now, slot, out);
}

void Dialer::start_one(Now now, JobSlot slot, Job& job, DialEffects& out) {
  const Multiaddr& addr = job.addrs[job.next++];
  const AttemptSlot attempt = attempts_.insert({slot, addr, now.mono, false});
  job.attempts.push_back(attempt);
  job.next_start = later(now.mono, limits_.dial_stagger);
  put(out, DialStart{attempt, addr, job.id});
}

// The oldest attempt makes room when it has had its time and another address waits.
void Dialer::give_way(Now now, Job& job, DialEffects& out) {
  if (job.secured > 0 || job.next == job.addrs.size() || job.attempts.size() < kDialsParallel)
    return;
  const AttemptSlot oldest = job.attempts.front();
  const Attempt& attempt = attempts_.at(oldest);
  if (now.mono < later(attempt.since, kDialPatience)) return;
  job.said.push_back(attempt.addr.text() + ": no answer in 2 s");
  put(out, DialAbort{oldest});
  forget(oldest, job);
}

void Dialer::pump(Now now, JobSlot slot, DialEffects& out) {
  Job& job = jobs_.at(slot);
  give_way(now, job, out);
  while (job.secured == 0 && job.next < job.addrs.size() && now.mono >= job.next_start &&
         job.attempts.size() < kDialsParallel && attempts_.size() < limits_.dials_in_flight_max)
    start_one(now, slot, job, out);
  if (!job.attempts.empty() || job.next < job.addrs.size()) return;
  const bool tried = !job.addrs.empty() || !job.said.empty();
  const Errc code = job.wrong_peer ? Errc::identity : tried ? Errc::connection : Errc::not_found;
  answer_all(slot, {},
             failure(job, code, tried ? "could not connect to " : "no address is known of "), out);
}

void Dialer::pump_all(Now now, DialEffects& out) {
  jobs_.for_each([&](JobSlot slot, Job&) { pump(now, slot, out); });
}

void Dialer::forget(AttemptSlot attempt, Job& job) {
  if (attempts_.at(attempt).secured) --job.secured;
  std::erase(job.attempts, attempt);
  attempts_.erase(attempt);
}

void Dialer::abort_unsecured(Job& job, DialEffects& out) {
  const auto attempts = job.attempts;
  for (const AttemptSlot attempt : attempts) {
    if (attempts_.at(attempt).secured) continue;
    put(out, DialAbort{attempt});
    forget(attempt, job);
  }
}

void Dialer::on_secured(Now now, AttemptSlot attempt, DialEffects& out) {
  Attempt* found = attempts_.find(attempt);
  if (found == nullptr || found->secured) return;
  found->secured = true;
  Job& job = jobs_.at(found->job);
  ++job.secured;
  abort_unsecured(job, out);
  pump_all(now, out);
}

void Dialer::on_failed(Now now, AttemptSlot attempt, const Error& error, DialEffects& out) {
  const Attempt* found = attempts_.find(attempt);
  if (found == nullptr) return;
  Job& job = jobs_.at(found->job);
  if (error.code == Errc::identity) job.wrong_peer = true;
  std::string said = found->addr.text() + ": " + error.what;
  if (!error.why.empty()) said += " (" + error.why + ")";
  job.said.push_back(std::move(said));
  job.next_start = now.mono;
  forget(attempt, job);
  pump_all(now, out);
}

void Dialer::on_ready(Now now, const PeerId& id, PeerSlot peer, AttemptSlot attempt,
                      DialEffects& out) {
  if (const auto found = by_id_.find(id); found != by_id_.end())
    answer_all(found->second, peer, {}, out);
  if (const Attempt* found = attempts_.find(attempt); found != nullptr)
    answer_all(found->job, peer, {}, out);
  pump_all(now, out);
}

void Dialer::on_tick(Now now, DialEffects& out) {
  jobs_.for_each([&](JobSlot slot, Job& job) {
    const auto late = [&](const Waiter& waiter) { return waiter.deadline <= now.mono; };
    for (const Waiter& waiter : job.waiters) {
      if (!late(waiter)) continue;
      const Errc code = job.wrong_peer ? Errc::identity : Errc::timeout;
      out.push_back(
          DialAnswer{waiter.request, {}, failure(job, code, "no connection in time to ")});
      --requests_;
    }
    std::erase_if(job.waiters, late);
    if (job.waiters.empty()) end_job(slot, out);
  });
  pump_all(now, out);
}

void Dialer::stop(Now, DialEffects& out) {
  jobs_.for_each([&](JobSlot slot, Job&) {
    answer_all(slot, {}, fail(Errc::cancelled, "the node is stopping"), out);
  });
}

// Secured attempts go on as connections of their own; nobody waits for them any more.
void Dialer::end_job(JobSlot slot, DialEffects& out) {
  Job& job = jobs_.at(slot);
  abort_unsecured(job, out);
  for (const AttemptSlot attempt : job.attempts) attempts_.erase(attempt);
  if (!job.id.empty()) by_id_.erase(job.id);
  jobs_.erase(slot);
}

void Dialer::answer_all(JobSlot slot, PeerSlot peer, const std::optional<Error>& error,
                        DialEffects& out) {
  Job& job = jobs_.at(slot);
  requests_ -= job.waiters.size();
  for (const Waiter& waiter : job.waiters) put(out, DialAnswer{waiter.request, peer, error});
  job.waiters.clear();
  end_job(slot, out);
}

Error Dialer::failure(const Job& job, Errc code, std::string_view what) const {
  std::string why;
  for (const std::string& said : job.said) why += (why.empty() ? "" : "; ") + said;
  for (const AttemptSlot slot : job.attempts)
    why += (why.empty() ? "" : "; ") + attempts_.find(slot)->addr.text() + ": no answer yet";
  return fail(code, std::string(what) + (job.id.empty() ? "the address" : job.id.text()),
              std::move(why));
}

Mono Dialer::job_deadline(const Job& job) const {
  Mono next = kNever;
  for (const Waiter& waiter : job.waiters) next = std::min(next, waiter.deadline);
  if (job.secured > 0 || job.next == job.addrs.size()) return next;
  if (job.attempts.size() >= kDialsParallel)
    return std::min(next, later(attempts_.find(job.attempts.front())->since, kDialPatience));
  // With the node-wide limit reached, the next attempt starts when another ends.
  if (attempts_.size() >= limits_.dials_in_flight_max) return next;
  return std::min(next, job.next_start);
}

Mono Dialer::next_deadline() const {
  Mono next = kNever;
  jobs_.for_each([&](JobSlot, const Job& job) { next = std::min(next, job_deadline(job)); });
  return next;
}

}  // namespace kith::host
