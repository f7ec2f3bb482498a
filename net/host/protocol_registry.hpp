// ProtocolRegistry: which protocol ids we know, who handles them and whether we serve them now.
//
// Rules: an id belongs to one protocol (a second registration is our bug). Lookups of inbound ids
// go through a sorted index, so what a peer proposes costs a few comparisons however much it
// proposes.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/host/host.hpp"

namespace kith::host {

class ProtocolRegistry {
 public:
  struct Entry {
    ProtocolSpec spec;
    Protocol* handler = nullptr;
    // Part of the host itself (identify): hears of streams before the peer is ready, and of no
    // peers.
    bool internal = false;
  };

  ProtocolIndex add(ProtocolSpec spec, Protocol& handler, bool internal = false);
  const Entry& at(ProtocolIndex index) const { return entries_.at(index); }
  std::size_t size() const { return entries_.size(); }
  // True when it changed.
  bool set_serving(ProtocolIndex index, bool serve);

  // The protocol that serves `id`, for an inbound stream. Strings here live as long as the
  // registry.
  struct Served {
    ProtocolIndex index = 0;
    std::string_view id;
  };
  std::optional<Served> serving(std::string_view id) const;
  std::vector<std::string> served() const;  // sorted
  // The first id of the protocol, in our order of preference, that the peer speaks (`spoken` is
  // sorted); null: none.
  const std::string* pick(ProtocolIndex index, std::span<const std::string> spoken) const;

 private:
  std::vector<Entry> entries_;
  std::map<std::string, ProtocolIndex, std::less<>> by_id_;
};

}  // namespace kith::host
