// ApiGuard: who may ask. Every call needs the token and an allowed Host; a call with an Origin
// comes from a browser's page and is refused until pages are served.
//
// Attackers: another user of the machine who reaches the socket; a web page that reaches a loopback
// port by DNS rebinding (its Host is the page's name) or by a plain form (it cannot set
// Authorization). The token is compared in constant time.
#pragma once

#include <string>

#include "schema/base/result.hpp"
#include "services/bridge/http_call.hpp"

namespace kith::bridge {

class ApiGuard {
 public:
  explicit ApiGuard(std::string token) : token_(std::move(token)) {}
  // Errors: refused (Host, Origin), permission (token).
  Result<void> admit(const HttpCall& call) const;

 private:
  std::string token_;
};

}  // namespace kith::bridge
