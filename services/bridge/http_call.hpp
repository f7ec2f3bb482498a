// One HTTP request and its answer, without sockets: what the router is given and gives back.
#pragma once

#include <string>
#include <string_view>

namespace kith::bridge {

inline constexpr std::size_t kHeadMax = 8u << 10;  // bytes of a request's line and fields
inline constexpr std::size_t kBodyMax = 1u << 20;  // bytes of a request's body

enum class Method : std::uint8_t { get, post, other };

struct HttpCall {
  Method method = Method::other;
  std::string target;         // path, as sent
  std::string host;           // Host
  std::string origin;         // Origin: a browser's page asks
  std::string authorization;  // Authorization
  std::string content_type;   // Content-Type
  std::string body;
};

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kJsonLines = "application/x-ndjson";
inline constexpr std::string_view kProblem = "application/problem+json";
inline constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

struct Reply {
  unsigned status = 200;
  std::string type{kJson};
  std::string body;
  std::string allow;  // methods, with status 405
};

}  // namespace kith::bridge
