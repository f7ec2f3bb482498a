// Trainer: stochastic gradient descent on one contributor's samples, in slices, so that the thread
// that it is lent is given back often.
//
// Rules: float32, samples in an order that the plan's seed gives, sums in a fixed order, an
// exponential of our own (no libm): the same plan on the same samples gives the same weights on
// every machine of one instruction set, and slices of any length give the same as one. Only the
// quantised result leaves the node, and only integers are aggregated (update.hpp), so nothing that
// nodes must agree on depends on floats.
//
// The one file with Eigen is trainer.cpp.
#pragma once

#include "services/edil/dataset.hpp"
#include "services/edil/model.hpp"

namespace kith::edil {

struct TrainingPlan {
  ModelShape shape;
  float rate = 0.5f;
  std::uint32_t epochs = 1;
  std::uint32_t batch = 16;
  std::uint64_t seed = 0;
};

class Trainer {
 public:
  // `data` has samples and shape.inputs features; labels are below shape.outputs.
  Trainer(TrainingPlan plan, SharedDataset data, const Weights& from);
  // Trains on about so many samples more; true: all epochs are through.
  bool step(std::size_t samples);
  const std::vector<float>& weights() const { return weights_; }

 private:
  void start_epoch();
  void train_batch(std::size_t from, std::size_t count);

  TrainingPlan plan_;
  SharedDataset data_;
  std::vector<float> weights_;
  std::vector<std::uint32_t> order_;
  std::uint32_t epoch_ = 0;
  std::size_t at_ = 0;
};

// How many of the samples the model labels right.
std::size_t count_right(const ModelShape& shape, const Weights& weights, const Dataset& data);

}  // namespace kith::edil
