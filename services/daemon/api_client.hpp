// ApiClient: the command line's side of the API: one blocking connection to the Unix socket, one
// call on it. By hand, without Asio: it starts in a millisecond and reads one answer.
//
// The daemon is of the same user and home, so it is trusted; sizes are bounded all the same.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "services/daemon/home.hpp"

namespace kith::daemon {

inline constexpr std::size_t kLineMax = 4u << 20;       // of an answer
inline constexpr std::chrono::milliseconds kTick{250};  // how often a waiting caller is asked

class ApiClient {
 public:
  // None: nobody listens there.
  static std::optional<ApiClient> connect(const Home& home);
  ApiClient(ApiClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ApiClient& operator=(ApiClient&&) = delete;
  ~ApiClient();

  // Sees every line but the last; an error ends the call (the daemon then cancels the request).
  using OnLine = std::function<Result<void>(const boost::json::object&)>;
  // While nothing comes; an error ends the call.
  using OnTick = std::function<Result<void>()>;
  struct Call {
    std::string method = "GET";
    std::string path;
    boost::json::object body;
    OnLine on_line;
    OnTick on_tick;
  };
  // The answer's object, or the last line's ("done", without its `event`). Errors are the daemon's,
  // or closed when it went away.
  Result<boost::json::object> call(const Home& home, const Call& what);

 private:
  explicit ApiClient(int fd) : fd_(fd) {}
  Result<void> send(std::string_view text);
  Result<void> fill(const OnTick& on_tick);  // more into buffer_
  Result<std::string> take_line(const OnTick& on_tick, std::string_view end);
  Result<std::string> take_bytes(std::size_t size, const OnTick& on_tick);
  Result<boost::json::object> read_lines(const Call& what);

  int fd_;
  std::string buffer_;
};

}  // namespace kith::daemon
