// CSTORE over the API: POST /api/v1/kv/put, del, incr, get, ls, watch and stat. Keys are text,
// values base64.
#pragma once

#include "services/bridge/answers.hpp"
#include "services/bridge/requests.hpp"

namespace kith::bridge {

Result<TimedRequest> parse_kv_put(Body& body);    // space, key, value
Result<TimedRequest> parse_kv_del(Body& body);    // space, key
Result<TimedRequest> parse_kv_incr(Body& body);   // space, key, by (1), negative
Result<TimedRequest> parse_kv_get(Body& body);    // space, key
Result<TimedRequest> parse_kv_ls(Body& body);     // space, prefix, after, limit
Result<TimedRequest> parse_kv_watch(Body& body);  // space, prefix
Result<TimedRequest> parse_kv_stat(Body& body);   // space

// An item: key, kind ("value" or "counter"), value or count, writer, written_ms; a page of items;
// or what is known of a namespace.
void write_kv(const node::Answer& answer, boost::json::object& out);
boost::json::object event(const cstore::Progress& progress);
std::string cstore_metrics(const cstore::Status& status);

}  // namespace kith::bridge
