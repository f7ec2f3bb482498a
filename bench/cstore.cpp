// What CSTORE costs a core: writes of a user from the request to the acknowledgement (a batch is
// signed, encoded and folded; the disk is a map that answers at once, so that what is measured is
// ours), and batches of others from their bytes to the state. Beside each the least that the
// machine could do for it: one signature or check a batch, one hash and one copy of its bytes, one
// search of a map a change.
//
// Many writes in flight share a batch; `alone` has one at a time.
#include <sodium.h>

#include <map>

#include "bench/timing.hpp"
#include "net/base/check.hpp"
#include "net/crypto/signing.hpp"
#include "services/cstore/cstore_core.hpp"

namespace kith::bench {
namespace {

using namespace cstore;

constexpr int kRounds = 8;
constexpr std::string_view kDomain = "kith/bench-00000000/cstore/batch/1";
constexpr std::size_t kValueBytes = 64;

Bytes key_of(std::size_t i) { return Bytes::copy("key/" + std::to_string(i)); }
Bytes value_of(std::size_t i) {
  return Bytes::make(kValueBytes, [i](std::span<std::uint8_t> to) { Rng(i).fill(to); });
}

struct Work {
  std::vector<Bytes> keys, values;
  explicit Work(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      keys.push_back(key_of(i));
      values.push_back(value_of(i));
    }
  }
};

// One core, whose disk and pool do at once what they are asked.
class Machine {
 public:
  explicit Machine(const crypto::Identity& identity) : identity_(identity) {
    CoreConfig config;
    config.self = identity.id();
    config.families = {1, 2};
    core_ = std::make_unique<CstoreCore>(config, Rng(3));
    core_->start(now_, out_);
    carry_out();
    core_->run(now_, RequestId{++requests_}, Put{"bench", Bytes::copy("a"), Bytes::copy("b")},
               out_);
    carry_out();
    done_ = 0;
    published.clear();
  }
  void write(const Work& work, std::size_t in_flight) {
    std::size_t next = 0;
    while (next < work.keys.size()) {
      const std::size_t end = std::min(work.keys.size(), next + in_flight);
      for (; next < end; ++next) {
        now_.mono += 1us;
        now_.wall += 1us;
        core_->run(now_, RequestId{++requests_}, Put{"bench", work.keys[next], work.values[next]},
                   out_);
      }
      carry_out();
    }
    CHECK(done_ == work.keys.size());
  }
  void merge(const std::vector<Bytes>& batches, const PeerId& writer, std::uint64_t changes) {
    std::uint32_t judge = 0;
    for (const Bytes& batch : batches) {
      CHECK(core_->on_message(now_, 0, {++judge, 0}, writer, writer, batch, out_) ==
            gossip::Verdict::pending);
      carry_out();
    }
    CHECK(core_->status().counters.changes_merged == changes);
  }
  std::vector<Bytes> published;

 private:
  void carry_out() {
    for (std::size_t i = 0; i < out_.size(); ++i) {
      Effect effect = std::move(out_[i]);
      if (auto* commit = std::get_if<Commit>(&effect)) {
        core_->on_persisted(now_, commit->tag, {}, out_);
      } else if (auto* scan = std::get_if<Scan>(&effect)) {
        core_->on_scanned(now_, scan->tag, std::vector<StoreEntry>{}, false, out_);
      } else if (auto* seal = std::get_if<Seal>(&effect)) {
        const auto signature = crypto::sign_in_domain(identity_, kDomain, {seal->body});
        core_->on_sealed(now_, seal->space, schema::encode_kv_signed(seal->body, signature), out_);
      } else if (auto* check = std::get_if<Verify>(&effect)) {
        const auto key = crypto::PublicKey::of_peer(check->writer);
        const bool valid = key && crypto::verify_in_domain(*key, kDomain, {check->message.body},
                                                           check->message.signature);
        core_->on_verified(now_, check->slot, valid, out_);
      } else if (auto* publish = std::get_if<Publish>(&effect)) {
        published.push_back(std::move(publish->message));
      } else if (auto* done = std::get_if<TellDone>(&effect)) {
        CHECK(done->answer.has_value());
        ++done_;
      } else if (auto* settle = std::get_if<Settle>(&effect)) {
        CHECK(settle->verdict == gossip::Verdict::accept);
      }
    }
    out_.clear();
  }

