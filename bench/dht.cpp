// What the DHT costs: answering FIND_NODE, beside the least work for the same answer (scan 250 ids,
// write 20 peers); and a whole lookup in a network of 1,000 peers, with all their answering, by the
// CPU of this one process.
#include "dht/dht.hpp"
#include "bench/timing.hpp"
#include "dht/reply.hpp"
#include "net/base/check.hpp"
#include "tests/dht/bus.cpp"  // the tests own it, and it is no library

namespace kith::bench {
namespace {

using namespace dht;
using libp2p::KadMessage;
using libp2p::KadType;

constexpr std::size_t kTablePeers = 250;  // a full table in a network of 100,000
constexpr std::size_t kRequests = 20'000;
constexpr int kRounds = 12;
constexpr int kLookups = 200;
constexpr dht::test::Bus::Index kNetwork = 1000;

Now at(std::uint64_t seconds) {
  return {Mono(std::chrono::seconds(3600 + seconds)), Wall(std::chrono::hours(500'000))};
}

struct SameAddrs final : AddrSource {
  std::vector<Multiaddr> addrs_of(const PeerId&) const override { return addrs; }
  std::vector<Multiaddr> addrs{dht::test::public_addr(1), dht::test::public_addr(2)};
};

std::vector<Bytes> questions() {
  std::vector<Bytes> made;
  for (std::size_t i = 0; i < kRequests; ++i)
    made.push_back(
        libp2p::encode_kad({KadType::find_node, dht::test::peer_id(i).bytes(), {}, {}, {}}));
  return made;
}

// A core with a full table, asked over one stream.
class Answerer {
 public:
  Answerer() : dht_(config(), Rng(1)) {
    Effects out;
    dht_.on_started(at(0), out);
    for (std::uint64_t n = 1; dht_.table().size() < kTablePeers && n < 2'000'000; ++n)
      dht_.plant(at(0), dht::test::peer_id(n), 0);
    dht_.on_peer_ready(at(0), {1, 0}, {dht::test::peer_id(0), {}, false, false}, out);
    dht_.on_stream(at(0), {1, 0}, {1, 0}, out);
  }
  // With its encoding, as the attachment does it. A second goes by now and then, for the rate
  // limit.
  std::size_t answer(const std::vector<Bytes>& requests) {
    std::size_t bytes = 0;
    for (const Bytes& request : requests) {
      if (++asked_ % kRequestRate == 0) ++seconds_;
      out_.clear();
      dht_.on_message(at(seconds_), {1, 0}, request, out_);
      CHECK(out_.size() == 1);
      bytes += encode_reply(std::move(std::get<Reply>(out_[0])), addrs_, true).size();
    }
    return bytes;
  }
  std::size_t table() const { return dht_.table().size(); }

 private:
  static DhtConfig config() {
    DhtConfig made;
    made.self = dht::test::peer_id(99'999'999);
    return made;
  }
  Dht dht_;
  SameAddrs addrs_;
  Effects out_;
  std::uint64_t asked_ = 0;
  std::uint64_t seconds_ = 0;
};

// The speed of light: hash the key, find the 20 nearest of 250 by one pass, copy their entries out.
class Kernel {
 public:
  Kernel() {
    SameAddrs addrs;
    for (std::size_t n = 0; n < kTablePeers; ++n) {
      const PeerId id = dht::test::peer_id(n);
      heads_.push_back(Key::of(id.bytes()).words[0]);
      entries_.push_back(
          libp2p::encode_kad({KadType::put_value, {}, {}, {{id, addrs.addrs, false}}, {}}));
    }
  }
  std::size_t answer(const std::vector<Bytes>& requests) {
    std::size_t bytes = 0;
    for (const Bytes& request : requests) {
      const std::uint64_t target = Key::of(request.view().subspan(4)).words[0];
      std::array<std::pair<std::uint64_t, std::size_t>, kReplication> best;
      std::size_t size = 0;
      for (std::size_t i = 0; i < heads_.size(); ++i) {
        const std::pair<std::uint64_t, std::size_t> one{heads_[i] ^ target, i};
        if (size == best.size() && one.first >= best[size - 1].first) continue;
        std::size_t place = size < best.size() ? size++ : size - 1;
        for (; place > 0 && one.first < best[place - 1].first; --place)
          best[place] = best[place - 1];
        best[place] = one;
      }
      std::size_t total = 2;
      for (const auto& [apart, index] : best) total += entries_[index].size();
      const Bytes encoded = Bytes::make(total, [&](std::span<std::uint8_t> to) {
        std::size_t place = 2;
        for (const auto& [apart, index] : best) {
          std::copy(entries_[index].begin(), entries_[index].end(),
                    to.begin() + static_cast<long>(place));
          place += entries_[index].size();
        }
      });
      bytes += encoded.size();
    }
    return bytes;
  }

 private:
  std::vector<std::uint64_t> heads_;
  std::vector<Bytes> entries_;
};

void serve() {
  const std::vector<Bytes> requests = questions();
  Answerer answerer;
  Kernel kernel;
  std::size_t sink = 0;
  std::vector<Rival> rivals{{"FIND_NODE answered", [&] { sink += answerer.answer(requests); }, {}},
                            {"kernel", [&] { sink += kernel.answer(requests); }, {}}};
  compete(rivals, kRounds);
  CHECK(sink > 0);
  const double ours = rivals[0].best.cpu / kRequests;
  const double least = rivals[1].best.cpu / kRequests;
  print_row("FIND_NODE, table of " + std::to_string(answerer.table()), ours * 1e6, "us CPU",
            "decode, find, encode with 2 addresses");
  print_row("  kernel: hash, scan 250, copy 20 entries", least * 1e6, "us CPU");
  print_row("  ratio", ours / least, "x");
  print_row("  served a second and core", 1 / ours, "1/s");
}

void look_up() {
  dht::test::Bus bus(dht::test::BusOptions{.seed = 21});
  for (dht::test::Bus::Index i = 0; i < kNetwork; ++i) bus.add();
  bus.plant_tables();
  Rng rng(3);
  double requests = 0;
  const double before = process_cpu_seconds();
  for (int i = 0; i < kLookups; ++i) {
    const auto from = static_cast<dht::test::Bus::Index>(rng.below(kNetwork));
    const auto& answer =
        bus.wait(from, bus.find_closest(from, dht::test::content(rng.next()).bytes()));
    requests += answer->counts.asked;
  }
  const double spent = process_cpu_seconds() - before;
  print_row("lookup among 1,000 peers, both ends", spent / kLookups * 1e3, "ms CPU",
            "dials and timers of the bus included");
  print_row("  requests a lookup", requests / kLookups, "");
  print_row("  a request with its answer", spent / requests * 1e6, "us CPU");
}

}  // namespace
}  // namespace kith::bench

int main() {
  kith::bench::serve();
  kith::bench::look_up();
}
