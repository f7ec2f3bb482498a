// Where samples come from: drawn, or read from the owner's files. Blocking; for the pool.
#pragma once

#include "services/edil/edil_effects.hpp"

namespace kith::edil {

inline constexpr std::size_t kHeldOutDigits = 500;

// What a contributor trains on, and what its models are measured with.
struct Samples {
  SharedDataset train;
  SharedDataset held_out;
};

// Errors: not_found, permission, io, and those of the readers; configuration when the samples do
// not fit the task's shape.
Result<Samples> load_samples(const LoadData& what);
// The digits that all measure with; drawn once for the process, as they are always the same.
SharedDataset held_out_digits();

}  // namespace kith::edil
