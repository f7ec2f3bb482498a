// Records: what EDIL signs, and the checks of it. Each kind has a domain of its own that holds the
// network's id, so that nothing signed for one purpose or network is good for another.
#pragma once

#include "net/crypto/signing.hpp"
#include "schema/kith/edil_messages.hpp"

namespace kith::edil {

enum class Kind : std::uint8_t { task, join, close, update };

std::string domain_of(std::string_view network_id, Kind kind);

// One signature to check, on any thread.
struct Check {
  Kind kind = Kind::task;
  PeerId signer;
  Bytes content;
  Bytes signature;
};
[[nodiscard]] bool holds(std::string_view network_id, const Check& check);

schema::EdilSigned sign(const crypto::Identity& identity, std::string_view network_id, Kind kind,
                        Bytes body);
Check check_of(Kind kind, const schema::EdilSigned& record);

// Whether whoever passes it on can see it as we do: then it is to blame. Not so what depends on
// clocks, on what else was seen, or on the connection.
[[nodiscard]] bool shows_to_all(const Error& error);

// What a contributor signs of its update.
Bytes update_content(const schema::TaskId& task, std::uint32_t round, const Cid& base,
                     std::uint32_t samples, const Sha256Digest& hash);
schema::EdilMember sign_update(const crypto::Identity& identity, std::string_view network_id,
                               const schema::TaskId& task, std::uint32_t round, const Cid& base,
                               std::uint32_t samples, const Sha256Digest& hash);
Check check_of(const schema::TaskId& task, std::uint32_t round, const Cid& base,
               const schema::EdilMember& member);

}  // namespace kith::edil
