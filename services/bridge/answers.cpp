#include "services/bridge/answers.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "schema/base/base_encoding.hpp"
#include "services/bridge/cstore_api.hpp"
#include "services/bridge/edil_api.hpp"
#include "services/bridge/poa_api.hpp"
#include "services/bridge/version.hpp"

namespace kith::bridge {
namespace {

namespace json = boost::json;

double ms_of(Duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

std::int64_t seconds_of(Duration time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

json::array texts(std::span<const std::string> from) {
  json::array out;
  for (const std::string& text : from) out.emplace_back(valid_utf8(text));
  return out;
}

json::array texts(const std::vector<Multiaddr>& from) {
  json::array out;
  for (const Multiaddr& addr : from) out.emplace_back(valid_utf8(addr.text()));
  return out;
}

json::array with_peer(const std::vector<Multiaddr>& from, const PeerId& id) {
  json::array out;
  for (const Multiaddr& addr : from) out.emplace_back(addr.with_peer_id(id).text());
  return out;
}

const char* mode_name(dht::Mode mode) { return mode == dht::Mode::server ? "server" : "client"; }

json::object peer_info(const dht::PeerInfo& peer) {
  return {{"id", peer.id.text()}, {"addrs", texts(peer.addrs)}};
}

json::object event(const node::PingReply& ping) {
  return {{"event", "ping"}, {"number", ping.number}, {"ms", ms_of(ping.round_trip)}};
}

json::object event(const node::TopicMessage& message) {
  return {{"event", "message"},
          {"from", message.from.text()},
          {"topic", valid_utf8(message.topic)},
          {"id", to_base64(message.id)},
          {"data", to_base64(message.data)}};
}

json::object event(const r1fs::FileProgress& file) {
  return {{"event", "progress"},          {"phase", std::string(r1fs::phase_name(file.phase))},
          {"bytes", file.bytes_done},     {"bytes_total", file.bytes_total},
          {"providers", file.providers},  {"keepers", file.keepers},
          {"note", valid_utf8(file.note)}};
}

json::object event(const dht::RoutingProgress& routing) {
  json::array found;
  for (const dht::PeerInfo& peer : routing.found) found.emplace_back(peer_info(peer));
  return {{"event", "lookup"},
          {"asked", routing.asked},
          {"answered", routing.answered},
          {"failed", routing.failed},
          {"found", std::move(found)}};
}

void add_counts(const dht::RoutingProgress& counts, json::object& out) {
  out["asked"] = counts.asked;
  out["answered"] = counts.answered;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : 4;
    std::uint32_t code = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    bool good = (lead < 0x80 || (lead >= 0xC2 && lead <= 0xF4)) && i + length <= text.size();
    for (std::size_t k = 1; good && k < length; ++k) {
      const auto next = static_cast<std::uint8_t>(text[i + k]);
      good = next >> 6 == 2;
      code = code << 6 | (next & 0x3Fu);
    }
    // Overlong forms, surrogates, and beyond the last code point.
    if (length == 3 && (code < 0x800 || (code >= 0xD800 && code <= 0xDFFF))) good = false;
    if (length == 4 && (code < 0x10000 || code > 0x10FFFF)) good = false;
    if (good) {
      out.append(text.substr(i, length));
    } else {
      out += "\xEF\xBF\xBD";
    }
    i += good ? length : 1;
  }
  return out;
}

json::object json_of(const node::Status& status) {
  json::array topics;
  for (const gossip::TopicView& topic : status.topics)
    topics.push_back(json::object{{"name", valid_utf8(topic.name)},
                                  {"mesh", topic.mesh},
                                  {"subscribers", topic.subscribers}});
  json::object out = json_of_id(status);
  out["version"] = std::string(kVersion);
  out["uptime_s"] = seconds_of(status.uptime);
  out["peers"] = status.peers;
  out["dht"] = json::object{{"peers", status.dht_peers}, {"mode", mode_name(status.dht_mode)}};
  out["topics"] = std::move(topics);
  out["storage"] = json::object{{"own_bytes", status.storage.own_bytes},
                                {"kept_bytes", status.storage.kept_bytes},
                                {"quota_bytes", status.storage.quota_bytes},
                                {"kept_quota_bytes", status.storage.kept_quota_bytes},
                                {"blocks", status.storage.blocks}};
  out["disk"] = json::object{{"used_bytes", status.disk.bytes_used},
                             {"free_bytes", status.disk.bytes_free},
                             {"floor_bytes", status.disk.bytes_floor},
                             {"writable", status.disk.writable}};
  out["blocks"] = json::object{{"in", status.blocks_in},
                               {"in_bytes", status.block_bytes_in},
                               {"out", status.blocks_out},
                               {"out_bytes", status.block_bytes_out},
                               {"duplicates_in", status.block_duplicates_in},
                               {"rubbish_in", status.block_rubbish_in}};
  return out;
}

json::object json_of_id(const node::Status& status) {
  return {{"schema", kSchema},
          {"id", status.id.text()},
          {"addrs", with_peer(status.addrs, status.id)},
          {"network", status.network_id},
          {"protocols", texts(status.protocols)}};
}

json::object json_of(const host::PeerStatus& peer, Now now) {
  return {{"id", peer.facts.id.text()},
          {"addr", peer.facts.remote.text()},
          {"direction", peer.facts.outbound ? "out" : "in"},
          {"agent", valid_utf8(peer.facts.agent)},
          {"protocols", texts(peer.facts.protocols.all())},
          {"round_trip_ms", ms_of(peer.round_trip)},
          {"bytes_in", peer.bytes_in},
          {"bytes_out", peer.bytes_out},
          {"connected_s", seconds_of(now.mono - peer.since)}};
}

json::object json_of(const r1fs::FileInfo& file) {
  json::array keepers;
  for (const PeerId& keeper : file.keepers) keepers.emplace_back(keeper.text());
  return {{"cid", file.cid.text()},
          {"name", valid_utf8(file.name)},
          {"bytes", file.bytes},
          {"blocks", file.blocks},
          {"blocks_held", file.blocks_held},
          {"visibility", file.visibility == r1fs::Visibility::local ? "local" : "public"},
          {"own", file.own},
          {"added_ms",
           std::chrono::duration_cast<std::chrono::milliseconds>(file.added.time_since_epoch())
               .count()},
          {"blocks_to_spread", file.blocks_to_spread},
          {"keepers", std::move(keepers)}};
}

json::object json_of(const Error& error) {
  return {{"code", std::string(code_name(error.code))},
          {"what", valid_utf8(error.what)},
          {"why", valid_utf8(error.why)},
          {"fix", valid_utf8(error.fix)}};
}

json::object json_of(const node::Progress& progress) {
  return std::visit([](const auto& kind) { return event(kind); }, progress);
}

void write_nothing(const node::Answer&, json::object&) {}

void write_peer(const node::Answer& answer, json::object& out) {
  if (const auto* connected = std::get_if<node::Connected>(&answer)) {
    out["id"] = connected->id.text();
    out["addr"] = connected->addr.text();
  } else if (const auto* pinged = std::get_if<node::Pinged>(&answer)) {
    out["id"] = pinged->id.text();
    out["sent"] = pinged->sent;
    out["received"] = pinged->received;
    out["min_ms"] = ms_of(pinged->min);
    out["mean_ms"] = ms_of(pinged->mean);
    out["max_ms"] = ms_of(pinged->max);
  } else if (const auto* echoed = std::get_if<node::Echoed>(&answer)) {
    out["ok"] = true;
    out["streams"] = echoed->streams;
    out["bytes"] = echoed->bytes;
    out["ms"] = ms_of(echoed->took);
  }
}

void write_published(const node::Answer& answer, json::object& out) {
  const auto* published = std::get_if<node::Published>(&answer);
  if (published == nullptr) return;
  out["id"] = to_base64(published->id);
  out["peers"] = published->peers;
}

void write_found(const node::Answer& answer, json::object& out) {
  const auto* routing = std::get_if<dht::RoutingAnswer>(&answer);
  if (routing == nullptr) return;
  out["addrs"] = json::array();
  if (!routing->peers.empty()) {
    out["id"] = routing->peers.front().id.text();
    out["addrs"] = texts(routing->peers.front().addrs);
  }
  add_counts(routing->counts, out);
}

void write_providers(const node::Answer& answer, json::object& out) {
  const auto* routing = std::get_if<dht::RoutingAnswer>(&answer);
  if (routing == nullptr) return;
  json::array providers;
  for (const dht::PeerInfo& peer : routing->peers) providers.emplace_back(peer_info(peer));
  out["providers"] = std::move(providers);
  add_counts(routing->counts, out);
}

void write_file(const node::Answer& answer, json::object& out) {
  const auto* file = std::get_if<r1fs::FileAnswer>(&answer);
  if (file == nullptr) return;
  for (auto& field : json_of(file->file)) out[field.key()] = field.value();
  out["bytes_fetched"] = file->bytes_fetched;
}

void write_files(const node::Answer& answer, json::object& out) {
  const auto* listed = std::get_if<r1fs::FileAnswer>(&answer);
  if (listed == nullptr) return;
  json::array files;
  for (const r1fs::FileInfo& file : listed->files) files.emplace_back(json_of(file));
  out["files"] = std::move(files);
}

void write_removed(const node::Answer& answer, json::object& out) {
  const auto* file = std::get_if<r1fs::FileAnswer>(&answer);
  if (file == nullptr) return;
  out["bytes_freed"] = file->bytes_freed;
}

}  // namespace kith::bridge
