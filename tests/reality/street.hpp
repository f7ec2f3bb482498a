// Street: a few hosts in a row that reach each other, over links that are the same whatever they
// are made of: simulated bytes, simulated messages, or sockets on loopback that are slowed down to
// the same latency, rate and window. What runs over a street sees only this.
//
// All hosts listen when the street stands; nobody has dialled anybody. Protocols are added before
// it runs. On sockets all of it is one loop, in real time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "net/base/loop.hpp"
#include "net/crypto/identity.hpp"
#include "net/host/host.hpp"

namespace kith::reality {

enum class Kind : std::uint8_t { sim_bytes, sim_messages, sockets };
inline constexpr std::size_t kKinds = 3;

struct StreetPlan {
  std::uint32_t hosts = 2;
  std::uint64_t seed = 1;
  Duration latency = 20ms;                // one way
  std::uint64_t up_bytes_per_second = 0;  // 0: unlimited
  std::size_t pipe_window = 1u << 20;     // hosts of whole messages have no pipes: it is not there
};

class Street {
 public:
  virtual ~Street() = default;
  virtual host::Host& host(std::uint32_t i) = 0;
  virtual Loop& loop(std::uint32_t i) = 0;
  virtual const crypto::Identity& identity(std::uint32_t i) const = 0;
  virtual Multiaddr address(std::uint32_t i) const = 0;  // without /p2p

  virtual Mono now() const = 0;
  // False: `within` passed.
  virtual bool run_until(const std::function<bool()>& reached, Duration within) = 0;
  void run_for(Duration time) {
    run_until([] { return false; }, time);
  }
  // By how much a machine that is slow or busy held up what was due, in the mean.
  virtual Duration lag() const { return {}; }
};

std::unique_ptr<Street> make_street(const StreetPlan& plan, Kind kind);

// For the kinds.
std::unique_ptr<Street> make_sim_street(const StreetPlan& plan, bool messages);
std::unique_ptr<Street> make_socket_street(const StreetPlan& plan);
crypto::Identity identity_of(const StreetPlan& plan, std::uint32_t i);

}  // namespace kith::reality
