#include "services/edil/records.hpp"

namespace kith::edil {

std::string domain_of(std::string_view network_id, Kind kind) {
  constexpr std::string_view kNames[] = {"task", "join", "close", "update"};
  std::string domain = "kith/";
  domain += network_id;
  domain += "/edil/";
  domain += kNames[static_cast<std::size_t>(kind)];
  return domain + "/1";
}

bool holds(std::string_view network_id, const Check& check) {
  const auto key = crypto::PublicKey::of_peer(check.signer);
  return key && crypto::verify_in_domain(*key, domain_of(network_id, check.kind),
                                         {check.content.view()}, check.signature);
}

schema::EdilSigned sign(const crypto::Identity& identity, std::string_view network_id, Kind kind,
                        Bytes body) {
  const crypto::Signature signature =
      crypto::sign_in_domain(identity, domain_of(network_id, kind), {body.view()});
  return {identity.id(), std::move(body), Bytes::copy(signature)};
}

Check check_of(Kind kind, const schema::EdilSigned& record) {
  return {kind, record.signer, record.body, record.signature};
}

bool shows_to_all(const Error& error) {
  switch (error.code) {
    case Errc::malformed:
    case Errc::oversized:
    case Errc::truncated:
    case Errc::unsupported:
    case Errc::configuration:
    case Errc::identity:
    case Errc::signature:
      return true;
    default:
      return false;
  }
}

Bytes update_content(const schema::TaskId& task, std::uint32_t round, const Cid& base,
                     std::uint32_t samples, const Sha256Digest& hash) {
  // Fixed lengths but for the CID, which stands last.
  std::vector<std::uint8_t> out(task.begin(), task.end());
  for (const std::uint32_t number : {round, samples})
    for (int shift = 0; shift < 32; shift += 8)
      out.push_back(static_cast<std::uint8_t>(number >> shift));
  out.insert(out.end(), hash.begin(), hash.end());
  const Bytes cid = base.bytes();
  out.insert(out.end(), cid.begin(), cid.end());
  return Bytes::adopt(std::move(out));
}

schema::EdilMember sign_update(const crypto::Identity& identity, std::string_view network_id,
                               const schema::TaskId& task, std::uint32_t round, const Cid& base,
                               std::uint32_t samples, const Sha256Digest& hash) {
  const Bytes content = update_content(task, round, base, samples, hash);
  const crypto::Signature signature =
      crypto::sign_in_domain(identity, domain_of(network_id, Kind::update), {content.view()});
  return {identity.id(), samples, hash, Bytes::copy(signature)};
}

Check check_of(const schema::TaskId& task, std::uint32_t round, const Cid& base,
               const schema::EdilMember& member) {
  return {Kind::update, member.contributor,
          update_content(task, round, base, member.samples, member.hash), member.signature};
}

}  // namespace kith::edil
