// Proof-of-Availability over the API: /api/v1/uptime (all), /uptime/show (one peer, fewer epochs)
// and /uptime/ask (another node's table, in its words).
#pragma once

#include "services/bridge/answers.hpp"
#include "services/bridge/requests.hpp"

namespace kith::bridge {

Result<TimedRequest> parse_uptime(Body& body);       // nothing
Result<TimedRequest> parse_uptime_show(Body& body);  // peer (may be missing), epochs
Result<TimedRequest> parse_uptime_ask(Body& body);   // peer

// timing, epoch, peers with epochs of up, seen, value and cells (null: nothing was seen of it); or
// owner, first_epoch, up and peers with values.
void write_uptime(const node::Answer& answer, boost::json::object& out);
boost::json::object event(const poa::Progress& progress);
std::string poa_metrics(const poa::Status& status);

}  // namespace kith::bridge
