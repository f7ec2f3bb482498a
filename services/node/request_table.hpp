// RequestTable: what users asked for and is not done. Each request ends exactly once: by its
// answer, its deadline, its cancellation, or the node's stop. What a service says of an ended
// request is dropped here.
//
// Bounds: kRequestsMax at a time; more are refused with Errc::exhausted, in the next turn.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "net/base/loop.hpp"
#include "services/node/node.hpp"

namespace kith::node {

inline constexpr std::size_t kRequestsMax = 1024;

class RequestTable final : private Alarm {
 public:
  // `abandon(id)` tells whoever works on a request that nobody waits any more.
  RequestTable(Loop& loop, std::function<void(RequestId)> abandon);
  ~RequestTable();
  RequestTable(const RequestTable&) = delete;
  RequestTable& operator=(const RequestTable&) = delete;

  // deadline 0: none. `phase` says what a timeout will name as unfinished ("connecting").
  RequestId add(RequestSink& sink, Duration deadline, std::string what);
  // Not done, and to be worked on.
  bool open(RequestId request) const {
    return entries_.count(request) != 0 && refused_.count(request) == 0;
  }
  void progress(RequestId request, const Progress& progress);
  void done(RequestId request, Result<Answer> answer);
  void cancel(RequestId request);
  void drop_sink(RequestSink& sink);
  void end_all(const Error& why);

 private:
  struct Entry {
    RequestSink* sink = nullptr;
    Mono deadline = kNever;
    std::string what;  // "looking for providers (asked 20, 0 have it)"
  };
  void on_alarm(Now now) override;
  void arm();
  void finish(std::map<RequestId, Entry>::iterator at, Result<Answer> answer, bool tell_worker);

  Loop& loop_;
  std::function<void(RequestId)> abandon_;
  std::map<RequestId, Entry> entries_;
  std::set<RequestId> refused_;  // of entries_: only to be told so
  std::set<std::pair<Mono, RequestId>> deadlines_;
  std::uint64_t last_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace kith::node
