// ValueRecords: value records that others put here because we are near their keys, and our own
// (libp2p/specs kad-dht, "Value storage").
//
// Rules
// * Only what the namespace's validator accepts is stored, and only over a worse or equal value.
// * A record lives kValueLifetime from when it was last put, by the wall clock.
// * A value has at most kStoredValueMax bytes. In all at most values_max records, an eighth of that
//   from one source. When full, one of a source that holds more than the newcomer's goes (best of
//   kEvictionDraws random keys); otherwise the newcomer is refused.
// * All that changes is persisted, and loaded (and validated) again after a restart.
// Attacker: who fills the disk with endless records (CVE-2026-45783), or puts an old value back.
#pragma once

#include "dht/provider_records.hpp"
#include "dht/validators.hpp"

namespace kith::dht {

inline constexpr Duration kValueLifetime = 36h;
inline constexpr std::size_t kStoredValueMax = 4u << 10;
inline constexpr std::size_t kValuesMax = 4096;  // 16 MiB of values at most

class ValueRecords {
 public:
  ValueRecords(const Validators& validators, Rng rng, std::size_t values_max = kValuesMax)
      : validators_(&validators), rng_(rng), values_max_(values_max) {}

  // Errors: oversized, what the validator says, refused (we hold a better one, or have no room).
  Result<void> put(Wall now, ByteView key, ByteView value, Source source, Effects& out);
  void load(Wall now, const StoredValue& stored, Effects& out);
  struct Held {
    Bytes value;
    Wall received{};
  };
  // Null: none that is valid now.
  const Held* find(Wall now, ByteView key) const;
  void sweep(Wall now, Effects& out);
  std::size_t size() const { return values_.size(); }

 private:
  struct Record {
    Held held;
    Source source = 0;
  };
  struct Less {
    using is_transparent = void;
    bool operator()(ByteView a, ByteView b) const { return order(a, b) < 0; }
  };
  using Values = std::map<Bytes, Record, Less>;

  bool evict_heavier(Source source, Effects& out);
  Values::iterator erase(Values::iterator at, Effects& out);

  const Validators* validators_;
  Rng rng_;
  std::size_t values_max_;
  Values values_;
  SourceQuota quota_;
  Bytes swept_;
};

}  // namespace kith::dht
