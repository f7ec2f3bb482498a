// The scenario: a town of twenty nodes that come up one after the other, each knowing two that were
// drawn for it. Sixteen subscribe to a topic when they start. While the town is still forming, and
// for some seconds after, messages are published and peers are looked up. All of it is drawn from a
// seed as a Script, and every kind of street plays the same script; what the nodes draw for
// themselves (meshes, heartbeats, ports) differs.
//
// `serving` of the nodes serve the DHT. When all do, everybody ends up connected to everybody and
// meshes are a random choice of those. When few do, the others are in nobody's table, the graph
// stays thin, messages are lost in the beginning, and look-ups have to ask.
#pragma once

#include <vector>

#include "dht/routing.hpp"
#include "tests/reality/street.hpp"

namespace kith::reality {

inline constexpr std::uint32_t kTownNodes = 20;

struct Script {
  struct Home {
    Duration start{};
    std::vector<std::uint32_t> knows;  // whose addresses it starts with
    dht::Mode mode = dht::Mode::server;
    bool subscribes = false;
  };
  struct Publish {
    Duration at{};
    std::uint32_t from = 0;
    std::size_t bytes = 0;
  };
  struct Search {
    Duration at{};
    std::uint32_t from = 0;
    std::uint32_t wanted = 0;
  };
  StreetPlan street;
  std::vector<Home> homes;
  std::vector<Publish> publishes;
  std::vector<Search> searches;
  Duration length{};
};

Script draw_script(std::uint64_t seed, std::uint32_t serving);

// What was counted. A publisher's own copy counts nowhere.
struct Tally {
  std::uint64_t expected = 0;   // deliveries, if every subscriber heard everything
  std::uint64_t heard = 0;      // by subscribers
  std::uint64_t delivered = 0;  // the same as the routers counted it
  std::uint64_t copies = 0;     // that came in, new or not
  std::uint64_t searches = 0;
  std::uint64_t requests = 0;  // that these sent
  Duration took{};
  Duration lag{};

  double delivery() const { return ratio(heard, expected); }
  double copies_per_delivery() const { return ratio(copies, heard); }
  double requests_per_search() const { return ratio(requests, searches); }

 private:
  static double ratio(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }
};

Tally play(const Script& script, Kind kind);

}  // namespace kith::reality
