// Model: weights in fixed point, and the file that a round's model is.
//
// Rules
// * Weights are 32-bit integers in units of 2^-kFractionBits, so that the sum of all contributors'
//   updates, and with it the model, is the same bits on every node whatever the order of arrival.
// * A model file is a head that names task, round, shape and the CID of the model before, and the
//   weights. It is one raw block of R1FS (kParametersMax sees to that), so its CID is its hash, and
//   each file is linked to the last. Little-endian.
// * Order of weights: softmax W (outputs x inputs), b; perceptron W1 (hidden x inputs), b1,
//   W2 (outputs x hidden), b2; rows first.
//
// Attacker: whoever serves a file. Length and head are checked before weights are read.
#pragma once

#include <memory>
#include <vector>

#include "schema/kith/edil_messages.hpp"

namespace kith::edil {

using schema::ModelKind;
using schema::ModelShape;
using schema::TaskId;

inline constexpr int kFractionBits = 20;
inline constexpr float kUnit = 1.0f / (1 << kFractionBits);

using Weights = std::vector<std::int32_t>;
using SharedWeights = std::shared_ptr<const Weights>;

struct Model {
  TaskId task{};            // zeros in the first model, which is older than its task
  std::uint32_t round = 0;  // 0: the first
  Cid previous;             // of the round before; empty in the first
  ModelShape shape;
  SharedWeights weights;
};

// Small random weights from a seed; zeros for a softmax regression.
Weights first_weights(const ModelShape& shape, std::uint64_t seed);

Bytes encode_model(const Model& model);
// Errors: malformed, truncated, oversized.
Result<Model> decode_model(ByteView file);
Cid cid_of_file(ByteView file);

std::vector<float> to_floats(const Weights& weights);

}  // namespace kith::edil
