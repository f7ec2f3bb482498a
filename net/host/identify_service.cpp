#include "net/host/identify_service.hpp"

namespace kith::host {
namespace {

// More than one identify stream at a time has no use; a second tolerates one that is closing.
constexpr std::uint32_t kAskStreamsMax = 2;
constexpr std::uint32_t kPushStreamsMax = 2;
constexpr std::size_t kSendQueueMax = 16u << 10;

ProtocolSpec spec_of(std::string_view id, std::uint32_t inbound_max) {
  ProtocolSpec spec;
  spec.ids = {std::string(id)};
  spec.framing = Framing::raw;
  spec.send_queue_bytes_max = kSendQueueMax;
  spec.inbound_streams_per_peer_max = inbound_max;
  return spec;
}

}  // namespace

ProtocolSpec IdentifyService::ask_spec() {
  return spec_of(wire::kIdentifyProtocol, kAskStreamsMax);
}
ProtocolSpec IdentifyService::push_spec() {
  return spec_of(wire::kIdentifyPushProtocol, kPushStreamsMax);
}

IdentifyService::IdentifyService(IdentifyDriver& driver, Loop& loop, wire::IdentifyMaker maker,
                                 Duration push_delay)
    : driver_(driver), loop_(loop), maker_(std::move(maker)), push_delay_(push_delay) {}

IdentifyService::~IdentifyService() { loop_.arm(*this, kNever); }

void IdentifyService::set_indexes(ProtocolIndex ask, ProtocolIndex push) {
  ask_ = ask;
  push_ = push;
}

void IdentifyService::on_link_opened(LinkSlot link) {
  const StreamSlot stream = driver_.open_on_link(link, ask_);
  asked_.emplace(stream, Reading{link, {}});
}

void IdentifyService::announce(Now now) {
  if (std::exchange(announcing_, true)) return;
  loop_.arm(*this, later(now.mono, push_delay_));
}

void IdentifyService::on_alarm(Now now) {
  announcing_ = false;
  for (const LinkSlot link : driver_.push_targets())
    send_self(now, driver_.open_on_link(link, push_));
}

void IdentifyService::send_self(Now now, StreamSlot stream) {
  const Link* link = driver_.link_of(stream);
  if (link == nullptr) return;
  driver_.send(stream, maker_.make(now, driver_.identify_self(), link->remote), Priority::control,
               0);
  driver_.close(stream);
}

bool IdentifyService::read(Readings& readings, StreamSlot stream, const Bytes& data) {
  const auto found = readings.find(stream);
  if (found == readings.end() || !found->second.reader.on_data(data)) {
    driver_.reset(stream);
    return false;
  }
  driver_.release(stream, data.size());
  return true;
}

void IdentifyService::finish_asked(Now now, StreamSlot stream) {
  const auto found = asked_.find(stream);
  if (found == asked_.end()) return;
  Reading reading = std::move(found->second);
  asked_.erase(found);
  const PeerId* proven = driver_.proven_id(reading.link);
  if (proven == nullptr) return;
  auto facts = reading.reader.finish(*proven);
  if (facts)
    driver_.on_identified(now, reading.link, std::move(*facts));
  else
    driver_.on_identify_failed(now, reading.link, std::move(facts).error());
}

void IdentifyService::Asking::on_stream(Now now, StreamSlot stream, PeerSlot, std::string_view) {
  service_.send_self(now, stream);
}

void IdentifyService::Asking::on_data(Now, StreamSlot stream, Bytes data) {
  service_.read(service_.asked_, stream, data);
}

void IdentifyService::Asking::on_end(Now now, StreamSlot stream) {
  service_.driver_.close(stream);
  service_.finish_asked(now, stream);
}

// A stream that was reset after its message is as good as one that was ended.
void IdentifyService::Asking::on_closed(Now now, StreamSlot stream, const Error*) {
  service_.finish_asked(now, stream);
}

void IdentifyService::Pushing::on_stream(Now now, StreamSlot stream, PeerSlot, std::string_view) {
  const Link* link = service_.driver_.link_of(stream);
  if (link == nullptr) return;
  if (!service_.driver_.take_push(now, link->slot)) return service_.driver_.reset(stream);
  service_.pushed_.emplace(stream, Reading{link->slot, {}});
}

void IdentifyService::Pushing::on_data(Now, StreamSlot stream, Bytes data) {
  service_.read(service_.pushed_, stream, data);
}

void IdentifyService::Pushing::on_end(Now now, StreamSlot stream) {
  service_.driver_.close(stream);
  const auto found = service_.pushed_.find(stream);
  if (found == service_.pushed_.end()) return;
  Reading reading = std::move(found->second);
  service_.pushed_.erase(found);
  const PeerId* proven = service_.driver_.proven_id(reading.link);
  if (proven == nullptr) return;
  if (auto facts = reading.reader.finish(*proven))
    service_.driver_.on_pushed(now, reading.link, std::move(*facts));
}

void IdentifyService::Pushing::on_closed(Now, StreamSlot stream, const Error*) {
  service_.pushed_.erase(stream);
}

}  // namespace kith::host
