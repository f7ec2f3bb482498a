#include "services/edil/chain.hpp"

#include "net/base/check.hpp"

namespace kith::edil {

Link make_link(schema::EdilSigned record, schema::EdilClose close) {
  Link link;
  link.hash = sha256(record.body);
  for (const schema::EdilMember& member : close.members) link.samples += member.samples;
  link.record = std::move(record);
  link.close = std::move(close);
  return link;
}

const Cid& Chain::model_after(std::uint32_t round) const {
  CHECK(round <= this->round());
  return round == 0 ? first_ : links_[round - 1].close.model;
}

std::uint64_t Chain::weight_after(std::uint32_t round) const {
  CHECK(round <= this->round());
  return round == 0 ? 0 : weights_[round - 1];
}

std::optional<std::uint32_t> Chain::place_of(const std::vector<Link>& links) const {
  if (links.empty()) return std::nullopt;
  for (std::size_t i = 1; i < links.size(); ++i)
    if (links[i].close.round != links[i - 1].close.round + 1 ||
        links[i].close.base != links[i - 1].close.model)
      return std::nullopt;
  const std::uint32_t before = links.front().close.round - 1;
  if (before > round() || model_after(before) != links.front().close.base) return std::nullopt;
  return before;
}

bool Chain::better_with(std::uint32_t round, const std::vector<Link>& links) const {
  std::uint64_t total = weight_after(round);
  for (const Link& link : links) total += link.samples;
  if (total != weight()) return total > weight();
  if (links.empty() || links_.empty()) return false;
  return links.back().hash < links_.back().hash;
}

void Chain::follow(std::uint32_t round, std::vector<Link> links) {
  CHECK(round <= this->round());
  links_.resize(round);
  weights_.resize(round);
  for (Link& link : links) {
    weights_.push_back((weights_.empty() ? 0 : weights_.back()) + link.samples);
    links_.push_back(std::move(link));
  }
}

}  // namespace kith::edil
