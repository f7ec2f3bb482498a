// CoreWorld: cores of several nodes with a disk each, in one place: whatever they ask is done at
// once, in order, and time stands still until a test moves it. Signatures are a stand-in.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "net/crypto/identity.hpp"
#include "services/cstore/cstore_core.hpp"

namespace kith::cstore::test {

inline PeerId peer_id(std::uint32_t node) {
  Rng rng = Rng(77).fork("peer", node);
  return crypto::Identity::make(rng).id();
}
inline Bytes sign(const PeerId& writer, ByteView body) {
  Sha256 hash;
  hash.update(writer.bytes());
  hash.update(body);
  return Bytes::copy(hash.finish());
}
inline Bytes seal(const schema::KvBatch& batch) {
  const Bytes body = schema::encode_kv_batch(batch);
  return schema::encode_kv_signed(body, sign(batch.writer.id, body));
}
inline schema::KvOp put_op(std::string_view key, std::string_view value) {
  return {schema::KvOpKind::put, Bytes::copy(key), Bytes::copy(value), 0, 0};
}

inline Bytes turned(const Bytes& value, std::size_t bit) {
  std::vector<std::uint8_t> rotten = value.to_vector();
  rotten[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  return Bytes::adopt(std::move(rotten));
}

struct Disk {
  std::map<std::pair<Family, Bytes>, Bytes> entries, durable;
  bool hold = false;  // commits wait for release()
  std::optional<Error> refuse;
  std::uint64_t bytes_max = UINT64_MAX;  // of values
  std::uint64_t commits = 0;             // that were asked for
  std::uint32_t misreads = 0;            // so many batches are scanned with a bit turned
};

class CoreWorld {
 public:
  struct Told {
    std::map<RequestId, Result<Answer>> done;
    std::vector<Change> changes;
    std::vector<Bytes> published;
    std::vector<gossip::Verdict> verdicts;
    std::uint32_t damaged = 0;
    bool ready = false;
  };
  struct Node {
    std::unique_ptr<CstoreCore> core;
    Disk disk;
    Told told;
    Effects out;
    struct Held {
      std::uint64_t tag = 0;
      Durability durability = Durability::buffered;
      Result<void> result;
    };
    std::deque<Held> held;             // commits not answered yet
    std::vector<std::uint32_t> knows;  // whom it can ask
    std::uint32_t incarnation = 0;
  };

  explicit CoreWorld(std::uint32_t count, std::uint64_t bytes_max = kSpaceBytesMax)
      : bytes_max_(bytes_max), nodes_(count) {
    for (std::uint32_t i = 0; i < count; ++i) start(i);
  }

  Node& node(std::uint32_t i) { return nodes_[i]; }
  CstoreCore& core(std::uint32_t i) { return *nodes_[i].core; }
  const Counters counters(std::uint32_t i) { return core(i).status().counters; }

  void start(std::uint32_t i) {
    Node& node = nodes_[i];
    CoreConfig config;
    config.self = peer_id(i);
    config.families = {1, 2};
    config.space_bytes_max = bytes_max_;
    node.core =
        std::make_unique<CstoreCore>(config, Rng(5).fork("core", i * 1000ull + node.incarnation++));
    node.told = {};
    node.core->start(now, node.out);
    settle();
    EXPECT_TRUE(node.told.ready);
  }
  // Loses what was not synced.
  void crash(std::uint32_t i) {
    Node& node = nodes_[i];
    node.core.reset();
    node.out.clear();
    node.held.clear();
    node.disk.entries = node.disk.durable;
    node.disk.hold = false;
    start(i);
  }
  void release(std::uint32_t i) {
    nodes_[i].disk.hold = false;
    while (!nodes_[i].held.empty()) {
      const Node::Held next = std::move(nodes_[i].held.front());
      nodes_[i].held.pop_front();
      persisted(i, next);
      settle();
    }
  }

  RequestId run(std::uint32_t i, Request what) {
    const RequestId request{++requests_};
    core(i).run(now, request, std::move(what), nodes_[i].out);
    settle();
    return request;
  }
  const Result<Answer>* answer(std::uint32_t i, RequestId request) {
    const auto at = nodes_[i].told.done.find(request);
    return at == nodes_[i].told.done.end() ? nullptr : &at->second;
  }
  Result<Answer> ask(std::uint32_t i, Request what) {
    const RequestId request = run(i, std::move(what));
    if (answer(i, request) == nullptr) pass(kFirstSyncWait + 1s);
    const Result<Answer>* got = answer(i, request);
    return got == nullptr ? fail(Errc::timeout, "no answer") : *got;
  }
  bool put(std::uint32_t i, std::string_view key, std::string_view value) {
    return ask(i, Put{"s", Bytes::copy(key), Bytes::copy(value)}).has_value();
  }
  std::string get(std::uint32_t i, std::string_view key) {
    const auto got = ask(i, Get{"s", Bytes::copy(key)});
    return got ? std::string(std::get<Found>(*got).item.value.text()) : "(none)";
  }
  std::int64_t count(std::uint32_t i, std::string_view key) {
    const auto got = ask(i, Get{"s", Bytes::copy(key)});
    return got ? std::get<Found>(*got).item.count : INT64_MIN;
  }
  bool incr(std::uint32_t i, std::string_view key, std::int64_t by) {
    return ask(i, Increment{"s", Bytes::copy(key), by}).has_value();
  }
  SpaceInfo info(std::uint32_t i) { return std::get<SpaceInfo>(*ask(i, Stat{"s"})); }

  // As if gossip brought it; what was `pending` is looked up among the verdicts.
  gossip::Verdict hear(std::uint32_t i, const Bytes& message, const PeerId& from,
                       const PeerId& via) {
    const gossip::JudgeSlot judge{++judges_, 0};
    gossip::Verdict verdict = core(i).on_message(now, 0, judge, from, via, message, nodes_[i].out);
    const std::size_t before = nodes_[i].told.verdicts.size();
    settle();
    if (verdict != gossip::Verdict::pending) return verdict;
    EXPECT_EQ(nodes_[i].told.verdicts.size(), before + 1);
    return nodes_[i].told.verdicts.back();
  }
  gossip::Verdict hear(std::uint32_t i, const schema::KvBatch& batch) {
    return hear(i, seal(batch), batch.writer.id, batch.writer.id);
  }

  void everybody_knows_everybody() {
    for (std::uint32_t i = 0; i < nodes_.size(); ++i)
      for (std::uint32_t j = 0; j < nodes_.size(); ++j)
        if (i != j) nodes_[i].knows.push_back(j);
  }
  void pass(Duration time) {
    const Mono end = now.mono + time;
    for (;;) {
      Mono next = kNever;
      for (const Node& node : nodes_)
        if (node.core) next = std::min(next, node.core->next_deadline());
      if (next > end) break;
      const Duration step = std::max(next - now.mono, Duration::zero());
      now.mono += step;
      now.wall += step;
      for (Node& node : nodes_)
        if (node.core && node.core->next_deadline() <= now.mono) {
          node.core->on_tick(now, node.out);
          ASSERT_GT(node.core->next_deadline(), now.mono) << "a tick is not asked for in vain";
        }
      settle();
    }
    now.wall += end - now.mono;
    now.mono = end;
  }

  Now now{Mono(1s), Wall(std::chrono::hours(400'000))};
  // What an asked node answers, when a test plays it.
  std::function<std::optional<Bytes>(std::uint32_t asked, const Bytes& ask)> impostor;

 private:
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
        Effects out = std::exchange(nodes_[i].out, {});
        busy = busy || !out.empty();
        for (Effect& effect : out) std::visit([&](auto& one) { perform(i, one); }, effect);
      }
    }
  }
  void persisted(std::uint32_t i, const Node::Held& done) {
    Disk& disk = nodes_[i].disk;
    if (done.result && done.durability == Durability::synced) disk.durable = disk.entries;
    nodes_[i].core->on_persisted(now, done.tag, done.result, nodes_[i].out);
  }
  static Result<void> write(Disk& disk, const StoreBatch& batch) {
    ++disk.commits;
    if (disk.refuse) return *disk.refuse;
    std::uint64_t bytes = 0;
    for (const auto& [key, value] : disk.entries) bytes += value.size();
    for (const StoreWrite& write : batch.writes) bytes += write.value->size();
    if (bytes > disk.bytes_max) return fail(Errc::disk_full, "full");
    for (const StoreWrite& write : batch.writes)
      disk.entries[{write.family, write.key}] = *write.value;
    return {};
  }

  void perform(std::uint32_t, JoinTopic&) {}
  void perform(std::uint32_t i, Commit& effect) {
    Disk& disk = nodes_[i].disk;
    Node::Held done{effect.tag, effect.durability, write(disk, effect.batch)};
    if (disk.hold)
      nodes_[i].held.push_back(std::move(done));
    else
      persisted(i, done);
  }
  void perform(std::uint32_t i, Scan& effect) {
    std::vector<StoreEntry> entries;
    bool more = false;
    for (const auto& [key, value] : nodes_[i].disk.entries) {
      if (key.first != effect.what.family || key.second < effect.what.from) continue;
      if (!effect.what.to.empty() && !(key.second < effect.what.to)) continue;
      if (entries.size() == 7) {  // small, so that pages are met
        more = true;
        break;
      }
      entries.push_back({key.second, value});
      std::uint32_t& misreads = nodes_[i].disk.misreads;
      if (key.first != 2 || misreads == 0) continue;
      --misreads;
      entries.back().value = turned(value, 8 * value.size() - 1);
    }
    nodes_[i].core->on_scanned(now, effect.tag, std::move(entries), more, nodes_[i].out);
  }
  void perform(std::uint32_t i, Seal& effect) {
    nodes_[i].core->on_sealed(now, effect.space,
                              schema::encode_kv_signed(effect.body, sign(peer_id(i), effect.body)),
                              nodes_[i].out);
  }
  void perform(std::uint32_t i, Verify& effect) {
    const bool valid = sign(effect.writer, effect.message.body) == effect.message.signature;
    nodes_[i].core->on_verified(now, effect.slot, valid, nodes_[i].out);
  }
  void perform(std::uint32_t i, Publish& effect) {
    nodes_[i].told.published.push_back(effect.message);
  }
  void perform(std::uint32_t i, Settle& effect) {
    nodes_[i].told.verdicts.push_back(effect.verdict);
  }
  void perform(std::uint32_t i, AskHolders& effect) {
    std::vector<host::PeerSlot> peers;
    for (const std::uint32_t known : nodes_[i].knows)
      if (nodes_[known].core) peers.push_back({known, 0});
    nodes_[i].core->on_holders(now, effect.space, peers, nodes_[i].out);
  }
  void perform(std::uint32_t i, SendAsk& effect) {
    const std::uint32_t asked = effect.peer.index;
    if (impostor) {
      if (const auto page = impostor(asked, effect.ask)) {
        nodes_[i].core->on_page(now, effect.pull, *page, nodes_[i].out);
        return;
      }
    }
    asks_[asks_next_] = {i, effect.pull};
    nodes_[asked].core->on_ask(now, {asks_next_++, 0}, {i, 0}, effect.ask, nodes_[asked].out);
  }
  void perform(std::uint32_t, EndPull&) {}
  void perform(std::uint32_t i, Serve& effect) {
    for (const Bytes& key : effect.keys) {
      const auto at = nodes_[i].disk.entries.find({2, key});
      if (at == nodes_[i].disk.entries.end()) break;
      const auto exact = of_checked(at->second);
      if (!exact) {
        nodes_[i].core->on_damaged(now, key, nodes_[i].out);
        break;
      }
      effect.page.batches.push_back(*exact);
    }
    const auto [asker, pull] = asks_.at(effect.stream.index);
    asks_.erase(effect.stream.index);
    nodes_[asker].core->on_page(now, pull, schema::encode_kv_page(effect.page), nodes_[asker].out);
  }
  void perform(std::uint32_t i, Refuse& effect) {
    if (asks_.count(effect.stream.index) == 0) return;
    const auto [asker, pull] = asks_.at(effect.stream.index);
    (void)i;
    nodes_[asker].core->on_pull_lost(now, pull, nullptr, nodes_[asker].out);
  }
  void perform(std::uint32_t i, TellProgress& effect) {
    nodes_[i].told.changes.push_back(std::get<Change>(effect.progress));
  }
  void perform(std::uint32_t i, TellDone& effect) {
    EXPECT_TRUE(nodes_[i].told.done.emplace(effect.request, std::move(effect.answer)).second)
        << "a request ends once";
  }
  void perform(std::uint32_t i, TellDamaged&) { ++nodes_[i].told.damaged; }
  void perform(std::uint32_t i, TellReady& effect) {
    nodes_[i].told.ready = effect.result.has_value();
  }

  std::uint64_t bytes_max_;
  std::vector<Node> nodes_;
  std::uint64_t requests_ = 0;
  std::uint32_t judges_ = 0;
  std::uint32_t asks_next_ = 0;
  std::map<std::uint32_t, std::pair<std::uint32_t, std::uint64_t>> asks_;
};

}  // namespace kith::cstore::test
