#include "services/node/request_table.hpp"

namespace kith::node {
namespace {

// What a person reads when a deadline passes: the phase it was in, and what that phase saw.
std::string phase_of(const Progress& progress) {
  if (const auto* file = std::get_if<r1fs::FileProgress>(&progress)) {
    std::string text(r1fs::phase_name(file->phase));
    if (!file->note.empty()) text += ": " + file->note;
    return text;
  }
  if (const auto* routing = std::get_if<dht::RoutingProgress>(&progress))
    return "asked " + std::to_string(routing->asked) + " peers, " +
           std::to_string(routing->answered) + " answered";
  return {};
}

}  // namespace

RequestTable::RequestTable(Loop& loop, std::function<void(RequestId)> abandon)
    : loop_(loop), abandon_(std::move(abandon)) {}

RequestTable::~RequestTable() {
  *alive_ = false;
  loop_.arm(*this, kNever);
}

RequestId RequestTable::add(RequestSink& sink, Duration deadline, std::string what) {
  const RequestId request{++last_};
  Entry entry{&sink, kNever, std::move(what)};
  if (entries_.size() - refused_.size() >= kRequestsMax) {
    entries_.emplace(request, std::move(entry));
    refused_.insert(request);
    loop_.post([this, alive = alive_, request] {
      if (*alive)
        done(request, fail(Errc::exhausted, "too many requests are under way",
                           std::to_string(kRequestsMax) + " at most", "wait for some to end"));
    });
    return request;
  }
  if (deadline > Duration::zero()) {
    entry.deadline = later(loop_.now().mono, deadline);
    deadlines_.insert({entry.deadline, request});
  }
  entries_.emplace(request, std::move(entry));
  arm();
  return request;
}

void RequestTable::progress(RequestId request, const Progress& progress) {
  const auto at = entries_.find(request);
  if (at == entries_.end()) return;
  if (std::string phase = phase_of(progress); !phase.empty()) at->second.what = std::move(phase);
  at->second.sink->on_progress(loop_.now(), request, progress);
}

void RequestTable::done(RequestId request, Result<Answer> answer) {
  const auto at = entries_.find(request);
  if (at != entries_.end()) finish(at, std::move(answer), false);
}

void RequestTable::cancel(RequestId request) {
  const auto at = entries_.find(request);
  if (at != entries_.end()) finish(at, fail(Errc::cancelled, "cancelled"), true);
}

void RequestTable::drop_sink(RequestSink& sink) {
  std::vector<RequestId> theirs;
  for (const auto& [request, entry] : entries_)
    if (entry.sink == &sink) theirs.push_back(request);
  for (const RequestId request : theirs) {
    const auto at = entries_.find(request);
    deadlines_.erase({at->second.deadline, request});
    entries_.erase(at);
    refused_.erase(request);
    abandon_(request);
  }
  arm();
}

void RequestTable::end_all(const Error& why) {
  while (!entries_.empty()) finish(entries_.begin(), why, true);
}

void RequestTable::finish(std::map<RequestId, Entry>::iterator at, Result<Answer> answer,
                          bool tell_worker) {
  const RequestId request = at->first;
  RequestSink* sink = at->second.sink;
  deadlines_.erase({at->second.deadline, request});
  entries_.erase(at);
  refused_.erase(request);
  arm();
  if (tell_worker) abandon_(request);
  sink->on_done(loop_.now(), request, std::move(answer));
}

void RequestTable::on_alarm(Now now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now.mono) {
    const auto at = entries_.find(deadlines_.begin()->second);
    Error error = fail(Errc::timeout, "the deadline passed", "it was " + at->second.what,
                       "try again with a longer --timeout, or when more peers are online");
    finish(at, std::move(error), true);
  }
  arm();
}

void RequestTable::arm() {
  loop_.arm(*this, deadlines_.empty() ? kNever : deadlines_.begin()->first);
}

}  // namespace kith::node
