// PeerTable: who is on the other side, however many links lead there.
//
// Rules
// * A peer is known from its first secured link and ready from its first identify. Only ready peers
//   were ever announced, so only they are announced as gone: when the last link is lost. The slot
//   itself lives until PeerGone is delivered; a peer that comes back meanwhile gets a new one.
// * What streams of a peer that is not ready yet say is parked here (StreamTable does it) and
//   follows on_peer_ready in order. Parked bytes are charged to the node's assembly budget.
// * Links are kept oldest first; new streams go to the oldest that is usable.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "net/host/link.hpp"
#include "net/host/message_assembler.hpp"
#include "net/wire/identify.hpp"

namespace kith::host {

struct Peer {
  PeerSlot slot;
  PeerFacts facts;
  wire::IdentifyFacts known;  // all that its identifies and pushes said
  bool ready = false;
  bool gone = false;  // PeerGone is on its way
  Mono since{};
  std::vector<Link*> links;                    // oldest first
  std::vector<std::uint32_t> inbound_streams;  // by ProtocolIndex
  std::deque<HostEvent> parked;
  std::size_t parked_bytes = 0;
  std::uint64_t bytes_in = 0;  // of links that are gone
  std::uint64_t bytes_out = 0;
  std::uint32_t pushes_left = 0;  // token bucket of identify pushes
  Mono pushes_filled{};

  Link* usable_link() const;
};

class PeerTable {
 public:
  PeerTable(const HostLimits& limits, ByteBudget& budget, Turn& turn)
      : limits_(limits), budget_(budget), turn_(turn) {}

  // The peer of a link that was just secured; made if it is its first. Null: it has too many links.
  Peer* on_secured(Now now, Link& link, const PeerId& id);
  // An identify arrived on a link: PeerReady, or PeerChanged if it says something new.
  void on_identified(Now now, Link& link, wire::IdentifyFacts facts);
  void on_push(Link& link, wire::IdentifyFacts facts);
  bool take_push(Now now, Peer& peer);  // false: too many
  // Tells whether it was its last link; a peer that was never ready is gone at once.
  bool on_link_lost(Link& link);
  void erase(PeerSlot slot);  // PeerGone was delivered

  Peer* find(PeerSlot slot);
  const Peer* find(PeerSlot slot) const;
  Peer* find_ready(const PeerId& id) const;
  std::vector<PeerStatus> status() const;
  std::vector<Multiaddr> observed() const;  // how peers see us, each once
  template <class Each>
  void each_ready(Each&& each) const {
    peers_.for_each([&](PeerSlot, const std::unique_ptr<Peer>& peer) {
      if (peer->ready && !peer->gone) each(*peer);
    });
  }
  std::size_t size() const { return peers_.size(); }

 private:
  void take_facts(Peer& peer);
  void unpark(Peer& peer);

  const HostLimits& limits_;
  ByteBudget& budget_;
  Turn& turn_;
  Slots<PeerSlot, std::unique_ptr<Peer>> peers_;
  std::map<PeerId, Peer*> by_id_;  // those that are not gone
};

}  // namespace kith::host
