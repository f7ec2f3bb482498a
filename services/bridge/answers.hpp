// From a node's answers to JSON. Peer ids and CIDs in their usual text, multiaddrs as text, bytes
// in base64, times in milliseconds, sizes in bytes; text from peers is made valid UTF-8. Fields
// only ever join; kSchema grows when one changes its meaning.
#pragma once

#include <boost/json/object.hpp>

#include "services/node/node.hpp"

namespace kith::bridge {

boost::json::object json_of(const node::Status& status);
boost::json::object json_of(const host::PeerStatus& peer, Now now);
boost::json::object json_of_id(const node::Status& status);  // addresses end in /p2p
boost::json::object json_of(const r1fs::FileInfo& file);
boost::json::object json_of(const Error& error);
// {"event":"ping"|"message"|"progress"|"lookup", ...}
boost::json::object json_of(const node::Progress& progress);

// The fields of a last line, by what was asked.
using WriteAnswer = void (*)(const node::Answer&, boost::json::object& out);
void write_nothing(const node::Answer& answer, boost::json::object& out);
void write_peer(const node::Answer& answer, boost::json::object& out);
void write_published(const node::Answer& answer, boost::json::object& out);
void write_found(const node::Answer& answer, boost::json::object& out);      // id, addrs
void write_providers(const node::Answer& answer, boost::json::object& out);  // providers
void write_file(const node::Answer& answer, boost::json::object& out);
void write_files(const node::Answer& answer, boost::json::object& out);
void write_removed(const node::Answer& answer, boost::json::object& out);

// `text`, with what is not UTF-8 replaced.
std::string valid_utf8(std::string_view text);

}  // namespace kith::bridge
