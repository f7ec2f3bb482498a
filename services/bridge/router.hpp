// Router: from an HTTP call to what is to be done. Pure but for what it asks of the Backend; the
// table of routes in router.cpp is the API's list.
//
// Rules: GET never changes anything; POST wants a JSON object. A call is admitted (token, Host)
// before its path is looked at. Errors are application/problem+json with code, what, why, fix.
#pragma once

#include <variant>

#include "services/bridge/answers.hpp"
#include "services/bridge/backend.hpp"
#include "services/bridge/guard.hpp"
#include "services/bridge/requests.hpp"

namespace kith::bridge {

// A request whose answer is JSON lines: progress, then one "done" or "error".
struct Start {
  TimedRequest what;
  WriteAnswer write = write_nothing;
};
using Routed = std::variant<Reply, Start>;

Routed route(const HttpCall& call, const ApiGuard& guard, Backend& backend);

Reply problem(unsigned status, const Error& error);

// Lines of an answer, each with its line feed.
std::string progress_line(const node::Progress& progress);
std::string done_line(const Result<node::Answer>& answer, WriteAnswer write);
std::string gap_line(std::uint64_t dropped);  // so many events were lost: the reader is too slow

}  // namespace kith::bridge
