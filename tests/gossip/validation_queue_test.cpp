#include "gossip/validation_queue.hpp"

#include <gtest/gtest.h>

#include <map>

#include "net/base/rng.hpp"

namespace kith::gossip {
namespace {

// Few keys and few contents, so that copies of one key that differ wait side by side.
TEST(ValidationQueue, finds_what_a_list_would_find) {
  Rng rng(1);
  ValidationQueue queue;
  struct Waiting {
    std::uint64_t key = 0;
    std::string rpc;
    bool verified = false;
  };
  std::map<JudgeSlot, Waiting> all;
  const auto bytes = [&] {
    std::size_t sum = 0;
    for (const auto& [slot, one] : all) sum += one.rpc.size();
    return sum;
  };
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t key = rng.below(4);
    const std::string rpc = "rpc " + std::to_string(rng.below(4));
    const auto matches = [&](auto&& fits) {
      std::vector<JudgeSlot> found;
      for (const auto& [slot, one] : all)
        if (one.key == key && fits(one)) found.push_back(slot);
      return found;
    };
    const auto same = matches([&](const Waiting& one) { return one.rpc == rpc; });
    const auto verified = matches([](const Waiting& one) { return one.verified; });
    const ValidationQueue::Entry* found = queue.find_same(key, as_bytes(rpc));
    ASSERT_EQ(found != nullptr, !same.empty());
    if (found != nullptr) {
      ASSERT_EQ(found, queue.find(same.front()));
    }
    found = queue.find_verified(key);
    ASSERT_EQ(found != nullptr, !verified.empty());
    if (found != nullptr) {
      ASSERT_EQ(found, queue.find(verified.front()));
    }
    ASSERT_EQ(queue.has(key), !matches([](const Waiting&) { return true; }).empty());
    ASSERT_EQ(queue.size(), all.size());
    ASSERT_EQ(queue.bytes(), bytes());
    if (same.empty() && all.size() < 12) {
      Message message;
      message.key = key;
      message.rpc = Bytes::copy(rpc);
      message.via = {static_cast<std::uint32_t>(rng.below(3)), 0};
      const auto slot = queue.admit(std::move(message));
      ASSERT_TRUE(slot);
      ASSERT_TRUE(all.emplace(*slot, Waiting{key, rpc, false}).second);
      if (verified.empty() && rng.chance(300'000)) {
        queue.start_judging({}, *slot);
        all[*slot].verified = true;
      }
    } else if (!all.empty()) {
      const auto at = std::next(all.begin(), static_cast<long>(rng.below(all.size())));
      const ValidationQueue::Entry taken = queue.take(at->first);
      ASSERT_EQ(taken.message.key, at->second.key);
      ASSERT_EQ(taken.message.rpc.text(), at->second.rpc);
      ASSERT_EQ(queue.find(at->first), nullptr);
      all.erase(at);
    }
  }
}

}  // namespace
}  // namespace kith::gossip
