// Digits, training, quantised updates and their mean, without any network.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <numeric>

#include "net/base/rng.hpp"
#include "services/edil/trainer.hpp"
#include "services/edil/update.hpp"

namespace kith::edil {
namespace {

constexpr std::uint64_t kHeldOut = 99;

ModelShape softmax() { return {ModelKind::softmax, 784, 0, 10}; }
ModelShape perceptron() { return {ModelKind::mlp, 784, 32, 10}; }

SharedDataset digits(std::uint64_t seed, std::size_t samples, bool by_label = false) {
  return std::make_shared<Dataset>(
      draw_digits(seed, samples, by_label ? labels_of_share(seed) : std::vector<std::uint8_t>{}));
}

SharedDataset joined(const std::vector<SharedDataset>& parts) {
  auto all = std::make_shared<Dataset>();
  all->inputs = parts.front()->inputs;
  for (const SharedDataset& part : parts) {
    all->features.insert(all->features.end(), part->features.begin(), part->features.end());
    all->labels.insert(all->labels.end(), part->labels.begin(), part->labels.end());
  }
  return all;
}

Bytes train(const ModelShape& shape, const Weights& from, const SharedDataset& data,
            std::uint32_t epochs, std::uint64_t seed, float rate) {
  Trainer trainer({shape, rate, epochs, 16, seed}, data, from);
  while (!trainer.step(64)) {
  }
  return quantise(from, trainer.weights());
}

Weights federated(const ModelShape& shape, const std::vector<SharedDataset>& shares,
                  std::uint32_t rounds, std::uint32_t epochs, float rate) {
  Weights weights = first_weights(shape, 1);
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    Aggregate sum(weights.size());
    for (std::size_t i = 0; i < shares.size(); ++i)
      sum.add(train(shape, weights, shares[i], epochs, round * 100 + i, rate),
              static_cast<std::uint32_t>(shares[i]->samples()));
    weights = sum.apply(weights);
  }
  return weights;
}

double accuracy(const ModelShape& shape, const Weights& weights) {
  const Dataset held_out = draw_digits(kHeldOut, 1000);
  return static_cast<double>(count_right(shape, weights, held_out)) / 1000;
}

void expect_near_central(const ModelShape& shape, bool by_label, float rate, std::uint32_t epochs) {
  std::vector<SharedDataset> shares;
  for (std::uint64_t i = 0; i < 5; ++i) shares.push_back(digits(10 + i, 300, by_label));
  const Weights start = first_weights(shape, 1);
  Trainer central({shape, rate, 10 * epochs, 16, 3}, joined(shares), start);
  while (!central.step(4096)) {
  }
  Aggregate whole(start.size());
  whole.add(quantise(start, central.weights()), 1);
  const double best = accuracy(shape, whole.apply(start));
  const double ours = accuracy(shape, federated(shape, shares, 10, epochs, rate));
  std::printf("central %.3f, five contributors in ten rounds %.3f\n", best, ours);
  EXPECT_GE(best, 0.8);
  EXPECT_GE(ours, 0.95 * best);
}

TEST(Learning, five_contributors_in_ten_rounds_come_near_central_training_softmax) {
  expect_near_central(softmax(), false, 0.1f, 2);
}
TEST(Learning, five_contributors_in_ten_rounds_come_near_central_training_perceptron) {
  expect_near_central(perceptron(), false, 0.2f, 3);
}

TEST(Learning,
     the_same_seed_draws_the_same_digits_and_trains_the_same_update_in_slices_of_any_length) {
  const SharedDataset data = digits(5, 100);
  EXPECT_EQ(data->features, digits(5, 100)->features);
  EXPECT_NE(data->features, digits(6, 100)->features);
  const Weights start = first_weights(perceptron(), 2);
  Trainer whole({perceptron(), 0.2f, 3, 16, 8}, data, start);
  while (!whole.step(100'000)) {
  }
  Trainer sliced({perceptron(), 0.2f, 3, 16, 8}, data, start);
  while (!sliced.step(7)) {
  }
  EXPECT_EQ(whole.weights(), sliced.weights());
}

TEST(Learning, a_share_by_label_holds_four_labels_only) {
  const SharedDataset data = digits(3, 200, true);
  const std::set<std::uint8_t> labels(data->labels.begin(), data->labels.end());
  EXPECT_EQ(labels.size(), 4u);
}

// A naive mean in wide integers.
RC_GTEST_PROP(Aggregate, the_mean_is_exact_and_does_not_depend_on_the_order, ()) {
  const std::size_t parameters = *rc::gen::inRange<std::size_t>(1, 600);
  const std::size_t contributors = *rc::gen::inRange<std::size_t>(1, 8);
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  Weights base(parameters);
  for (auto& weight : base) weight = static_cast<std::int32_t>(rng.below(1u << 24)) - (1 << 23);
  std::vector<std::pair<Bytes, std::uint32_t>> updates;
  for (std::size_t k = 0; k < contributors; ++k) {
    std::vector<std::uint8_t> payload(payload_bytes(parameters));
    for (std::size_t at = 0; at < payload.size(); ++at)
      payload[at] = static_cast<std::uint8_t>(
          at % (kBlockWeights + 1) == 0 ? rng.below(kShiftMax + 1) : rng.below(255) + 129);
    RC_ASSERT(check_payload(parameters, payload).has_value());
    updates.emplace_back(Bytes::adopt(std::move(payload)),
                         static_cast<std::uint32_t>(rng.below(schema::kSamplesMax) + 1));
  }
  Aggregate forward(parameters), backward(parameters);
  for (const auto& [payload, samples] : updates) forward.add(payload, samples);
  for (auto at = updates.rbegin(); at != updates.rend(); ++at) backward.add(at->first, at->second);
  const Weights merged = forward.apply(base);
  RC_ASSERT(merged == backward.apply(base));
  for (std::size_t i = 0; i < parameters; ++i) {
    const std::size_t at = i + i / kBlockWeights + 1;
    __extension__ __int128 sum = 0;
    std::int64_t total = 0;
    for (const auto& [payload, samples] : updates) {
      const unsigned shift = payload[i / kBlockWeights * (kBlockWeights + 1)];
      sum += static_cast<std::int64_t>(static_cast<std::int8_t>(payload[at])) *
             (std::int64_t{1} << shift) * samples;
      total += samples;
    }
    const double mean = static_cast<double>(sum) / static_cast<double>(total);
    RC_ASSERT(std::abs(static_cast<double>(merged[i] - base[i]) - mean) <= 0.5 + 1e-6);
  }
}

TEST(Aggregate, extremes_neither_wrap_nor_poison) {
  constexpr std::size_t kCount = 300;
  std::vector<std::uint8_t> payload(payload_bytes(kCount), 127);
  payload[0] = payload[kBlockWeights + 1] = kShiftMax;
  Aggregate sum(kCount);
  for (std::size_t i = 0; i < schema::kContributorsMax; ++i) sum.add(payload, schema::kSamplesMax);
  const Weights top(kCount, INT32_MAX);
  EXPECT_EQ(sum.apply(top), top);
  const Weights zero(kCount, 0);
  EXPECT_EQ(sum.apply(zero), Weights(kCount, 127 << kShiftMax));
}

TEST(Quantise, what_is_not_finite_or_too_far_is_cut) {
  const Weights base(5, 0);
  const float infinity = std::numeric_limits<float>::infinity();
  const Bytes payload =
      quantise(base, {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 1e30f, 1.0f});
  ASSERT_TRUE(check_payload(5, payload).has_value());
  Aggregate sum(5);
  sum.add(payload, 1);
  EXPECT_EQ(sum.apply(base), (Weights{127 << 20, -(127 << 20), 0, 127 << 20, 1 << 20}));
}

TEST(CheckPayload, another_length_scale_or_value_is_refused) {
  const auto code = [](std::size_t size, std::uint8_t shift, std::uint8_t value) {
    std::vector<std::uint8_t> payload(size, value);
    if (!payload.empty()) payload[0] = shift;
    const auto checked = check_payload(10, payload);
    return checked ? Errc::none : checked.error().code;
  };
  EXPECT_EQ(code(11, 20, 1), Errc::none);
  EXPECT_EQ(code(10, 20, 1), Errc::truncated);
  EXPECT_EQ(code(0, 20, 1), Errc::truncated);
  EXPECT_EQ(code(12, 20, 1), Errc::oversized);
  EXPECT_EQ(code(11, 21, 1), Errc::malformed);
  EXPECT_EQ(code(11, 255, 1), Errc::malformed);
  EXPECT_EQ(code(11, 0, 0x80), Errc::malformed);
}

TEST(ModelFile, comes_back_as_it_was_and_is_refused_when_cut_or_changed_in_its_head) {
  Model model;
  model.round = 3;
  model.previous = cid_of_file(as_bytes("before"));
  model.shape = {ModelKind::mlp, 5, 3, 2};
  model.weights = std::make_shared<Weights>(first_weights(model.shape, 4));
  const Bytes file = encode_model(model);
  const auto back = decode_model(file);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->round, 3u);
  EXPECT_EQ(back->previous, model.previous);
  EXPECT_EQ(*back->weights, *model.weights);
  EXPECT_EQ(encode_model(*back), file);
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(decode_model(file.slice(0, size)).has_value()) << size;
  std::vector<std::uint8_t> longer = file.to_vector();
  longer.push_back(0);
  EXPECT_EQ(decode_model(longer).error().code, Errc::oversized);
}

}  // namespace
}  // namespace kith::edil
