#include "services/bridge/guard.hpp"

#include <array>

#include "net/crypto/secret.hpp"

namespace kith::bridge {
namespace {

constexpr std::array<std::string_view, 2> kHosts{"kith", "localhost"};

bool allowed_host(std::string_view host) {
  const std::string_view name = host.substr(0, host.find(':'));
  for (const std::string_view known : kHosts)
    if (name == known) return true;
  return false;
}

}  // namespace

Result<void> ApiGuard::admit(const HttpCall& call) const {
  if (!allowed_host(call.host))
    return fail(Errc::refused, "this Host is not allowed",
                "a page of another name may be asking through your browser",
                "send 'Host: kith' or 'Host: localhost'");
  if (!call.origin.empty())
    return fail(Errc::refused, "this Origin is not allowed", "no web page may use this API",
                "ask from a program, without an Origin field");
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view given = call.authorization;
  if (given.substr(0, kScheme.size()) != kScheme ||
      !crypto::equal_in_constant_time(as_bytes(given.substr(kScheme.size())), as_bytes(token_)))
    return fail(Errc::permission, "the token is missing or wrong", {},
                "send 'Authorization: Bearer TOKEN' with what api.token of the home folder holds");
  return {};
}

}  // namespace kith::bridge
