#include "services/bridge/http_server.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "services/bridge/router.hpp"
#include "tests/services/bridge/fake_backend.hpp"

namespace kith::bridge {
namespace {

const std::string kToken(64, 'a');

// A client that talks in the test's own thread, in step with the loop.
class Client {
 public:
  explicit Client(const std::string& path) {
    sockaddr_un addr{};
    addr.sun_family = AF_UNIX;
    path.copy(addr.sun_path, sizeof addr.sun_path - 1);
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&addr), sizeof addr) == 0;
  }
  ~Client() { hang_up(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  void send(std::string_view text) { (void)!::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  void hang_up() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  // What has come so far.
  const std::string& got() {
    char bytes[64 << 10];
    for (;;) {
      const ssize_t size = ::recv(fd_, bytes, sizeof bytes, 0);
      // A server that ends without having read all resets.
      if (size == 0 || (size < 0 && errno == ECONNRESET)) ended_ = true;
      if (size <= 0) return text_;
      text_.append(bytes, static_cast<std::size_t>(size));
    }
  }
  bool ended() {
    (void)got();
    return ended_;
  }
  bool connected() const { return connected_; }
  void forget() { text_.clear(); }

 private:
  int fd_ = -1;
  bool connected_ = false;
  bool ended_ = false;
  std::string text_;
};

class Server : public testing::Test {
 protected:
  Server() {
    std::string folder = testing::TempDir() + "kith-http-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
    path_ = folder_ + "/api.sock";
    EXPECT_TRUE(server_.listen(path_));
  }
  ~Server() override {
    server_.stop();
    std::filesystem::remove_all(folder_);
  }
  bool until(const std::function<bool()>& reached) { return loop_.run_until(reached, 5s); }
  bool comes(Client& client, std::string_view text) {
    return until([&] { return client.got().find(text) != std::string::npos; });
  }
  static std::string get(const std::string& path, const std::string& more = {}) {
    return "GET " + path + " HTTP/1.1\r\nHost: kith\r\nAuthorization: Bearer " + kToken + "\r\n" +
           more + "\r\n";
  }
  static std::string post(const std::string& path, const std::string& body) {
    return "POST " + path + " HTTP/1.1\r\nHost: kith\r\nAuthorization: Bearer " + kToken +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  static std::string subscribe() { return post("/api/v1/topics/subscribe", R"({"topic":"t"})"); }
  node::TopicMessage message(std::size_t size) {
    node::TopicMessage made;
    made.topic = "t";
    made.data = Bytes::copy(std::string(size, 'x'));
    return made;
  }

  net::AsioLoop loop_;
  FakeBackend backend_;
  NullLog log_;
  HttpServer server_{loop_, backend_, ApiGuard(kToken), log_};
  std::string folder_;
  std::string path_;
};

TEST_F(Server, its_socket_is_for_its_owner_only_and_goes_with_it) {
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  server_.stop();
  EXPECT_NE(::stat(path_.c_str(), &info), 0);
}

TEST_F(Server, a_connection_serves_one_call_after_the_other) {
  Client client(path_);
  for (int i = 0; i < 3; ++i) {
    client.forget();
    client.send(get("/api/v1/id"));
    ASSERT_TRUE(comes(client, "\"schema\":1"));
    EXPECT_TRUE(client.got().starts_with("HTTP/1.1 200 OK\r\n")) << client.got();
  }
  EXPECT_FALSE(client.ended());
}

TEST_F(Server, calls_that_come_at_once_are_answered_in_order) {
  Client client(path_);
  client.send(get("/api/v1/id") + get("/nothing") + get("/metrics", "Connection: close\r\n"));
  ASSERT_TRUE(until([&] { return client.ended(); }));
  const std::string& text = client.got();
  const std::size_t second = text.find("404 Not Found");
  EXPECT_NE(second, std::string::npos);
  EXPECT_LT(text.find("200 OK"), second);
  EXPECT_GT(text.find("kith_uptime_seconds"), second);
}

TEST_F(Server, a_request_streams_its_progress_and_its_end) {
  Client client(path_);
  client.send(subscribe());
  ASSERT_TRUE(comes(client, "started"));
  ASSERT_EQ(backend_.asked.size(), 1u);
  backend_.asked[0].sink->on_progress({}, {}, message(3));
  ASSERT_TRUE(comes(client, "\"eHh4\""));
  backend_.asked[0].sink->on_done({}, {}, node::Answer(node::Done{}));
  ASSERT_TRUE(comes(client, "\"done\""));
  ASSERT_TRUE(comes(client, "\r\n0\r\n\r\n"));
  client.forget();
  client.send(get("/api/v1/id"));  // the connection is good for more
  EXPECT_TRUE(comes(client, "200 OK"));
}

TEST_F(Server, a_request_that_is_done_at_once_is_answered) {
  backend_.answer_at_once = true;
  Client client(path_);
  client.send(subscribe());
  EXPECT_TRUE(comes(client, "\r\n0\r\n\r\n"));
}

TEST_F(Server, a_client_that_goes_away_cancels_its_request) {
  Client client(path_);
  client.send(subscribe());
  ASSERT_TRUE(comes(client, "started"));
  client.hang_up();
  EXPECT_TRUE(until([&] { return backend_.asked[0].sink == nullptr; }));
  EXPECT_TRUE(until([&] { return server_.sessions() == 0; }));
}

TEST_F(Server, a_client_that_does_not_read_loses_events_and_is_told_how_many) {
  Client client(path_);
  client.send(subscribe());
  ASSERT_TRUE(comes(client, "started"));
  constexpr int kMessages = 400;
  for (int i = 0; i < kMessages; ++i) backend_.asked[0].sink->on_progress({}, {}, message(12'000));
  backend_.asked[0].sink->on_done({}, {}, node::Answer(node::Done{}));
  ASSERT_TRUE(comes(client, "\"done\""));
  const std::string& text = client.got();
  int arrived = 0;
  for (std::size_t at = 0; (at = text.find("\"message\"", at)) != std::string::npos; ++at)
    ++arrived;
  EXPECT_LT(text.size(), 2 * kEventsMax);
  EXPECT_NE(text.find("\"gap\",\"dropped\":" + std::to_string(kMessages - arrived)),
            std::string::npos);
}

TEST_F(Server, an_endless_head_is_refused) {
  Client client(path_);
  client.send("GET / HTTP/1.1\r\nX: " + std::string(2 * kHeadMax, 'a'));
  ASSERT_TRUE(until([&] { return client.ended(); }));
  EXPECT_TRUE(client.got().starts_with("HTTP/1.1 431 ")) << client.got();
}

TEST_F(Server, a_body_beyond_the_bound_is_refused_by_its_length_alone) {
  Client client(path_);
  client.send("POST /api/v1/files/add HTTP/1.1\r\nHost: kith\r\nContent-Length: 1048577\r\n\r\n");
  ASSERT_TRUE(until([&] { return client.ended(); }));
  EXPECT_TRUE(client.got().starts_with("HTTP/1.1 413 ")) << client.got();
}

TEST_F(Server, what_is_not_http_is_refused_and_ended) {
  Client client(path_);
  client.send(std::string("\x13/multistream/1.0.0\n\r\n\r\n"));
  ASSERT_TRUE(until([&] { return client.ended(); }));
  EXPECT_TRUE(client.got().starts_with("HTTP/1.1 400 ")) << client.got();
}

TEST_F(Server, more_clients_than_the_bound_wait_their_turn) {
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < kSessionsMax + 4; ++i) {
    clients.push_back(std::make_unique<Client>(path_));
    ASSERT_TRUE(clients.back()->connected());
    clients.back()->send(get("/api/v1/id"));
  }
  ASSERT_TRUE(comes(*clients[kSessionsMax - 1], "200 OK"));
  EXPECT_EQ(server_.sessions(), kSessionsMax);
  EXPECT_EQ(clients.back()->got(), "");
  for (std::size_t i = 0; i < 4; ++i) clients[i]->hang_up();
  EXPECT_TRUE(comes(*clients.back(), "200 OK"));
}

TEST_F(Server, stopping_ends_requests_that_run) {
  Client client(path_);
  client.send(subscribe());
  ASSERT_TRUE(comes(client, "started"));
  server_.stop();
  EXPECT_TRUE(until([&] { return client.ended(); }));
  EXPECT_EQ(backend_.asked[0].sink, nullptr);
}

TEST_F(Server, an_old_socket_file_is_replaced) {
  server_.stop();
  ::close(::open(path_.c_str(), O_CREAT | O_WRONLY, 0644));
  HttpServer again(loop_, backend_, ApiGuard(kToken), log_);
  ASSERT_TRUE(again.listen(path_));
  Client client(path_);
  client.send(get("/api/v1/id"));
  EXPECT_TRUE(comes(client, "200 OK"));
}

TEST_F(Server, a_path_that_fits_no_socket_address_says_so) {
  HttpServer other(loop_, backend_, ApiGuard(kToken), log_);
  const auto listening = other.listen("/tmp/" + std::string(200, 'x'));
  ASSERT_FALSE(listening);
  EXPECT_EQ(listening.error().code, Errc::oversized);
  EXPECT_NE(listening.error().fix, "");
}

}  // namespace
}  // namespace kith::bridge
