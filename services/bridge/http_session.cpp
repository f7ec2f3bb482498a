#include "services/bridge/http_session.hpp"

#include <sys/socket.h>

#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cinttypes>
#include <cstdio>

#include "services/bridge/http_server.hpp"
#include "services/bridge/router.hpp"

namespace kith::bridge {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Protocol = asio::local::stream_protocol;
using Failed = boost::system::error_code;

constexpr std::size_t kReadAhead = 2 * kHeadMax;  // of the buffer between socket and parser

std::string field(const http::fields& fields, http::field name) {
  const auto value = fields[name];
  return {value.data(), value.size()};
}

HttpCall to_call(http::request<http::string_body>&& request) {
  HttpCall call;
  call.method = request.method() == http::verb::get    ? Method::get
                : request.method() == http::verb::post ? Method::post
                                                       : Method::other;
  call.target = {request.target().data(), request.target().size()};
  call.host = field(request, http::field::host);
  call.origin = field(request, http::field::origin);
  call.authorization = field(request, http::field::authorization);
  call.content_type = field(request, http::field::content_type);
  call.body = std::move(request.body());
  return call;
}

std::string head_of(unsigned status, std::string_view type, bool keep_alive) {
  const auto reason = http::obsolete_reason(http::int_to_status(status));
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  head.append(reason.data(), reason.size());
  head += "\r\nContent-Type: " + std::string(type) + "\r\nCache-Control: no-store\r\n";
  if (!keep_alive) head += "Connection: close\r\n";
  return head;
}

std::string chunk(std::string_view data) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + std::string(data) + "\r\n";
}

class Session final : public HttpSession,
                      public node::RequestSink,
                      public std::enable_shared_from_this<Session> {
 public:
  Session(Protocol::socket socket, SessionParts parts)
      : stream_(std::move(socket)), parts_(std::move(parts)) {}

  void start() override { read(); }

  void stop() override {
    parts_.gone = nullptr;
    end();
  }

 private:
  // --- one request
  void read() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(kHeadMax));
    parser_->body_limit(kBodyMax);
    stream_.expires_after(kRequestDeadline);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](Failed failed, std::size_t) { self->on_read(failed); });
  }

  void on_read(Failed failed) {
    if (ended_) return;
    if (failed == http::error::header_limit || failed == http::error::body_limit) {
      keep_alive_ = false;
      const bool head = failed == http::error::header_limit;
      return reply(problem(head ? 431 : 413, fail(Errc::oversized, "the request is too long")));
    }
    if (failed && failed.category() == http::make_error_code(http::error::bad_method).category() &&
        failed != http::error::end_of_stream && failed != http::error::partial_message) {
      keep_alive_ = false;
      return reply(problem(400, fail(Errc::malformed, "this is not HTTP", failed.message())));
    }
    if (failed) return end();
    keep_alive_ = parser_->get().keep_alive();
    const HttpCall call = to_call(parser_->release());
    Routed routed = route(call, parts_.guard, parts_.backend);
    if (const auto* answer = std::get_if<Reply>(&routed)) return reply(*answer);
    start_request(std::get<Start>(std::move(routed)));
  }

  void reply(const Reply& what) {
    std::string text = head_of(what.status, what.type, keep_alive_);
    if (!what.allow.empty()) text += "Allow: " + what.allow + "\r\n";
    text += "Content-Length: " + std::to_string(what.body.size()) + "\r\n\r\n" + what.body;
    answered_ = true;
    write(std::move(text));
  }

  void start_request(Start what) {
    write_answer_ = what.write;
    running_ = true;
    write(head_of(200, kJsonLines, keep_alive_) + "Transfer-Encoding: chunked\r\n\r\n" +
          chunk(R"({"schema":1,"event":"started"})"
                "\n"));
    watch();
    parts_.backend.start(std::move(what.what.request), what.what.deadline, *this);
  }

  void on_progress(Now, RequestId, const node::Progress& progress) override {
    if (!running_) return;
    if (waiting_.size() > kEventsMax) {
      ++dropped_;
      return;
    }
    tell_gap();
    write(chunk(progress_line(progress)));
  }

  void on_done(Now, RequestId, Result<node::Answer> answer) override {
    if (!running_) return;
    running_ = false;
    answered_ = true;
    tell_gap();
    write(chunk(done_line(answer, write_answer_)) + "0\r\n\r\n");
  }

  void tell_gap() {
    if (dropped_ == 0) return;
    write(chunk(gap_line(std::exchange(dropped_, 0))));
  }

  // A client that hangs up while its request runs does not want the answer any more. Bytes are the
  // next request, which waits its turn.
  void watch() {
    const std::uint64_t watched = ++watches_;
    stream_.socket().async_wait(Protocol::socket::wait_read,
                                [self = shared_from_this(), watched](Failed failed) {
                                  if (!self->running_ || self->watches_ != watched) return;
                                  if (failed || self->hung_up()) self->end();
                                });
  }

  bool hung_up() {
    char byte = 0;
    return ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

  // --- output: one write under way, the rest waits in one string
  void write(std::string text) {
    if (ended_) return;
    waiting_ += text;
    if (!writing_) flush();
  }

  void flush() {
    leaving_ = std::exchange(waiting_, {});
    writing_ = true;
    stream_.expires_after(kWriteDeadline);
    asio::async_write(
        stream_, asio::buffer(leaving_),
        [self = shared_from_this()](Failed failed, std::size_t) { self->on_written(failed); });
  }

  void on_written(Failed failed) {
    writing_ = false;
    if (ended_) return;
    if (failed) return end();
    if (!waiting_.empty()) return flush();
    if (!answered_) return;
    answered_ = false;
    if (!keep_alive_) return end();
    read();
  }

  void end() {
    if (std::exchange(ended_, true)) return;
    const auto self = shared_from_this();  // gone() lets go of us
    if (std::exchange(running_, false)) parts_.backend.drop_sink(*this);
    Failed ignored;
    stream_.socket().shutdown(Protocol::socket::shutdown_both, ignored);
    stream_.close();
    if (const auto gone = std::exchange(parts_.gone, nullptr)) gone();
  }

  beast::basic_stream<Protocol> stream_;
  SessionParts parts_;
  beast::flat_buffer buffer_{kReadAhead};
  std::optional<http::request_parser<http::string_body>> parser_;
  WriteAnswer write_answer_ = write_nothing;
  std::string waiting_;
  std::string leaving_;
  std::uint64_t watches_ = 0;
  std::uint64_t dropped_ = 0;
  bool keep_alive_ = false;
  bool running_ = false;   // a request of the backend
  bool answered_ = false;  // all of the answer is in waiting_ or leaving_
  bool writing_ = false;
  bool ended_ = false;
};

}  // namespace

std::shared_ptr<HttpSession> make_session(Protocol::socket socket, SessionParts parts) {
  return std::make_shared<Session>(std::move(socket), std::move(parts));
}

}  // namespace kith::bridge
