// The whole core of the DHT against a world that the input makes up: peers that come and go,
// streams and messages of any bytes, answers that fit nothing, time, commands, restarts of the
// mode. Invariants: every command ends once and once only; a reply goes to an open stream and keeps
// its bound; the table and the provider records hold only peers that were connected; timers move
// on; and when everybody has gone silent, nothing is left under way.
// Links: kith_dht
#include <map>
#include <set>

#include "dht/dht.hpp"
#include "dht/reply.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;
using namespace kith::dht;

namespace {

constexpr std::uint32_t kPeers = 24;

const PeerId& peer_id(std::uint32_t number) {
  static std::map<std::uint32_t, PeerId> made;
  PeerId& id = made[number];
  if (id.empty()) {
    std::array<std::uint8_t, 36> key{0x08, 0x01, 0x12, 0x20};
    Rng(number).fill(std::span(key).subspan(4));
    id = PeerId::of_public_key(key);
  }
  return id;
}

class AnyValue final : public Validator {
 public:
  Result<void> validate(ByteView, ByteView value, Wall) const override {
    if (!value.empty()) return {};
    return fail(Errc::malformed, "empty");
  }
  int select(ByteView, ByteView a, ByteView b) const override { return order(a, b) < 0 ? 1 : 0; }
};

class World final : AddrSource {
 public:
  explicit World(ByteView input) : input_(input) {
    dht_.validators().add("n", any_);
    run([&](Effects& out) { dht_.on_started(now_, out); });
  }

  void play() {
    while (!input_.empty()) step(take());
    settle();
  }

 private:
  std::uint8_t take() {
    if (input_.empty()) return 0;
    const std::uint8_t byte = input_[0];
    input_ = input_.subspan(1);
    return byte;
  }
  Bytes take_bytes() {
    const std::size_t size = std::min<std::size_t>(take(), input_.size());
    const Bytes bytes = Bytes::copy(input_.first(size));
    input_ = input_.subspan(size);
    return bytes;
  }
  host::PeerSlot slot(std::uint32_t peer) const { return {peer, generation_[peer]}; }

  // A message whose shape comes from the input, so that the fuzzer gets past the decoder.
  Bytes shaped(bool answer) {
    libp2p::KadMessage message;
    message.type = static_cast<libp2p::KadType>(take() % 6);
    if (answer && !asked_.empty()) message.type = asked_.begin()->second.type;
    switch (take() % 4) {
      case 0:
        message.key = peer_id(take() % kPeers).bytes();
        break;
      case 1:
        message.key = Multihash::of_sha256(ByteView(&kZero, 1)).bytes();
        break;
      case 2:
        message.key = Bytes::copy("/n/x");
        break;
      default:
        message.key = answer ? Bytes() : take_bytes();
    }
    if (take() % 2 == 0) message.record = libp2p::KadRecord{message.key, take_bytes(), "t"};
    for (int i = take() % 24; i-- > 0;)
      message.closer.push_back({peer_id(take()), {Multiaddr::of_memory(take())}, false});
    for (int i = take() % 4; i-- > 0;)
      message.providers.push_back({peer_id(take() % kPeers), {Multiaddr::of_memory(1)}, false});
    return libp2p::encode_kad(message);
  }

  void step(std::uint8_t what) {
    const std::uint32_t peer = take() % kPeers;
    switch (what % 14) {
      case 0:
        ready(peer, take());
        break;
      case 1:
        gone(peer);
        break;
      case 2:
      case 3:
        if (ready_.contains(peer)) inbound(peer, what % 2 == 0 ? take_bytes() : shaped(false));
        break;
      case 4:
      case 5:
        answer_one(what % 2 == 0 ? take_bytes() : shaped(true));
        break;
      case 6:
        open_or_close_one(take());
        break;
      case 7:
        connect_one(take());
        break;
      case 8:
        advance(std::chrono::milliseconds(take() * 16));
        break;
      case 9:
        advance(std::chrono::minutes(take()));
        break;
      case 10:
      case 11:
        command(take());
        break;
      case 12:
        run([&](Effects& out) {
          dht_.set_mode(take() % 2 == 0 ? Mode::client : Mode::server, out);
        });
        break;
      default:
        if (ready_.contains(peer))
          run([&](Effects& out) { dht_.on_peer_changed(now_, slot(peer), take() % 2 == 0, out); });
    }
  }

