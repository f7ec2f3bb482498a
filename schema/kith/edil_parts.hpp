// What EDIL's messages are made of, between Cap'n Proto and plain structs; for edil_*.cpp only.
#pragma once

#include "schema/kith/edil_messages.hpp"
#include "schema/kith/flat_message.hpp"

#include "edil.capnp.h"

namespace kith::schema::edil {

Result<Sha256Digest> read_digest(capnp::Data::Reader from);
Result<Cid> read_cid(capnp::Data::Reader from);  // version 1, SHA-256: at most 40 bytes
Result<PeerId> read_peer(capnp::Data::Reader from);
Result<Bytes> read_signature(capnp::Data::Reader from);
Result<EdilMember> read_member(wire::EdilMember::Reader from);
void write_member(wire::EdilMember::Builder to, const EdilMember& member);
Result<EdilSigned> read_signed(wire::EdilSigned::Reader from);
void write_signed(wire::EdilSigned::Builder to, const EdilSigned& record);

}  // namespace kith::schema::edil
