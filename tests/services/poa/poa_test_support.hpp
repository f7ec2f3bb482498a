// What the tests of poa share: peers, a clock, a core with a store of its own.
#pragma once

#include <gtest/gtest.h>

#include <map>

#include "net/base/checked_value.hpp"
#include "services/poa/poa_core.hpp"

namespace kith::poa::test {

inline PeerId peer_id(std::uint32_t i) {
  return PeerId::of_public_key(as_bytes("peer " + std::to_string(i)));
}

inline constexpr std::int64_t kDay = 20'000;  // some day, in epochs of 24 h
inline Now start_of_day() { return {Mono(1000s), Wall(24h * kDay)}; }

inline schema::Beat beat_at(Now now, std::uint64_t sequence, const Timing& timing) {
  schema::Beat beat;
  beat.sequence = sequence;
  beat.time_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.wall.time_since_epoch()).count());
  beat.epoch = Timeline::epoch_of_time(beat.time_ms, timing);
  return beat;
}

// A core, the clock it sees and the disk it writes to. Mono and wall advance together; a test may
// set the wall apart.
class Bench {
 public:
  explicit Bench(Timing timing = {}, Now at = start_of_day(), bool beat = true)
      : timing_(timing), now(at), beat_(beat) {
    restart();
  }

  // What is not on the disk is lost. `durable`: of the writes, how many survive (all).
  void restart() {
    core = std::make_unique<PoaCore>(PoaCoreConfig{peer_id(0), 0, timing_, beat_}, Rng(++starts_));
    Effects out;
    core->start(out);
    carry_out(out);
  }
  // Power is lost: all after the last synced write goes.
  void crash() {
    disk = durable_disk;
    restart();
  }
  void stop() {
    Effects out;
    core->stop(now, out);
    carry_out(out);
    durable_disk = disk;
  }

  gossip::Verdict hear(std::uint32_t peer, std::uint64_t sequence, bool direct = true) {
    return hear(peer, beat_at(now, sequence, timing_), direct);
  }
  gossip::Verdict hear(std::uint32_t peer, const schema::Beat& beat, bool direct = true) {
    return core->on_beat(now, peer_id(peer), direct, schema::encode_beat(beat));
  }
  void advance(Duration time) {
    const Mono until = now.mono + time;
    while (core->next_deadline(now.mono) <= until) {
      step(core->next_deadline(now.mono) - now.mono);
      tick();
    }
    step(until - now.mono);
  }
  void step(Duration time) {
    now.mono += time;
    now.wall += time;
  }
  void tick() {
    Effects out;
    core->on_tick(now, {}, out);
    carry_out(out);
  }
  Calendar calendar(std::optional<PeerId> peer = {}) {
    ShowUptime what;
    what.peer = std::move(peer);
    return core->calendar(now, what);
  }
  EpochView today(std::uint32_t peer) { return calendar(peer_id(peer)).peers.at(0).epochs.back(); }
  BeatCounters counters() const { return core->status().beats; }

  Timing timing_;
  Now now;
  std::unique_ptr<PoaCore> core;
  std::vector<schema::Beat> sent;
  std::vector<Mono> sent_at;
  std::map<Bytes, Bytes> disk, durable_disk;
  Effects others;
  bool ready = false;
  bool refuse_writes = false;
  std::optional<std::uint32_t> misread;  // so many reads have a bit turned in every value

 private:
  void carry_out(Effects& out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      Effect effect = std::move(out[i]);
      if (auto* beat = std::get_if<PublishBeat>(&effect)) {
        const auto decoded = schema::decode_beat(beat->beat);
        ASSERT_TRUE(decoded.has_value());
        EXPECT_LE(beat->beat.size(), schema::kBeatBytesMax);
        sent.push_back(*decoded);
        sent_at.push_back(now.mono);
      } else if (auto* commit = std::get_if<Commit>(&effect)) {
        this->commit(*commit, out);
      } else if (auto* scan = std::get_if<ScanStored>(&effect)) {
        std::vector<StoreEntry> entries;
        for (auto at = disk.lower_bound(scan->from); at != disk.end(); ++at) {
          std::vector<std::uint8_t> value = at->second.to_vector();
          if (misread) value.back() ^= 1;
          entries.push_back({at->first, Bytes::adopt(std::move(value))});
        }
        misread = misread && --*misread > 0 ? misread : std::nullopt;
        core->on_scanned(now, std::move(entries), false, out);
      } else if (auto* told = std::get_if<TellReady>(&effect)) {
        ready = told->result.has_value();
      } else {
        others.push_back(std::move(effect));
      }
    }
  }
  void commit(const Commit& commit, Effects& out) {
    if (refuse_writes) {
      core->on_persisted(now, commit.tag, fail(Errc::disk_full, "full"), out);
      return;
    }
    for (const StoreWrite& write : commit.batch.writes) {
      if (write.value)
        disk[write.key] = *write.value;
      else
        disk.erase(write.key);
    }
    if (commit.durability == Durability::synced) durable_disk = disk;
    core->on_persisted(now, commit.tag, {}, out);
  }

  bool beat_;
  std::uint64_t starts_ = 0;
};

}  // namespace kith::poa::test
