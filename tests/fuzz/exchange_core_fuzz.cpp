// Events in any order into the exchange's core, from peers that say anything: it keeps its bounds,
// gives only what was wanted, once, and ends empty.
// Links: kith_services_r1fs
#include "net/base/rng.hpp"
#include "services/r1fs/exchange_core.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;
using namespace kith::r1fs;

namespace {

struct Script {
  const std::uint8_t* at;
  const std::uint8_t* end;
  std::uint8_t next() { return at < end ? *at++ : 0; }
};

const std::vector<Bytes>& blocks() {
  static const std::vector<Bytes> made = [] {
    std::vector<Bytes> all;
    for (std::uint64_t i = 0; i < 8; ++i)
      all.push_back(Bytes::make(1 + 40 * i, [&](std::span<std::uint8_t> to) { Rng(i).fill(to); }));
    return all;
  }();
  return made;
}
Cid cid_of(std::uint8_t i) {
  return Cid::v1(kCodecRaw, Multihash::of_sha256(blocks()[i % blocks().size()]));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Script script{bytes, bytes + size};
  ExchangeCore core;
  ExchangeEffects out;
  std::vector<SessionSlot> sessions;
  std::map<std::pair<SessionSlot, Multihash>, int> wanted;
  Now now{Mono(1s), Wall(1s)};
  const auto slot = [&] { return host::PeerSlot{script.next() % 5u, 1}; };
  while (script.at < script.end) {
    switch (script.next() % 11) {
      case 0:
        core.on_peer_ready(now, slot(), PeerId::of_public_key(as_bytes("x")), out);
        break;
      case 1:
        core.on_peer_gone(now, slot(), out);
        break;
      case 2:
        if (sessions.size() < 4) sessions.push_back(core.open(host::Priority::bulk));
        break;
      case 3:
        if (!sessions.empty())
          core.add_peer(now, sessions[script.next() % sessions.size()], slot(), out);
        break;
      case 4:
        if (!sessions.empty())
          core.ask_everyone(now, sessions[script.next() % sessions.size()], out);
        break;
      case 5:
        if (!sessions.empty()) {
          const SessionSlot session = sessions[script.next() % sessions.size()];
          const Cid cid = cid_of(script.next());
          wanted[{session, cid.hash()}] = 1;
          core.want(now, session, cid, script.next(), out);
        }
        break;
      case 6:
        if (!sessions.empty()) {
          const SessionSlot session = sessions[script.next() % sessions.size()];
          const Cid cid = cid_of(script.next());
          wanted.erase({session, cid.hash()});
          core.cancel(now, session, cid, out);
        }
        break;
      case 7: {
        libp2p::BitswapMessage message;
        const std::uint8_t block = script.next();
        message.blocks.push_back(
            libp2p::block_of(cid_of(block), blocks()[block % blocks().size()]));
        message.presences.push_back({cid_of(script.next()), script.next() % 2 == 0});
        core.on_message(now, slot(), libp2p::encode_bitswap(message), {}, out);
        break;
      }
      case 8: {
        const host::PeerSlot peer = slot();
        const std::size_t wish = script.next();
        const std::size_t length = std::min(wish, static_cast<std::size_t>(script.end - script.at));
        core.on_message(now, peer, Bytes::copy(ByteView(script.at, length)), {}, out);
        script.at += length;
        break;
      }
      case 9:
        now.mono += std::chrono::milliseconds(script.next() * 100);
        core.on_tick(now, out);
        FUZZ_CHECK(core.next_deadline() > now.mono);
        break;
      case 10: {
        libp2p::BitswapMessage message;
        message.full = script.next() % 8 == 0;
        for (int i = script.next() % 4; i >= 0; --i)
          message.wants.push_back({cid_of(script.next()), script.next(), script.next() % 4 == 0,
                                   script.next() % 2 ? libp2p::BitswapWant::Type::have
                                                     : libp2p::BitswapWant::Type::block,
                                   script.next() % 2 == 0});
        core.on_message(now, slot(), libp2p::encode_bitswap(message), {}, out);
        break;
      }
    }
    for (const ExchangeEffect& effect : out)
      if (const auto* give = std::get_if<GiveBlock>(&effect)) {
        FUZZ_CHECK(wanted.erase({give->session, give->cid.hash()}) == 1);
        FUZZ_CHECK(Multihash::of_sha256(give->data) == give->cid.hash());
      }
    out.clear();
  }
  for (const SessionSlot session : sessions) core.close(now, session, out);
  FUZZ_CHECK(core.wants() == 0);
  FUZZ_CHECK(core.next_deadline() == kNever);
  return 0;
}
