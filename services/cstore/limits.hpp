// Every bound of services/cstore, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/base/time.hpp"
#include "schema/kith/cstore_messages.hpp"

namespace kith::cstore {

// Each takes one of gossip's 100 topics of a node.
inline constexpr std::size_t kSpacesMax = 48;
// Batches are kept for those who come late, and their values in memory: this bounds both. Nothing
// is compacted yet; a namespace that is full refuses writes.
inline constexpr std::uint64_t kSpaceBytesMax = 32u << 20;
inline constexpr std::uint64_t kNodeBytesMax = 512u << 20;
inline constexpr std::size_t kWritersMax = schema::kKvMarksMax;  // of a namespace, incarnations too

// A batch's body, so that with signature and frame it stays below gossip's 60 KiB.
inline constexpr std::size_t kBatchBodyMax = 56u << 10;
inline constexpr std::size_t kOpOverhead = 56;         // of a change in a body, rounding included
inline constexpr std::size_t kQueuedWritesMax = 8192;  // of a namespace, not yet in a batch
inline constexpr std::size_t kWatchesMax = 256;
inline constexpr std::size_t kWaitingReadsMax = 256;  // of a namespace that was just joined
inline constexpr std::uint32_t kListMax = 10'000;
inline constexpr std::size_t kListBytesMax = 2u << 20;  // the rest by `more`

// Home clocks that are synchronised at all are within a second; a minute forgives those that drift.
inline constexpr Duration kClockAheadMax = 60s;

// Batches that wait for an earlier one, and for their signature's check.
inline constexpr std::size_t kEarlyPerWriterMax = 64;
inline constexpr std::size_t kEarlyBytesMax = 8u << 20;  // of a namespace
inline constexpr std::size_t kVerifyingMax = 2048;       // two pages

// Catch-up: with one random holder every kPullEvery and a random fifth more.
inline constexpr Duration kPullEvery = 10s;
inline constexpr Duration kPullSoon = 500ms;    // after a gap, a new peer, a hint
inline constexpr Duration kPullDeadline = 15s;  // of a page
inline constexpr Duration kPullTotal = 3min;    // then another peer is asked for the rest
inline constexpr Duration kFirstSyncWait = 5s;
inline constexpr std::size_t kPageBytesMax = 192u << 10;  // below kKvStreamBytesMax
inline constexpr std::size_t kPagesPerPullMax = 4096;
inline constexpr std::size_t kShunnedMax = 256;
// After the store refused a batch of another writer: the first wait, and the longest.
inline constexpr Duration kStoreRetryMin = 2s;
inline constexpr Duration kStoreRetryMax = 5min;
// A writer that equivocates makes us fold a namespace anew, but not more often than this.
inline constexpr Duration kRefoldEvery = 10s;

}  // namespace kith::cstore
