// Chain: the closed rounds of one task, each with the model that its updates are differences to and
// the model that followed, and the choice between two chains.
//
// Rules: a chain's weight is the sum of the samples behind all of its rounds. Of two chains the
// heavier is followed; of two equally heavy the one whose last close has the smaller hash. Weights
// only grow along a chain, every member of a close signed its samples and its base, and a model
// that is changed early leaves all that was built on it without a base: so a chain cannot be made
// heavier without the keys of its contributors.
//
// Bounds: kRoundsMax closes.
#pragma once

#include <optional>
#include <vector>

#include "schema/kith/edil_messages.hpp"

namespace kith::edil {

// A close whose signatures were checked.
struct Link {
  schema::EdilSigned record;
  schema::EdilClose close;
  Sha256Digest hash{};  // of the record's body
  std::uint64_t samples = 0;
};
Link make_link(schema::EdilSigned record, schema::EdilClose close);

class Chain {
 public:
  explicit Chain(Cid first) : first_(std::move(first)) {}

  std::uint32_t round() const { return static_cast<std::uint32_t>(links_.size()); }
  const Cid& model() const { return model_after(round()); }
  const Cid& model_after(std::uint32_t round) const;  // 0: the first; round <= round()
  const Link& link(std::uint32_t round) const { return links_[round - 1]; }
  std::uint64_t weight() const { return weight_after(round()); }
  std::uint64_t weight_after(std::uint32_t round) const;

  // Where `links` (in order) would go on from this chain: the round after which they stand, when
  // each follows from the one before; none when they do not fit onto it.
  std::optional<std::uint32_t> place_of(const std::vector<Link>& links) const;
  // Whether the chain with `links` placed after `round` is to be preferred.
  bool better_with(std::uint32_t round, const std::vector<Link>& links) const;
  // Drops what stands after `round`, and puts `links` there. They fit.
  void follow(std::uint32_t round, std::vector<Link> links);

 private:
  Cid first_;
  std::vector<Link> links_;
  std::vector<std::uint64_t> weights_;  // after each round
};

}  // namespace kith::edil
