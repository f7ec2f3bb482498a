// Events in any order into CSTORE's core, from peers that say anything: each request ends once,
// each judged message is settled once, bounds hold, and no deadline is in the past after a tick.
// Links: kith_services_cstore
#include <map>
#include <set>

#include "services/cstore/cstore_core.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;
using namespace kith::cstore;

namespace {

struct Script {
  const std::uint8_t* at;
  const std::uint8_t* end;
  std::uint8_t next() { return at < end ? *at++ : 0; }
};

const std::vector<PeerId>& peers() {
  static const std::vector<PeerId> made = [] {
    std::vector<PeerId> all;
    for (const char* name : {"self", "one", "two"})
      all.push_back(PeerId::of_public_key(as_bytes(name)));
    return all;
  }();
  return made;
}

// A core, its disk and what it is owed.
struct World {
  CstoreCore core{CoreConfig{peers()[0], {1, 2}, 64u << 10}, Rng(1)};
  Now now{Mono(1s), Wall(std::chrono::hours(400'000))};
  Effects out;
  std::map<std::pair<Family, Bytes>, Bytes> disk;
  std::vector<std::pair<std::uint64_t, bool>> commits;  // and whether the disk took them
  std::vector<VerifySlot> checks;
  std::set<std::uint64_t> open;
  std::set<gossip::JudgeSlot> judged;
  std::uint64_t pull = 0;
  std::vector<Bytes> published;

  void settle(Script& script) {
    while (!out.empty()) {
      Effects effects = std::exchange(out, {});
      for (Effect& effect : effects) perform(effect, script);
    }
  }
  void perform(Effect& effect, Script& script) {
    if (auto* commit = std::get_if<Commit>(&effect)) {
      const bool taken = script.next() % 4 != 3;
      if (taken)
        for (const StoreWrite& write : commit->batch.writes)
          disk[{write.family, write.key}] = *write.value;
      commits.emplace_back(commit->tag, taken);
    } else if (auto* scan = std::get_if<Scan>(&effect)) {
      std::vector<StoreEntry> entries;
      for (const auto& [key, value] : disk)
        if (key.first == scan->what.family && !(key.second < scan->what.from) &&
            (scan->what.to.empty() || key.second < scan->what.to))
          entries.push_back({key.second, value});
      core.on_scanned(now, scan->tag, std::move(entries), false, out);
    } else if (auto* body = std::get_if<Seal>(&effect)) {
      core.on_sealed(now, body->space, schema::encode_kv_signed(body->body, as_bytes("signed")),
                     out);
    } else if (auto* check = std::get_if<Verify>(&effect)) {
      checks.push_back(check->slot);
    } else if (auto* publish = std::get_if<Publish>(&effect)) {
      if (published.size() < 64) published.push_back(publish->message);
    } else if (auto* settled = std::get_if<Settle>(&effect)) {
      FUZZ_CHECK(judged.erase(settled->judge) == 1);
    } else if (auto* holders = std::get_if<AskHolders>(&effect)) {
      core.on_holders(now, holders->space, {{script.next() % 3u, 0}}, out);
    } else if (auto* ask = std::get_if<SendAsk>(&effect)) {
      FUZZ_CHECK(schema::decode_kv_ask(ask->ask).has_value());
      pull = ask->pull;
    } else if (auto* serve = std::get_if<Serve>(&effect)) {
      FUZZ_CHECK(serve->keys.size() <= schema::kKvPageBatchesMax);
    } else if (auto* done = std::get_if<TellDone>(&effect)) {
      FUZZ_CHECK(open.erase(done->request.value) == 1);
    }
  }
};

schema::KvBatch draw_batch(Script& script, const World& world) {
  schema::KvBatch batch;
  batch.space = "s";
  batch.writer = {peers()[script.next() % 3u], script.next() % 2u, 0};
  batch.sequence = 1 + script.next() % 6u;
  HybridClock clock;
  batch.stamp = *clock.next(world.now.wall) + script.next() * (1ull << (script.next() % 40));
  const std::uint8_t kind = script.next();
  batch.ops.push_back({static_cast<schema::KvOpKind>(1 + kind % 3), Bytes::copy("k"),
                       kind % 3 == 0 ? Bytes::copy("v") : Bytes(), script.next(), script.next()});
  return batch;
}

Request draw_request(Script& script) {
  const Bytes key = Bytes::copy(std::string(1, static_cast<char>('j' + script.next() % 3)));
  switch (script.next() % 7) {
    case 0:
      return Put{"s", key, Bytes::copy(std::string(script.next() * 40u, 'v'))};
    case 1:
      return Delete{"s", key};
    case 2:
      return Increment{"s", key, static_cast<std::int64_t>(script.next()) - 128};
    case 3:
      return Get{"s", key};
    case 4:
      return List{script.next() % 2 ? "s" : "t", {}, {}, script.next()};
    case 5:
      return Watch{"s", {}};
    default:
      return Stat{"s"};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Script script{bytes, bytes + size};
  World world;
  CstoreCore& core = world.core;
  core.start(world.now, world.out);
  world.settle(script);
  core.run(world.now, RequestId{1}, Watch{"s", {}}, world.out);
  std::uint64_t requests = 1;
  std::uint32_t judges = 0;
  while (script.at < script.end) {
    switch (script.next() % 9) {
      case 0:
        world.open.insert(++requests);
        core.run(world.now, RequestId{requests}, draw_request(script), world.out);
        break;
      case 1:
        if (requests > 1) core.cancel(RequestId{1 + script.next() % requests});
        break;
      case 2: {
        const schema::KvBatch batch = draw_batch(script, world);
        const PeerId& via = peers()[script.next() % 3u];
        const Bytes message =
            schema::encode_kv_signed(schema::encode_kv_batch(batch), as_bytes("signed"));
        const gossip::JudgeSlot judge{++judges, 0};
        if (core.on_message(world.now, 0, judge, batch.writer.id, via, message, world.out) ==
            gossip::Verdict::pending)
          world.judged.insert(judge);
        break;
      }
      case 3:
        if (!world.checks.empty()) {
          const std::size_t chosen = script.next() % world.checks.size();
          const VerifySlot slot = world.checks[chosen];
          world.checks.erase(world.checks.begin() + static_cast<std::ptrdiff_t>(chosen));
          core.on_verified(world.now, slot, script.next() % 8 != 0, world.out);
        }
        break;
      case 4:
        if (!world.commits.empty()) {
          const auto [tag, taken] = world.commits.front();
          world.commits.erase(world.commits.begin());
          Result<void> result;
          if (!taken) result = fail(Errc::disk_full, "full");
          core.on_persisted(world.now, tag, std::move(result), world.out);
        }
        break;
      case 5: {
        const Duration step = std::chrono::milliseconds(script.next() * 100);
        world.now.mono += step;
        world.now.wall += step;
        core.on_tick(world.now, world.out);
        world.settle(script);
        FUZZ_CHECK(core.next_deadline() > world.now.mono || core.next_deadline() == kNever);
        break;
      }
      case 6: {
        schema::KvPage page;
        page.same = script.next() % 8 == 0;
        page.more = script.next() % 2 == 0;
        for (int i = script.next() % 4; i > 0; --i)
          page.batches.push_back(schema::encode_kv_signed(
              schema::encode_kv_batch(draw_batch(script, world)), as_bytes("signed")));
        if (script.next() % 4 == 0) page.forks.push_back({{peers()[1], 0, 0}, 1, {}});
        core.on_page(world.now, world.pull, schema::encode_kv_page(page), world.out);
        break;
      }
      case 7: {
        const std::size_t wish = script.next();
        const std::size_t length = std::min(wish, static_cast<std::size_t>(script.end - script.at));
        const Bytes raw = Bytes::copy(ByteView(script.at, length));
        script.at += length;
        core.on_ask(world.now, {1, 0}, {1, 0}, raw, world.out);
        core.on_page(world.now, world.pull, raw, world.out);
        core.on_message(world.now, 0, {++judges, 0}, peers()[1], peers()[1], raw, world.out);
        break;
      }
      case 8:
        core.on_peer_gone(world.now, {script.next() % 3u, 0}, world.out);
        core.on_pull_lost(world.now, world.pull, nullptr, world.out);
        core.on_peer_ready(world.now);
        break;
    }
    world.settle(script);
    const Status status = core.status();
    FUZZ_CHECK(status.spaces <= 2 && status.bytes <= 2 * (68u << 10));
  }
  return 0;
}
