// From a JSON body to a node's typed request, one function a kind. Every body may also have
// `timeout_ms`, the total deadline; 0 is none.
#pragma once

#include "services/bridge/body.hpp"
#include "services/node/node.hpp"

namespace kith::bridge {

inline constexpr std::uint64_t kTimeoutMsMax = 24ull * 3600 * 1000;
inline constexpr std::uint32_t kPingCountMax = 1000;
inline constexpr std::uint32_t kEnoughMax = 1000;  // providers of one lookup
inline constexpr std::uint32_t kSpreadMax = 64;    // keepers that an add waits for
inline constexpr std::size_t kFileNameMax = 255;

struct TimedRequest {
  node::Request request;
  Duration deadline{};
};

using ParseRequest = Result<TimedRequest> (*)(Body&);

Result<TimedRequest> parse_peer_connect(Body& body);     // addr
Result<TimedRequest> parse_peer_ping(Body& body);        // addr or id, count
Result<TimedRequest> parse_peer_echo(Body& body);        // addr, streams, bytes
Result<TimedRequest> parse_dht_find(Body& body);         // id
Result<TimedRequest> parse_dht_providers(Body& body);    // cid, enough
Result<TimedRequest> parse_topic_publish(Body& body);    // topic, data (base64)
Result<TimedRequest> parse_topic_subscribe(Body& body);  // topic
Result<TimedRequest> parse_file_add(Body& body);         // path, name, visibility, spread
Result<TimedRequest> parse_file_get(Body& body);         // cid, path, ask_others, overwrite
Result<TimedRequest> parse_file_list(Body& body);
Result<TimedRequest> parse_file_stat(Body& body);    // cid
Result<TimedRequest> parse_file_remove(Body& body);  // cid

}  // namespace kith::bridge
