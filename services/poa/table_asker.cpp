#include "services/poa/table_asker.hpp"

#include <algorithm>

namespace kith::poa {
namespace {

std::uint32_t seconds_of(Duration time) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

std::uint64_t ms_of(Wall wall) {
  const Duration since = std::max(wall.time_since_epoch(), Duration(0));
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

}  // namespace

void TableAsker::ask(RequestId request, const PeerId& owner, Effects& out) {
  if (asking_.size() >= kAsksMax) {
    out.push_back(TellDone{request, fail(Errc::exhausted, "too many tables are being asked for", {},
                                         "try again when one of them has come")});
    return;
  }
  Asking& asking = asking_[request];
  asking.table.owner = owner;
  asking.table.timing = timing_;
  out.push_back(ConnectOwner{request, owner});
}

void TableAsker::cancel(RequestId request, Effects& out) {
  const auto at = asking_.find(request);
  if (at != asking_.end()) finish(at, fail(Errc::cancelled, "cancelled"), out);
}

void TableAsker::on_owner_connected(RequestId request, Result<host::PeerSlot> owner, Effects& out) {
  const auto at = asking_.find(request);
  if (at == asking_.end()) return;
  if (!owner) return finish(at, owner.error(), out);
  at->second.owner = *owner;
  ask_page(request, at->second, out);
}

void TableAsker::ask_page(RequestId request, const Asking& asking, Effects& out) {
  const PeerId after = asking.table.peers.empty() ? PeerId() : asking.table.peers.back().peer;
  out.push_back(AskPage{request, asking.owner, schema::encode_table_question(after)});
}

Result<schema::Statement> TableAsker::read(const Asking& asking, ByteView answer,
                                           schema::SignedStatement& raw) const {
  KITH_TRY(raw, schema::decode_signed_statement(answer));
  KITH_TRY(schema::Statement page, schema::decode_statement(raw.statement));
  const Table& table = asking.table;
  if (page.owner != table.owner) return fail(Errc::identity, "a table of another peer's");
  if (page.epoch_seconds != seconds_of(timing_.epoch))
    return fail(Errc::malformed, "a table of other epochs than this network's");
  if (page.more && page.entries.empty())
    return fail(Errc::malformed, "a page without peers that is not the last");
  if (asking.pages == 0) return page;
  if (page.first_epoch != table.first_epoch || page.up_slots.size() != table.up.size())
    return fail(Errc::refused, "an epoch ended while the table was read", {}, "ask again");
  return page;
}

std::uint64_t& TableAsker::counter_of(const Error& why) {
  switch (why.code) {
    case Errc::identity:
    case Errc::signature:
      return counters_.forged;
    case Errc::oversized:
      return counters_.oversized;
    case Errc::truncated:
      return counters_.truncated;
    case Errc::refused:
      return counters_.stale;
    default:
      return counters_.malformed;
  }
}

void TableAsker::on_page(Now now, RequestId request, ByteView answer, Effects& out) {
  const auto at = asking_.find(request);
  if (at == asking_.end() || at->second.page) return;
  schema::SignedStatement raw;
  Result<schema::Statement> page = read(at->second, answer, raw);
  if (!page) return refuse(at, counter_of(page.error()), page.error(), out);
  const auto& before = at->second.table.peers;
  if (!before.empty() && !page->entries.empty() &&
      !(before.back().peer < page->entries.front().peer))
    return refuse(at, counters_.replayed,
                  fail(Errc::malformed, "a page that does not go on where the last one ended"),
                  out);
  // Its clock or ours: what it says is labelled with its own time, and is shown.
  if (at->second.pages == 0 && page->time_ms > ms_of(now.wall + kWindow)) ++counters_.future;
  at->second.page = std::move(*page);
  out.push_back(CheckSignature{request, at->second.table.owner, std::move(raw)});
}

void TableAsker::on_checked(RequestId request, bool valid, Effects& out) {
  const auto at = asking_.find(request);
  if (at == asking_.end() || !at->second.page) return;
  if (!valid)
    return refuse(at, counters_.forged,
                  fail(Errc::signature, "the table is not signed by who was asked"), out);
  take(at, out);
}

void TableAsker::take(Place at, Effects& out) {
  Asking& asking = at->second;
  const schema::Statement page = std::move(*asking.page);
  asking.page.reset();
  if (asking.pages == 0) {
    asking.table.time_ms = page.time_ms;
    asking.table.first_epoch = page.first_epoch;
    asking.table.up = page.up_slots;
  }
  ++asking.pages;
  asking.table.peers.insert(asking.table.peers.end(), page.entries.begin(), page.entries.end());
  if (!page.more) return finish(at, Answer(std::move(asking.table)), out);
  if (asking.pages == kPagesMax)
    return refuse(at, counters_.oversized, fail(Errc::oversized, "a table without end"), out);
  const auto peers = static_cast<std::uint32_t>(asking.table.peers.size());
  out.push_back(TellProgress{at->first, TablePages{asking.pages, peers}});
  ask_page(at->first, asking, out);
}

void TableAsker::on_page_failed(RequestId request, const Error& why, Effects& out) {
  const auto at = asking_.find(request);
  if (at == asking_.end() || at->second.page) return;
  if (why.code == Errc::oversized) ++counters_.oversized;  // the host did not even read it
  finish(at, why, out);
}

void TableAsker::refuse(Place at, std::uint64_t& counter, Error why, Effects& out) {
  ++counter;
  finish(at, std::move(why), out);
}

void TableAsker::finish(Place at, Result<Answer> answer, Effects& out) {
  out.push_back(EndAsking{at->first});
  out.push_back(TellDone{at->first, std::move(answer)});
  asking_.erase(at);
}

}  // namespace kith::poa
