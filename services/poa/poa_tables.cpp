// What is shown of the ledger, to the user and to other nodes.
#include <algorithm>

#include "services/poa/poa_core.hpp"

namespace kith::poa {

void PoaCore::run(Now now, RequestId request, const Request& what, Effects& out) {
  if (!running_) {
    out.push_back(TellDone{request, fail(Errc::refused, "the table of beats is not loaded yet", {},
                                         "try again in a moment")});
    return;
  }
  if (const auto* ask = std::get_if<AskUptime>(&what)) {
    if (ask->peer == config_.self)
      out.push_back(TellDone{request, fail(Errc::usage, "this node's own table was asked for",
                                           "its id is " + config_.self.text(),
                                           "leave the peer out: kith uptime show")});
    else
      asker_.ask(request, ask->peer, out);
    return;
  }
  const auto& show = std::get<ShowUptime>(what);
  if (show.peer && *show.peer != config_.self && ledger_.find(*show.peer) == nullptr) {
    out.push_back(
        TellDone{request, fail(Errc::not_found, "no beat of this peer was heard",
                               "beats of " + std::to_string(ledger_.size()) + " peers were",
                               "kith uptime show lists them")});
    return;
  }
  out.push_back(TellDone{request, Answer(calendar(now, show))});
}

PeerView PoaCore::view_of(const PeerId& id, std::uint64_t first, std::uint64_t last) const {
  const Running& run = *running_;
  PeerView view;
  view.id = id;
  view.self = id == config_.self;
  if (view.self) {
    view.capacity = capacity_;
  } else if (const Ledger::Peer* peer = ledger_.find(id)) {
    view.capacity = peer->capacity;
    if (peer->total > 0) view.heard_slot = peer->heard_slot;
  }
  for (std::uint64_t epoch = first; epoch <= last; ++epoch) {
    EpochView row = ledger_.view(id, epoch, run.timeline, run.attendance);
    if (view.self) {
      row.seen = row.up;
      row.value = value_of(row.seen, row.up);
      for (std::uint8_t& cell : row.cells)
        if (cell != kNoView) cell = 100;
    }
    view.epochs.push_back(std::move(row));
  }
  return view;
}

Calendar PoaCore::calendar(Now now, const ShowUptime& what) const {
  const Running& run = *running_;
  Calendar calendar;
  calendar.timing = config_.timing;
  calendar.slot = run.timeline.slot(now.mono);
  calendar.epoch = run.timeline.epoch_of_slot(calendar.slot);
  std::vector<PeerId> ids{config_.self};
  if (what.peer) {
    ids = {*what.peer};
  } else {
    for (PeerId& id : ledger_.peers_after(PeerId(), kPeersMax)) ids.push_back(std::move(id));
  }
  const std::uint64_t room = std::max<std::uint64_t>(1, kRowsShownMax / ids.size());
  const std::uint64_t epochs = std::min<std::uint64_t>(
      {room, kEpochsKept, std::max<std::uint32_t>(1, what.epochs), calendar.epoch + 1});
  calendar.epochs_shown = static_cast<std::uint32_t>(epochs);
  for (const PeerId& id : ids)
    calendar.peers.push_back(view_of(id, calendar.epoch + 1 - epochs, calendar.epoch));
  return calendar;
}

schema::Statement PoaCore::statement(Now now, const PeerId& after) const {
  const Running& run = *running_;
  const std::uint64_t epoch = run.timeline.epoch_of_slot(run.timeline.slot(now.mono));
  schema::Statement made;
  made.owner = config_.self;
  const auto wall = std::max(now.wall.time_since_epoch(), Duration(0));
  made.time_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(wall).count());
  made.epoch_seconds = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(config_.timing.epoch).count());
  made.first_epoch = epoch >= kEpochsKept ? epoch + 1 - kEpochsKept : 0;
  for (std::uint64_t at = made.first_epoch; at <= epoch; ++at)
    made.up_slots.push_back(run.attendance.up_slots(at));
  std::vector<PeerId> ids = ledger_.peers_after(after, schema::kStatementEntriesMax + 1);
  made.more = ids.size() > schema::kStatementEntriesMax;
  if (made.more) ids.pop_back();
  for (PeerId& id : ids) {
    schema::StatementEntry entry;
    for (std::uint64_t at = made.first_epoch; at <= epoch; ++at)
      entry.values.push_back(ledger_.value(id, at, run.attendance));
    entry.peer = std::move(id);
    made.entries.push_back(std::move(entry));
  }
  return made;
}

void PoaCore::on_question(Now now, host::PeerSlot peer, host::StreamSlot stream, ByteView question,
                          Effects& out) {
  const auto after = schema::decode_table_question(question);
  Bucket& pages = askers_.try_emplace(peer, Bucket{kPagesBurst, now.mono}).first->second;
  QuestionCounters& refused = status_.questions;
  std::uint64_t* why = nullptr;
  if (!running_)
    why = &refused.unready;
  else if (!after)
    why = after.error().code == Errc::oversized   ? &refused.oversized
          : after.error().code == Errc::truncated ? &refused.truncated
                                                  : &refused.malformed;
  else if (!pages.take(now.mono, kPagesBurst, 1s))
    why = &refused.flooding;
  if (why != nullptr) {
    ++*why;
    out.push_back(RefuseQuestion{stream});
    return;
  }
  ++status_.pages_given;
  out.push_back(GiveStatement{stream, schema::encode_statement(statement(now, *after))});
}

}  // namespace kith::poa
