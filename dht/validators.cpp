#include "dht/validators.hpp"

namespace kith::dht {
namespace {
constexpr std::string_view kPublicKeyPrefix = "/pk/";
}

std::string_view namespace_of(ByteView key) {
  const std::string_view text = as_text(key);
  if (text.empty() || text.front() != '/') return {};
  const std::size_t end = text.find('/', 1);
  return end == std::string_view::npos ? std::string_view{} : text.substr(1, end - 1);
}

Result<void> PublicKeyValidator::validate(ByteView key, ByteView value, Wall) const {
  if (!as_text(key).starts_with(kPublicKeyPrefix))
    return fail(Errc::malformed, "a public key record whose key is not /pk/<peer id>");
  KITH_TRY(const PeerId named, PeerId::decode(key.subspan(kPublicKeyPrefix.size())));
  if (PeerId::of_public_key(value) != named)
    return fail(Errc::identity, "a public key that does not belong to the peer id of its record");
  return {};
}

const Validator* Validators::find(ByteView key) const {
  const auto found = of_.find(namespace_of(key));
  return found == of_.end() ? nullptr : found->second;
}

Result<void> Validators::validate(ByteView key, ByteView value, Wall now) const {
  const Validator* judge = find(key);
  if (judge == nullptr)
    return fail(Errc::refused, "a value record of no known namespace",
                "its key does not begin with a registered namespace, such as /pk/");
  return judge->validate(key, value, now);
}

bool Validators::better(ByteView key, ByteView holder, ByteView challenger) const {
  const Validator* judge = find(key);
  return judge != nullptr && !equal(holder, challenger) &&
         judge->select(key, holder, challenger) == 1;
}

}  // namespace kith::dht
