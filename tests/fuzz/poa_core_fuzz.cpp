// Beats, clocks and questions in any order: epochs never go back, nothing counts twice in a slot,
// values stay within what this node observed.
// Links: kith_services_poa
#include "services/poa/poa_core.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;
using namespace kith::poa;

namespace {

constexpr Timing kTiming{10s, 120s};

struct Script {
  const std::uint8_t* at;
  const std::uint8_t* end;
  std::uint8_t next() { return at < end ? *at++ : 0; }
};

PeerId peer_of(std::uint8_t i) {
  return PeerId::of_public_key(as_bytes("peer " + std::to_string(i % 5)));
}

void check(const PoaCore& core, Now now) {
  for (const PeerView& peer : core.calendar(now, ShowUptime{}).peers)
    for (const EpochView& epoch : peer.epochs) {
      FUZZ_CHECK(epoch.seen <= epoch.up && epoch.up <= 12);
      FUZZ_CHECK(epoch.up > 0 || epoch.value == 0);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Script script{bytes, bytes + size};
  PoaCore core({peer_of(0), 0, kTiming, true}, Rng(1));
  Now now{Mono(1000s), Wall(1'700'000'000s)};
  Effects out;
  core.start(out);
  out.clear();
  core.on_scanned(now, std::vector<StoreEntry>(), false, out);
  std::uint64_t epoch = 0, sequence = 0, counted = 0, heard = 0;
  while (script.at < script.end) {
    switch (script.next() % 7) {
      case 0: {
        schema::Beat beat;
        beat.sequence = script.next() % 3 == 0 ? script.next() : ++sequence;
        beat.time_ms = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(now.wall.time_since_epoch())
                .count());
        beat.time_ms += std::uint64_t{script.next()} * 500;
        beat.epoch = beat.time_ms / 120'000 + (script.next() == 7 ? 1 : 0);
        core.on_beat(now, peer_of(script.next()), script.next() % 2 == 0,
                     schema::encode_beat(beat));
        ++heard;
        break;
      }
      case 1: {
        const PeerId from = peer_of(script.next());
        const std::size_t wish = script.next();
        const std::size_t length = std::min(wish, static_cast<std::size_t>(script.end - script.at));
        core.on_beat(now, from, true, Bytes::copy(ByteView(script.at, length)));
        script.at += length;
        break;
      }
      case 2: {
        const auto step = std::chrono::milliseconds(script.next() * 100);
        now.mono += step;
        now.wall += step;
        break;
      }
      case 3:
        now.wall += std::chrono::seconds(script.next()) - 100s;
        break;
      case 4:
        core.on_tick(now, {}, out);
        FUZZ_CHECK(core.next_deadline(now.mono) > now.mono);
        break;
      case 5:
        core.on_question(
            now, {script.next() % 3u, 1}, {1, 1},
            Bytes::copy(ByteView(script.at, std::min<std::size_t>(8, static_cast<std::size_t>(
                                                                         script.end - script.at)))),
            out);
        break;
      case 6:
        check(core, now);
        break;
    }
    for (std::size_t i = 0; i < out.size(); ++i)
      if (const auto* commit = std::get_if<Commit>(&out[i])) {
        const std::uint64_t tag = commit->tag;
        core.on_persisted(now, tag, {}, out);
      }
    out.clear();
    const Status status = core.status();
    FUZZ_CHECK(status.epoch >= epoch);
    FUZZ_CHECK(status.beats.counted >= counted && status.beats.counted <= heard + size);
    epoch = status.epoch;
    counted = status.beats.counted;
  }
  check(core, now);
  return 0;
}
