#include "services/edil/trainer.hpp"

#include <Eigen/Core>
#include <bit>

#include "net/base/check.hpp"
#include "net/base/rng.hpp"

namespace kith::edil {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Row = Eigen::Matrix<float, 1, Eigen::Dynamic>;
using MatrixMap = Eigen::Map<Matrix>;
using RowMap = Eigen::Map<Row>;
using ConstMatrixMap = Eigen::Map<const Matrix>;
using ConstRowMap = Eigen::Map<const Row>;
using Index = Eigen::Index;

// e^x for x <= 0, to about 2e-7: x = n ln 2 + r with |r| <= ln 2 / 2, and a polynomial of degree 6.
float exp_negative(float x) {
  if (x < -80.0f) return 0.0f;
  const float scaled = x * 1.44269504f - 0.5f;
  const int n = static_cast<int>(scaled);  // towards zero: to the nearest, as scaled is negative
  const float r =
      (x - static_cast<float>(n) * 0.693359375f) + static_cast<float>(n) * 2.12194440e-4f;
  float p = 1.3888889e-3f;
  p = p * r + 8.3333333e-3f;
  p = p * r + 4.1666667e-2f;
  p = p * r + 1.6666667e-1f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * std::bit_cast<float>(static_cast<std::uint32_t>(n + 127) << 23);
}

// Where the parts of a model are among its weights.
struct Places {
  explicit Places(const ModelShape& shape)
      : inputs(shape.inputs), hidden(shape.hidden), outputs(shape.outputs) {
    bias1 = hidden * inputs;
    weights2 = hidden == 0 ? 0 : bias1 + hidden;
    bias2 = weights2 + outputs * (hidden == 0 ? inputs : hidden);
  }
  Index inputs, hidden, outputs;
  Index bias1 = 0, weights2 = 0, bias2 = 0;
  Index last_inputs() const { return hidden == 0 ? inputs : hidden; }
};

// Rows of scores become rows of probabilities.
void softmax_rows(Matrix& scores) {
  for (Index i = 0; i < scores.rows(); ++i) {
    float top = scores(i, 0);
    for (Index k = 1; k < scores.cols(); ++k) top = std::max(top, scores(i, k));
    float sum = 0;
    for (Index k = 0; k < scores.cols(); ++k) {
      scores(i, k) = exp_negative(scores(i, k) - top);
      sum += scores(i, k);
    }
    for (Index k = 0; k < scores.cols(); ++k) scores(i, k) /= sum;
  }
}

}  // namespace

Trainer::Trainer(TrainingPlan plan, SharedDataset data, const Weights& from)
    : plan_(plan), data_(std::move(data)), weights_(to_floats(from)) {
  CHECK(data_->inputs == plan_.shape.inputs && data_->samples() > 0);
  CHECK(weights_.size() == plan_.shape.parameters());
  start_epoch();
}

void Trainer::start_epoch() {
  order_.resize(data_->samples());
  for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::uint32_t>(i);
  Rng rng = Rng(plan_.seed).fork("epoch", epoch_);
  rng.shuffle(order_);
  at_ = 0;
}

bool Trainer::step(std::size_t samples) {
  for (std::size_t done = 0; epoch_ < plan_.epochs && done < samples;) {
    const std::size_t count = std::min<std::size_t>(plan_.batch, order_.size() - at_);
    train_batch(at_, count);
    at_ += count;
    done += count;
    if (at_ < order_.size()) continue;
    ++epoch_;
    start_epoch();
  }
  return epoch_ >= plan_.epochs;
}

void Trainer::train_batch(std::size_t from, std::size_t count) {
  const Places at(plan_.shape);
  const auto rows = static_cast<Index>(count);
  Matrix x(rows, at.inputs);
  for (Index i = 0; i < rows; ++i)
    x.row(i) = ConstRowMap(data_->features.data() + order_[from + static_cast<std::size_t>(i)] *
                                                        std::size_t{data_->inputs},
                           at.inputs);
  float* w = weights_.data();
  MatrixMap w1(w, at.hidden, at.inputs);
  RowMap b1(w + at.bias1, at.hidden);
  MatrixMap w2(w + at.weights2, at.outputs, at.last_inputs());
  RowMap b2(w + at.bias2, at.outputs);

  Matrix h;
  if (at.hidden > 0) {
    h.noalias() = x * w1.transpose();
    h.rowwise() += b1;
    h = h.cwiseMax(0.0f);
  }
  const Matrix& last = at.hidden > 0 ? h : x;
  Matrix error;
  error.noalias() = last * w2.transpose();
  error.rowwise() += b2;
  softmax_rows(error);
  for (Index i = 0; i < rows; ++i)
    error(i, data_->labels[order_[from + static_cast<std::size_t>(i)]]) -= 1.0f;
  error *= plan_.rate / static_cast<float>(count);

  if (at.hidden > 0) {
    Matrix back;
    back.noalias() = error * w2;
    for (Index i = 0; i < rows; ++i)
      for (Index k = 0; k < at.hidden; ++k)
        if (h(i, k) <= 0) back(i, k) = 0;
    w1.noalias() -= back.transpose() * x;
    b1 -= back.colwise().sum();
  }
  w2.noalias() -= error.transpose() * last;
  b2 -= error.colwise().sum();
}

std::size_t count_right(const ModelShape& shape, const Weights& weights, const Dataset& data) {
  CHECK(data.inputs == shape.inputs && weights.size() == shape.parameters());
  constexpr std::size_t kRows = 128;
  const Places at(shape);
  const std::vector<float> w = to_floats(weights);
  const ConstMatrixMap w1(w.data(), at.hidden, at.inputs);
  const ConstRowMap b1(w.data() + at.bias1, at.hidden);
  const ConstMatrixMap w2(w.data() + at.weights2, at.outputs, at.last_inputs());
  const ConstRowMap b2(w.data() + at.bias2, at.outputs);
  std::size_t right = 0;
  for (std::size_t from = 0; from < data.samples(); from += kRows) {
    const auto rows = static_cast<Index>(std::min(kRows, data.samples() - from));
    const ConstMatrixMap x(data.features.data() + from * data.inputs, rows, at.inputs);
    Matrix scores;
    if (at.hidden > 0) {
      Matrix h;
      h.noalias() = x * w1.transpose();
      h.rowwise() += b1;
      h = h.cwiseMax(0.0f);
      scores.noalias() = h * w2.transpose();
    } else {
      scores.noalias() = x * w2.transpose();
    }
    scores.rowwise() += b2;
    for (Index i = 0; i < rows; ++i) {
      Index best = 0;
      for (Index k = 1; k < at.outputs; ++k)
        if (scores(i, k) > scores(i, best)) best = k;
      right += best == data.labels[from + static_cast<std::size_t>(i)] ? 1 : 0;
    }
  }
  return right;
}

}  // namespace kith::edil
