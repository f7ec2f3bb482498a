// Learning tasks over the API: /api/v1/fl (all), /fl/create, /fl/join, /fl/leave, /fl/show,
// /fl/rounds, and /fl/wait, which tells each round until the last.
#pragma once

#include "services/bridge/answers.hpp"
#include "services/bridge/requests.hpp"

namespace kith::bridge {

Result<TimedRequest> parse_fl_list(Body& body);  // nothing
// name, model (softmax, mlp), inputs, hidden, outputs, rounds, min, data (digits, own), split (iid,
// labels), samples, rate_millionths, epochs, batch, round_ms
Result<TimedRequest> parse_fl_create(Body& body);
Result<TimedRequest> parse_fl_join(Body& body);    // task, source (drawn, idx, csv), path, follow
Result<TimedRequest> parse_fl_leave(Body& body);   // task
Result<TimedRequest> parse_fl_show(Body& body);    // task
Result<TimedRequest> parse_fl_rounds(Body& body);  // task
Result<TimedRequest> parse_fl_wait(Body& body);    // task

void write_fl(const node::Answer& answer, boost::json::object& out);
boost::json::object event(const edil::Progress& progress);
std::string edil_metrics(const edil::Status& status);

}  // namespace kith::bridge
