// UpdateTable: the updates of one task, as they come in parts, by base and contributor.
//
// Rules: the first part names the update (samples, hash, signature); parts of another update of the
// same contributor to the same base are not taken. A part counts once. When all are there the whole
// is compared with its hash and format. Whole updates of the bases that keep() names stay, for
// those who come late.
//
// Bounds: kContributorsMax a base, kBasesMax bases, and the length of an update follows from the
// task's model: a part of any other length is refused before it is copied.
#pragma once

#include <map>
#include <optional>

#include "gossip/gossip.hpp"
#include "services/edil/update.hpp"

namespace kith::edil {

inline constexpr std::size_t kBasesMax = 3;

class UpdateTable {
 public:
  struct Entry {
    schema::EdilMember member;
    std::uint32_t round = 0;
    bool verified = false;     // the member's signature
    bool broken = false;       // the whole is not what its hash says
    bool equivocated = false;  // its contributor signed another one, too
    std::vector<Bytes> parts;
    std::size_t missing = 0;
    Bytes payload;  // when whole
    std::vector<gossip::JudgeSlot> waiting;
    bool whole() const { return verified && !payload.empty(); }
  };

  explicit UpdateTable(std::size_t parameters) : parameters_(parameters) {}

  std::uint16_t parts() const;
  std::size_t bytes_of(std::uint16_t index) const;  // of that part

  enum class Put : std::uint8_t { fresh, more, duplicate, other, full, broken };
  // `part` has the right count and length. fresh: the first of its update.
  Put put(const schema::EdilPart& part);
  // Errors: of check_payload; identity when the hash does not fit.
  Result<void> put_whole(const Cid& base, std::uint32_t round, const schema::EdilMember& member,
                         Bytes payload);
  // After the last part: false when the whole is not what it should be.
  bool close_parts(Entry& entry);

  Entry* find(const Cid& base, const PeerId& contributor);
  const Entry* find(const Cid& base, const PeerId& contributor) const;
  // A whole update of this very member.
  const Entry* find_whole(const Cid& base, const schema::EdilMember& member) const;
  void erase(const Cid& base, const PeerId& contributor);
  std::vector<const Entry*> whole(const Cid& base) const;  // ascending by contributor
  // Drops all other bases.
  void keep(const std::vector<Cid>& bases);

 private:
  std::size_t parameters_;
  std::map<Cid, std::map<PeerId, Entry>> entries_;
};

bool same_update(const schema::EdilMember& a, const schema::EdilMember& b);

}  // namespace kith::edil
