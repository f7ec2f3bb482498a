// Validators: who judges which value record. A key is "/<namespace>/<rest>"; a key without a
// namespace, or of one that nobody registered, is refused, for storing, serving and reading alike:
// otherwise any stranger stores anything here, unchecked (CVE-2026-45783).
//
// "/pk/<peer id>" is built in: the value is the peer's encoded public key, which the id names by
// hash, so there is one valid value.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "dht/routing.hpp"

namespace kith::dht {

// The namespace of `key`; empty: it has none.
std::string_view namespace_of(ByteView key);

class PublicKeyValidator final : public Validator {
 public:
  Result<void> validate(ByteView key, ByteView value, Wall now) const override;
  int select(ByteView, ByteView, ByteView) const override { return 0; }
};

class Validators {
 public:
  Validators() { add("pk", public_key_); }
  Validators(const Validators&) = delete;
  Validators& operator=(const Validators&) = delete;

  // `validator` outlives this. Before the first event.
  void add(std::string name, const Validator& validator) { of_[std::move(name)] = &validator; }
  Result<void> validate(ByteView key, ByteView value, Wall now) const;
  // Is `challenger` better than `holder`? Both are valid under `key`. Equal is not better.
  bool better(ByteView key, ByteView holder, ByteView challenger) const;

 private:
  const Validator* find(ByteView key) const;

  PublicKeyValidator public_key_;
  std::map<std::string, const Validator*, std::less<>> of_;
};

}  // namespace kith::dht