  const crypto::Identity& identity_;
  std::unique_ptr<CstoreCore> core_;
  Now now_{Mono(1s), Wall(std::chrono::hours(400'000))};
  Effects out_;
  std::uint64_t requests_ = 0;
  std::uint64_t done_ = 0;
};

enum class Crypto : std::uint8_t { sign, verify };

// The least: a signature or check and a hash a batch, a copy of it, a place in a map a change.
void kernel(const Work& work, std::size_t per_batch, std::size_t batch_bytes,
            const crypto::Identity& identity, Crypto what) {
  const Bytes body = Bytes::make(batch_bytes, [](std::span<std::uint8_t> to) { Rng(1).fill(to); });
  const auto signature = identity.sign(body);
  std::map<Bytes, Bytes> state;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < work.keys.size(); ++i) {
    if (i % per_batch == 0) {
      if (what == Crypto::sign)
        sum += identity.sign(body)[0];
      else
        CHECK(identity.public_key().verify(body, signature));
      sum += sha256(body)[0] + Bytes::copy(body)[0];
    }
    state[work.keys[i]] = Bytes::copy(work.values[i]);
  }
  CHECK(state.size() == work.keys.size() && sum != 0);
}

void measure(std::size_t count, std::size_t in_flight) {
  Rng rng(1);
  const crypto::Identity writer = crypto::Identity::make(rng);
  const crypto::Identity reader = crypto::Identity::make(rng);
  const Work work(count);
  Machine made(writer);
  made.write(work, in_flight);
  // Without the put that joined: the batches go on from number 2, so they are given a number 1.
  std::vector<Bytes> batches;
  {
    const auto outer = schema::decode_kv_signed(made.published.front());
    schema::KvBatch batch = *schema::decode_kv_batch(outer->body);
    batch.sequence = 1;
    batch.ops.resize(1);
    batch.ops[0].key = Bytes::copy("a");
    const Bytes body = schema::encode_kv_batch(batch);
    batches.push_back(
        schema::encode_kv_signed(body, crypto::sign_in_domain(writer, kDomain, {body})));
  }
  batches.insert(batches.end(), made.published.begin(), made.published.end());
  std::size_t bytes = 0;
  for (const Bytes& batch : made.published) bytes += batch.size();
  const std::size_t per_batch = (count + made.published.size() - 1) / made.published.size();
  const std::size_t batch_bytes = bytes / made.published.size();
  std::vector<Rival> rivals{
      {"kernel: sign, hash, copy, map",
       [&] { kernel(work, per_batch, batch_bytes, writer, Crypto::sign); }},
      {"put, acknowledged", [&] { Machine(writer).write(work, in_flight); }},
      {"kernel: verify, hash, copy, map",
       [&] { kernel(work, per_batch, batch_bytes, writer, Crypto::verify); }},
      {"merge of signed batches", [&] { Machine(reader).merge(batches, writer.id(), count + 1); }},
  };
  compete(rivals, kRounds);
  const std::string title = std::to_string(per_batch) + " a batch  ";
  for (const Rival& rival : rivals)
    print_row(title + rival.name, static_cast<double>(count) / rival.best.cpu / 1000,
              "k changes/s");
  print_row(title + "put, beside its kernel", rivals[1].best.cpu / rivals[0].best.cpu, "x");
  print_row(title + "merge, beside its kernel", rivals[3].best.cpu / rivals[2].best.cpu, "x");
  print_row(title + "bytes on the wire", static_cast<double>(bytes) / static_cast<double>(count),
            "B/change", "64 B values");
}

void measure_root(std::size_t count) {
  const Writer writer{PeerId(), 1, 1};
  SpaceState state;
  for (std::size_t i = 0; i < count; ++i)
    state.apply({schema::KvOpKind::put, key_of(i), value_of(i), 0, 0}, {1, &writer, i + 1}, 0);
  const double start = process_cpu_seconds();
  (void)state.root();
  const double whole = process_cpu_seconds() - start;
  state.apply({schema::KvOpKind::put, key_of(0), value_of(1), 0, 0}, {2, &writer, count + 1}, 0);
  const double again = process_cpu_seconds();
  (void)state.root();
  print_row("root of " + std::to_string(count) + " keys, first", whole * 1000, "ms");
  print_row("root, after one change", (process_cpu_seconds() - again) * 1000, "ms");
}

}  // namespace
}  // namespace kith::bench

int main() {
  kith::bench::measure(4000, 1);
  kith::bench::measure(20'000, 100);
  kith::bench::measure(20'000, 512);
  kith::bench::measure_root(100'000);
}