  void ready(std::uint32_t peer, std::uint8_t how) {
    if (!ready_.insert(peer).second) return;
    ever_.insert(peer_id(peer));
    const std::array<std::uint8_t, 4> ip{9, 9, static_cast<std::uint8_t>(how >> 4), 9};
    const ReadyPeer facts{peer_id(peer), Multiaddr::of_tcp(ip, 1), how % 2 == 0, how % 4 != 3};
    run([&](Effects& out) { dht_.on_peer_ready(now_, slot(peer), facts, out); });
  }
  void gone(std::uint32_t peer) {
    if (ready_.erase(peer) == 0) return;
    run([&](Effects& out) { dht_.on_peer_gone(now_, slot(peer), out); });
    ++generation_[peer];
  }
  void inbound(std::uint32_t peer, const Bytes& message) {
    const host::StreamSlot stream{++streams_, 0};
    inbound_.insert(stream);
    run([&](Effects& out) { dht_.on_stream(now_, stream, slot(peer), out); });
    run([&](Effects& out) { dht_.on_message(now_, stream, message, out); });
  }
  void answer_one(const Bytes& message) {
    if (asked_.empty()) return;
    const host::StreamSlot stream = asked_.begin()->first;
    asked_.erase(asked_.begin());
    run([&](Effects& out) { dht_.on_message(now_, stream, message, out); });
  }
  void open_or_close_one(std::uint8_t how) {
    if (asked_.empty()) return;
    const host::StreamSlot stream = asked_.begin()->first;
    const Error error = fail(Errc::closed, "closed");
    run([&](Effects& out) {
      if (how % 3 == 0) dht_.on_opened(now_, stream, out);
      if (how % 3 == 1) dht_.on_ended(now_, stream, out);
      if (how % 3 == 2) dht_.on_closed(now_, stream, how % 2 == 0 ? &error : nullptr, out);
    });
    if (how % 3 == 2) asked_.erase(stream);
  }
  void connect_one(std::uint8_t how) {
    if (connecting_.empty()) return;
    const Connect wanted = connecting_.back();
    connecting_.pop_back();
    const std::uint32_t peer = how % kPeers;
    const bool right = wanted.id.empty() || wanted.id == peer_id(peer);
    if (right) ready(peer, how);
    run([&](Effects& out) {
      if (right)
        dht_.on_connected(now_, wanted.request, slot(peer), out);
      else
        dht_.on_connected(now_, wanted.request, fail(Errc::connection, "no"), out);
    });
  }

  void command(std::uint8_t which) {
    const RequestId request{++requests_};
    const Multihash key = Multihash::of_sha256(ByteView(&kZero, 1));
    open_.insert(request);
    run([&](Effects& out) {
      switch (which % 7) {
        case 0:
          return dht_.find_peer(now_, request, peer_id(take()), out);
        case 1:
          return dht_.find_closest(now_, request, take_bytes(), out);
        case 2:
          return dht_.provide(now_, request, key, out);
        case 3:
          return dht_.find_providers(now_, request, key, take() % 4, out);
        case 4:
          return dht_.put_value(now_, request, Bytes::copy("/n/x"), take_bytes(), out);
        case 5:
          return dht_.get_value(now_, request, Bytes::copy("/n/x"), out);
        default:
          dht_.find_closest(now_, request, Bytes::copy("x"), out);
      }
    });
    if (which >= 200) run([&](Effects& out) { dht_.cancel(now_, request, out); });
  }

