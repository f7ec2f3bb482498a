// HostLimits: every bound of WireHost in one place. Bounds of single protocols are in
// ProtocolSpec; those of the wire machines (frame and line lengths, windows, acknowledged streams)
// are named in net/wire.
//
// The attacker in mind opens many sockets, sends little, claims much and never reads: each number
// below caps one of those. Figures follow what go-libp2p and Bitcoin Core run with unless the
// comment says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/base/time.hpp"

namespace kith::host {

struct HostLimits {
  // Connections, inbound and outbound, from the first byte of the handshake on.
  std::size_t connections_max = 192;
  // Of those, inbound: strangers can never use up what we need to dial out.
  std::size_t inbound_max = 160;
  // Inbound and not yet authenticated. At the limit the listener's door is closed.
  std::size_t unauthenticated_max = 64;
  // Inbound per IPv4 address or IPv6 /56. Loopback and non-IP addresses are exempt.
  std::size_t inbound_per_prefix_max = 8;
  // Secured connections to one peer, both directions; simultaneous dials make two.
  std::size_t connections_per_peer_max = 4;

  // Totals, never per read.
  Duration connect_deadline = 10s;    // connect() to on_connected
  Duration handshake_deadline = 10s;  // accept or dialled to secured and multiplexed
  Duration identify_deadline = 10s;   // from there to ready
  Duration negotiate_deadline = 10s;  // a stream's multistream exchange
  Duration write_stall = 60s;         // something to write and nothing taken by the other side
  Duration close_linger = 10s;        // our go-away sent, streams ended, pipe still there
  // The multiplexer pings after this much silence; two without an answer end the connection.
  Duration keepalive_interval = 30s;

  // Dialling.
  Duration dial_stagger = 250ms;         // the next address starts this much later (RFC 8305)
  std::size_t connects_max = 1024;       // connect() requests without an answer
  std::size_t dial_addrs_max = 64;       // addresses of one dial; the rest is not tried
  std::size_t dials_in_flight_max = 64;  // attempts of the whole node

  // Bytes a stranger can make us hold before it has authenticated.
  std::size_t pre_auth_bytes_max = 64u << 10;

  // Streams and their bytes.
  std::size_t streams_per_connection_max = 1024;  // both directions; js-libp2p has 1000 each
  std::size_t stream_window_max = 16u << 20;      // what one stream may have on its way to us
  // Delivered and not yet released, of one connection; the stream that exceeds it is reset.
  std::size_t receive_bytes_per_connection_max = 64u << 20;
  std::size_t assembly_bytes_max = 64u << 20;  // unfinished messages and parked data, node-wide
  // What is held for a peer that does not open its windows, over all streams of a connection.
  std::size_t send_bytes_per_connection_max = 32u << 20;
  std::size_t flush_bytes_max = 1u << 20;  // written to one pipe before others have their turn

  // Identify.
  std::uint32_t pushes_burst = 4;  // identify pushes taken from a peer at once ...
  Duration push_interval = 5s;     // ... and one more per interval
  Duration push_delay = 100ms;     // our own changes within this go out as one push

  // Peer store.
  std::size_t known_peers_max = 4096;
  std::size_t known_addrs_per_peer_max = 64;
  // What a peer claims and where it answered is known while it is connected, and for so long after;
  // for longer by Host::keep_addrs.
  Duration connected_lifetime = 2min;
  Duration known_lifetime_max = 48h;  // lifetimes of others saturate here
};

}  // namespace kith::host
