// Counts of operator new in this program: what a message may cost. (Sanitizers bring their own.)
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "tests/net/wire/yamux_support.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define KITH_COUNT_NEW 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KITH_COUNT_NEW 0
#endif
#endif
#ifndef KITH_COUNT_NEW
#define KITH_COUNT_NEW 1
#endif

#if KITH_COUNT_NEW
namespace {
std::size_t news = 0;
}

void* operator new(std::size_t size) {
  ++news;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace kith::wire {
namespace {

using namespace testing;

TEST(YamuxAllocations, a_message_costs_none_once_buffers_have_grown) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  const Bytes message = Bytes::adopt(std::vector<std::uint8_t>(1000));
  std::vector<Bytes> slices;
  slices.reserve(64);
  YamuxEffects saw;
  saw.reserve(64);
  const auto turn = [&] {
    for (int i = 0; i < 10; ++i) pair.a.write(pair.now, stream, message);
    pair.a.pull(pair.now, SIZE_MAX, slices, saw);
    for (const Bytes& slice : slices) pair.b.on_bytes(pair.now, slice, saw);
    for (const YamuxEffect& effect : saw)
      if (const auto* data = std::get_if<YamuxData>(&effect))
        pair.b.release(data->stream, data->data.size());
    slices.clear();
    saw.clear();
    pair.b.pull(pair.now, SIZE_MAX, slices, saw);
    for (const Bytes& slice : slices) pair.a.on_bytes(pair.now, slice, saw);
    slices.clear();
    saw.clear();
  };
  for (int i = 0; i < 100; ++i) turn();
  const std::size_t before = news;
  for (int i = 0; i < 1000; ++i) turn();
  EXPECT_EQ(news - before, 0u);
}

TEST(YamuxAllocations, an_idle_stream_costs_under_two_hundred_bytes) {
  EXPECT_LE(sizeof(YamuxStream) + sizeof(std::uint32_t) + sizeof(YamuxSlot) + 16, 200u);
}

}  // namespace
}  // namespace kith::wire
#endif
