// TableAsker: our questions for other nodes' tables, page by page.
//
// Rules: a page must be signed by the peer that was asked, for this network's epochs, and go on
// where the last one ended; anything else ends the request, and is counted by what it was. What
// comes is given as that peer's word and enters nothing here.
//
// Bounds: kAsksMax requests at a time, kPagesMax pages each. Attacker: the peer that is asked.
#pragma once

#include <map>

#include "services/poa/poa_effects.hpp"

namespace kith::poa {

inline constexpr std::size_t kAsksMax = 16;
inline constexpr std::uint32_t kPagesMax = 16;  // a table of kPeersMax takes 11

class TableAsker {
 public:
  explicit TableAsker(Timing timing) : timing_(timing) {}

  void ask(RequestId request, const PeerId& owner, Effects& out);
  void cancel(RequestId request, Effects& out);
  void on_owner_connected(RequestId request, Result<host::PeerSlot> owner, Effects& out);
  void on_page(Now now, RequestId request, ByteView answer, Effects& out);
  void on_checked(RequestId request, bool valid, Effects& out);
  void on_page_failed(RequestId request, const Error& why, Effects& out);
  const AnswerCounters& counters() const { return counters_; }

 private:
  struct Asking {
    host::PeerSlot owner;
    std::uint32_t pages = 0;
    std::optional<schema::Statement> page;  // whose signature is being checked
    Table table;
  };
  using Place = std::map<RequestId, Asking>::iterator;
  void ask_page(RequestId request, const Asking& asking, Effects& out);
  Result<schema::Statement> read(const Asking& asking, ByteView answer,
                                 schema::SignedStatement& raw) const;
  void take(Place at, Effects& out);
  void refuse(Place at, std::uint64_t& counter, Error why, Effects& out);
  std::uint64_t& counter_of(const Error& why);
  void finish(Place at, Result<Answer> answer, Effects& out);

  Timing timing_;
  std::map<RequestId, Asking> asking_;
  AnswerCounters counters_;
};

}  // namespace kith::poa
