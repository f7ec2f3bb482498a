// What one beat costs the node that hears it: decoded, judged and counted, beside the least that a
// machine could do for it (find the peer, set a bit), and both again with the publisher's
// signature checked, as gossip does before.
#include <unordered_map>

#include "bench/timing.hpp"
#include "gossip/message.hpp"
#include "net/base/check.hpp"
#include "services/poa/poa_core.hpp"

namespace kith::bench {
namespace {

using namespace poa;

constexpr std::size_t kPeers = 1000;
constexpr std::size_t kSlots = 20;
constexpr int kRounds = 8;
constexpr Timing kDay{};

struct Work {
  std::vector<PeerId> peers;
  std::vector<Bytes> beats;               // slot by slot, a beat of each peer
  std::vector<gossip::SignedPart> parts;  // of the first slot
};

Now start() { return {Mono(1000s), Wall(24h * 20'000 + 5s)}; }

Work make_work() {
  Work work;
  Rng rng(1);
  std::vector<crypto::Identity> authors;
  for (std::size_t i = 0; i < kPeers; ++i) authors.push_back(crypto::Identity::make(rng));
  for (const crypto::Identity& author : authors) work.peers.push_back(author.id());
  for (std::size_t slot = 0; slot < kSlots; ++slot)
    for (std::size_t i = 0; i < kPeers; ++i) {
      schema::Beat beat;
      beat.sequence = slot + 1;
      const Wall wall = start().wall + 10s * static_cast<std::int64_t>(slot);
      beat.time_ms = static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count());
      beat.epoch = Timeline::epoch_of_time(beat.time_ms, kDay);
      work.beats.push_back(schema::encode_beat(beat));
      if (slot > 0) continue;
      gossip::SignedPart part;
      part.author = authors[i].id().bytes();
      part.content = work.beats.back();
      part.signature = Bytes::copy(ByteView(authors[i].sign(part.content)));
      work.parts.push_back(std::move(part));
    }
  return work;
}

void check_all(const Work& work) {
  for (const gossip::SignedPart& part : work.parts) CHECK(gossip::verify(part));
}

void handle(const Work& work, bool check) {
  PoaCore core({PeerId::of_public_key(as_bytes("self")), 0, kDay, false}, Rng(2));
  Now now = start();
  Effects out;
  core.start(out);
  core.on_scanned(now, std::vector<StoreEntry>(), false, out);
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (check) check_all(work);
    for (std::size_t i = 0; i < kPeers; ++i)
      core.on_beat(now, work.peers[i], false, work.beats[slot * kPeers + i]);
    now.mono += 10s;
    now.wall += 10s;
  }
  CHECK(core.status().beats.counted == kPeers * kSlots);
}

void kernel(const Work& work, bool check) {
  struct Hash {
    crypto::SipHash hash;
    std::size_t operator()(const PeerId& id) const {
      return static_cast<std::size_t>(hash(id.bytes()));
    }
  };
  Rng rng(3);
  std::unordered_map<PeerId, std::vector<std::uint8_t>, Hash> seen(16, Hash{crypto::SipHash(rng)});
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (check) check_all(work);
    for (const PeerId& peer : work.peers) {
      std::vector<std::uint8_t>& bits = seen[peer];
      if (bits.empty()) bits.resize(1080);
      bits[slot / 8] = static_cast<std::uint8_t>(bits[slot / 8] | 1u << (slot % 8));
    }
  }
  CHECK(seen.size() == kPeers);
}

}  // namespace
}  // namespace kith::bench

int main() {
  using namespace kith::bench;
  const Work work = make_work();
  std::vector<Rival> rivals{
      {"kernel: find, set a bit", [&] { kernel(work, false); }},
      {"beat: decode, judge, count", [&] { handle(work, false); }},
      {"kernel: and the signature", [&] { kernel(work, true); }},
      {"beat: and the signature", [&] { handle(work, true); }},
  };
  compete(rivals, kRounds);
  const double beats = static_cast<double>(kPeers * kSlots);
  for (const Rival& rival : rivals) {
    print_row(rival.name, rival.best.cpu / beats * 1e6, "us/beat");
    print_row(rival.name, beats / rival.best.cpu, "beats/s");
  }
  print_row("signed, beside its kernel", rivals[3].best.cpu / rivals[2].best.cpu, "x");
}