  void advance(Duration time) {
    const Mono until = now_.mono + time;
    for (int i = 0; i < 20'000; ++i) {
      const Mono next = std::max(dht_.next_deadline(now_), now_.mono);
      if (next > until) break;
      FUZZ_CHECK(i < 19'999);  // timers that never move on
      now_ = {next, now_.wall + (next - now_.mono)};
      run([&](Effects& out) { dht_.on_tick(now_, out); });
    }
    now_ = {until, now_.wall + (until - now_.mono)};
  }

  template <class Event>
  void run(Event&& event) {
    Effects effects;
    event(effects);
    for (Effect& effect : effects) std::visit([&](auto& one) { apply(one); }, effect);
    FUZZ_CHECK(dht_.table().size() <= kTableMax);
    dht_.table().for_each([&](const PeerRef& peer) { FUZZ_CHECK(ever_.contains(peer.id())); });
    FUZZ_CHECK(dht_.asks_in_flight() <= kAsksInFlightMax);
    FUZZ_CHECK(dht_.queries() <= kQueriesMax);
  }

  void apply(Connect& it) {
    if (connecting_.size() < 256) connecting_.push_back(std::move(it));
  }
  void apply(OpenStream& it) {
    const host::StreamSlot stream{++streams_, 0};
    if (!dht_.bind(it.ask, stream)) return;
    const auto asked = libp2p::decode_kad(it.message);
    FUZZ_CHECK(asked.has_value() && it.message.size() <= libp2p::kKadMessageOutMax);
    asked_[stream] = {asked->type};
  }
  void apply(SendMessage& it) {
    const auto asked = libp2p::decode_kad(it.message);
    FUZZ_CHECK(asked.has_value());
    asked_[it.stream] = {asked->type};
  }
  void apply(CloseStream& it) { asked_.erase(it.stream); }
  void apply(ResetStream& it) {
    inbound_.erase(it.stream);
    asked_.erase(it.stream);
  }
  void apply(Reply& it) {
    FUZZ_CHECK(inbound_.contains(it.stream));
    const Bytes encoded = encode_reply(std::move(it), *this, true);
    FUZZ_CHECK(encoded.size() <= libp2p::kKadMessageOutMax);
    FUZZ_CHECK(libp2p::decode_kad(encoded).has_value());
  }
  void apply(LearnAddrs&) {}
  void apply(KeepAddrs& it) { FUZZ_CHECK(ever_.contains(it.peer.id())); }
  void apply(Persist& it) { FUZZ_CHECK(it.key.size() <= 512); }
  void apply(PersistNeighbour& it) { FUZZ_CHECK(ever_.contains(it.peer.id())); }
  void apply(SetServing&) {}
  void apply(Progress& it) { FUZZ_CHECK(open_.contains(it.request)); }
  void apply(Done& it) {
    FUZZ_CHECK(open_.erase(it.request) == 1);
    if (it.answer) FUZZ_CHECK(it.answer->peers.size() <= kProvidersFoundMax);
  }
  std::vector<Multiaddr> addrs_of(const PeerId&) const override {
    return std::vector<Multiaddr>(12, Multiaddr::of_memory(7));
  }

  // Everybody goes away and time passes: nothing may be left under way.
  void settle() {
    for (std::uint32_t peer = 0; peer < kPeers; ++peer) gone(peer);
    advance(kQueryDeadline + kAskDeadline + 1s);
    FUZZ_CHECK(open_.empty());
    FUZZ_CHECK(dht_.asks_in_flight() <= 1 + kReprovidesAtOnce * kParallelism + kParallelism);
  }

  static constexpr std::uint8_t kZero = 0;
  static DhtConfig config() {
    DhtConfig made;
    made.self = peer_id(9999);
    made.bootstrap = {Multiaddr::of_memory(3).with_peer_id(peer_id(3))};
    return made;
  }

  ByteView input_;
  AnyValue any_;
  Now now_{Mono(std::chrono::hours(1)), Wall(std::chrono::hours(500'000))};
  Dht dht_{config(), Rng(1)};
  std::array<std::uint32_t, kPeers> generation_{};
  std::set<std::uint32_t> ready_;
  std::set<PeerId> ever_;
  std::set<host::StreamSlot> inbound_;
  struct Asked {
    libp2p::KadType type;
  };
  std::map<host::StreamSlot, Asked> asked_;
  std::vector<Connect> connecting_;
  std::set<RequestId> open_;
  std::uint64_t requests_ = 0;
  std::uint32_t streams_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  World({data, size}).play();
  return 0;
}
