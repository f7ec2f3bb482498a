// Dialer: which addresses are tried, when, and what becomes of each connect() request.
//
// Rules
// * One job a peer: a second connect() to it joins the first and adds its addresses. A job without
//   an id (whoever answers) is never joined.
// * At most kDialsParallel attempts of a job are under way. The first starts at once, each further
//   one dial_stagger later or as soon as one fails; IPv6 and IPv4 alternate (RFC 8305). When all
//   are under way and addresses wait, an attempt older than kDialPatience gives way, so that dead
//   addresses in front do not use up the whole deadline.
// * An attempt that is secured stops the others. Should it die before it is ready, the addresses
//   that were not tried yet are.
// * Every request is answered once: ready, or an Error that names what each address said, at the
//   latest at its own deadline. The code is `identity` when an address proved another peer,
//   `timeout` when the deadline passed first, `connection` otherwise.
//
// Pure: the host starts and aborts attempts as the effects say, and reports what became of them.
// An attempt that is aborted by effect is gone; reports about it are ignored.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "net/host/host.hpp"
#include "net/host/limits.hpp"

namespace kith::host {

// An attempt gives way to a waiting address after this long: four SYN retransmissions' worth of
// patience would be 15 s, and a peer that has not answered within 2 s is a bad choice anyway.
inline constexpr Duration kDialPatience = 2s;

struct AttemptTag;
using AttemptSlot = Handle<AttemptTag>;

struct ConnectRequest {
  ProtocolIndex who = 0;
  RequestId request;
};

struct DialStart {
  AttemptSlot attempt;
  Multiaddr addr;
  PeerId expected;  // empty: whoever answers
};
struct DialAbort {
  AttemptSlot attempt;
};
struct DialAnswer {
  ConnectRequest to;
  PeerSlot peer;
  std::optional<Error> error;  // instead of the peer
};
using DialEffect = std::variant<DialStart, DialAbort, DialAnswer>;
using DialEffects = std::vector<DialEffect>;

class Dialer {
 public:
  explicit Dialer(const HostLimits& limits) : limits_(limits) {}

  // `addrs` can be dialled and have no /p2p; `unusable` says why others were left out.
  void connect(Now now, ConnectRequest request, const PeerId& id, std::span<const Multiaddr> addrs,
               std::vector<std::string> unusable, DialEffects& out);
  void on_secured(Now now, AttemptSlot attempt, DialEffects& out);
  // In whatever state it was: refused, handshake failed, identify failed, closed.
  void on_failed(Now now, AttemptSlot attempt, const Error& error, DialEffects& out);
  // `attempt`: the one that made it ready; none for an inbound connection.
  void on_ready(Now now, const PeerId& id, PeerSlot peer, AttemptSlot attempt, DialEffects& out);
  void on_tick(Now now, DialEffects& out);
  // Everything is answered with `cancelled`.
  void stop(Now now, DialEffects& out);
  Mono next_deadline() const;

  bool dialing(const PeerId& id) const { return by_id_.contains(id); }
  std::size_t requests() const { return requests_; }
  std::size_t in_flight() const { return attempts_.size(); }

 private:
  struct JobTag;
  using JobSlot = Handle<JobTag>;
  struct Waiter {
    ConnectRequest request;
    Mono deadline{};
  };
  struct Job {
    PeerId id;
    std::vector<Waiter> waiters;
    std::vector<Multiaddr> addrs;
    std::size_t next = 0;  // in addrs
    Mono next_start{};
    std::vector<AttemptSlot> attempts;
    std::size_t secured = 0;  // of those
    std::vector<std::string> said;
    bool wrong_peer = false;
  };
  struct Attempt {
    JobSlot job;
    Multiaddr addr;
    Mono since{};
    bool secured = false;
  };

  void start_one(Now now, JobSlot slot, Job& job, DialEffects& out);
  void pump(Now now, JobSlot slot, DialEffects& out);
  void pump_all(Now now, DialEffects& out);
  void give_way(Now now, Job& job, DialEffects& out);
  void abort_unsecured(Job& job, DialEffects& out);
  void forget(AttemptSlot attempt, Job& job);
  void end_job(JobSlot slot, DialEffects& out);
  Error failure(const Job& job, Errc code, std::string_view what) const;
  void answer_all(JobSlot slot, PeerSlot peer, const std::optional<Error>& error, DialEffects& out);
  Mono job_deadline(const Job& job) const;

  const HostLimits& limits_;
  Slots<JobSlot, Job> jobs_;
  Slots<AttemptSlot, Attempt> attempts_;
  std::map<PeerId, JobSlot> by_id_;
  std::size_t requests_ = 0;
};

// Alternates address families, the family of the first address first; order is kept within each.
std::vector<Multiaddr> alternate_families(std::span<const Multiaddr> addrs);

}  // namespace kith::host
