// Counters: what the router did and refused, for status pages, scenarios and tests.
#pragma once

#include <cstdint>

namespace kith::gossip {

struct Counters {
  std::uint64_t published = 0;
  std::uint64_t delivered = 0;   // accepted by the judge
  std::uint64_t forwarded = 0;   // copies sent on for others
  std::uint64_t duplicates = 0;  // copies of messages that we had

  // Messages that were refused before their signature was looked at.
  std::uint64_t malformed = 0;
  std::uint64_t oversized = 0;
  std::uint64_t unknown_topic = 0;
  std::uint64_t echoes = 0;  // our own, from others
  std::uint64_t queue_full = 0;
  // After it.
  std::uint64_t bad_signature = 0;
  std::uint64_t rejected = 0;
  std::uint64_t ignored = 0;  // by the judge
  std::uint64_t pending_full = 0;
  std::uint64_t judge_timeout = 0;

  std::uint64_t rpc_unknown_peer = 0;
  std::uint64_t rpc_ignored_peer = 0;
  std::uint64_t rpc_malformed = 0;
  std::uint64_t left_out = 0;  // elements beyond the decoder's bounds
  std::uint64_t subscriptions_refused = 0;
  std::uint64_t peers_ignored = 0;  // times that blame reached its limit
  std::uint64_t peers_stalled = 0;

  std::uint64_t graft_sent = 0;
  std::uint64_t prune_sent = 0;
  std::uint64_t graft_ignored = 0;  // topic not ours, or not the peer's
  std::uint64_t graft_in_backoff = 0;
  std::uint64_t graft_mesh_full = 0;
  std::uint64_t ihave_ids_sent = 0;
  std::uint64_t ihave_refused = 0;  // RPCs or ids beyond what a heartbeat may bring
  std::uint64_t iwant_ids_sent = 0;
  std::uint64_t iwant_served = 0;
  std::uint64_t iwant_refused = 0;
};

}  // namespace kith::gossip
