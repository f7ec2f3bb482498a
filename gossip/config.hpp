// RouterConfig and every bound of gossip/, each with its source or its reason. "go" is the
// default of go-libp2p-pubsub; "v1.1" the gossipsub specification.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gossip/gossip.hpp"
#include "schema/libp2p/gossip_rpc.hpp"

namespace kith::gossip {

// What a network agrees on, and what a test changes.
struct RouterConfig {
  PeerId self;
  std::size_t degree = 6;        // D, v1.0
  std::size_t degree_low = 5;    // D_low, go
  std::size_t degree_high = 12;  // D_high, v1.0
  std::size_t degree_lazy = 6;   // D_lazy, v1.0
  std::size_t degree_out = 2;    // D_out, v1.1: below degree_low, at most degree / 2
  Duration heartbeat = 1s;       // v1.0
};

// Topics.
inline constexpr std::size_t kTopicsOwnMax = 100;      // others take no more from us
inline constexpr std::size_t kTopicsPerPeerMax = 100;  // CVE-2026-46679
inline constexpr std::size_t kFanoutsMax = 64;
inline constexpr Duration kFanoutLifetime = 60s;  // v1.0

// Mesh.
inline constexpr Duration kBackoff = 60s;             // v1.1
inline constexpr Duration kBackoffUnsubscribe = 10s;  // go
inline constexpr Duration kBackoffMax = 1h;           // of what a peer may ask (CVE-2026-33040)
// We graft this much after the backoff, so that the other side's clock has passed it too.
inline constexpr Duration kBackoffSlack = 2s;
inline constexpr std::size_t kBackoffsPerTopicMax = 1024;

// Message and gossip windows, in heartbeats.
inline constexpr std::size_t kHistoryLength = 5;  // v1.0
inline constexpr std::size_t kHistoryGossip = 3;  // v1.0
inline constexpr std::size_t kHistoryMessagesMax = 8192;
inline constexpr std::size_t kHistoryBytesMax = 16u << 20;
// Of the peers outside of the mesh, the share in a hundred that hears of new messages (v1.1).
inline constexpr std::size_t kGossipFactorPercent = 25;

// Seen messages: at least this long, unless more than the maximum come within it.
inline constexpr Duration kSeenLifetime = 120s;               // v1.0
inline constexpr std::size_t kSeenPerGenerationMax = 131072;  // two generations; 4 MiB at most

// IHAVE and IWANT, per peer and heartbeat.
inline constexpr std::size_t kIHavesPerHeartbeatMax = 10;      // RPCs with IHAVE, go
inline constexpr std::size_t kIHaveIdsPerHeartbeatMax = 5000;  // looked at, go; also what we offer
inline constexpr std::size_t kAsksPerHeartbeatMax = 256;       // ids that we ask a peer for
inline constexpr std::size_t kAsksPerIdMax = 2;                // peers asked for one id
inline constexpr std::size_t kAskedIdsMax = 4096;
inline constexpr std::size_t kIWantIdsPerHeartbeatMax = 5000;  // looked at
inline constexpr std::size_t kRetransmissionsMax = 3;          // per id and peer, go
inline constexpr std::size_t kIWantBytesPerHeartbeatMax = 1u << 20;
inline constexpr std::size_t kMessageIdBytesMax = 128;  // other ids are not looked at

// Messages.
inline constexpr std::size_t kFromBytesMax = 64;  // a peer id takes 34 to 44
inline constexpr std::size_t kSeqnoBytes = 8;
// Up to this size our own messages go to all subscribers (v1.1 flood publishing); a larger one
// goes to the mesh, as a home's uplink is narrow.
inline constexpr std::size_t kFloodPublishBytesMax = 16u << 10;
// Smaller received messages are copied out of the buffer that they came in, which may be much
// larger, larger ones share it.
inline constexpr std::size_t kCopyBytesMax = 16u << 10;
// Of an RPC of ours without message: rust refuses more than 64 KiB by default.
inline constexpr std::size_t kControlRpcBytesMax = 60u << 10;

// Messages that wait for their signature or for their judge.
inline constexpr std::size_t kVerifyingPerPeerMax = 64;
inline constexpr std::size_t kPendingPerTopicMax = 256;
inline constexpr std::size_t kQueueBytesMax = 16u << 20;  // both, node-wide
inline constexpr std::size_t kAlsoMax = 16;               // peers known to have a waiting message

// Blame. Three messages whose signature fails, or twelve that a judge rejects, within the window:
// nothing is taken from the peer, and nothing sent to it, until kIgnoreTime has passed.
inline constexpr std::uint32_t kBlameSignature = 4;
inline constexpr std::uint32_t kBlameMalformed = 4;
inline constexpr std::uint32_t kBlameRejected = 1;
inline constexpr std::uint32_t kBlameMax = 12;
inline constexpr Duration kBlameWindow = 60s;
inline constexpr Duration kIgnoreTime = 120s;
inline constexpr std::size_t kIgnoredPeersMax = 1024;  // remembered beyond their connection

}  // namespace kith::gossip
