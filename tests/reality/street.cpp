#include "tests/reality/street.hpp"

namespace kith::reality {

std::unique_ptr<Street> make_street(const StreetPlan& plan, Kind kind) {
  if (kind == Kind::sockets) return make_socket_street(plan);
  return make_sim_street(plan, kind == Kind::sim_messages);
}

crypto::Identity identity_of(const StreetPlan& plan, std::uint32_t i) {
  Rng rng = Rng(plan.seed).fork("identity", i);
  return crypto::Identity::make(rng);
}

}  // namespace kith::reality
