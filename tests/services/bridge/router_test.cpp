#include "services/bridge/router.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "tests/services/bridge/fake_backend.hpp"

namespace kith::bridge {
namespace {

const std::string kToken(64, 'a');

class ApiRouter : public testing::Test {
 protected:
  static HttpCall call(Method method, std::string target, std::string body = {}) {
    HttpCall made;
    made.method = method;
    made.target = std::move(target);
    made.host = "kith";
    made.authorization = "Bearer " + kToken;
    made.content_type = "application/json";
    made.body = std::move(body);
    return made;
  }
  Reply reply(const HttpCall& what) {
    Routed routed = route(what, guard, backend);
    const auto* answer = std::get_if<Reply>(&routed);
    return answer == nullptr ? Reply{0, {}, {}, {}} : *answer;
  }
  template <class T>
  T request(std::string target, std::string body) {
    Routed routed = route(call(Method::post, std::move(target), std::move(body)), guard, backend);
    auto* start = std::get_if<Start>(&routed);
    if (start == nullptr) {
      ADD_FAILURE() << std::get<Reply>(routed).body;
      return {};
    }
    last = start->what.deadline;
    return std::get<T>(start->what.request);
  }
  static boost::json::object object(const std::string& text) {
    return boost::json::parse(text).as_object();
  }

  FakeBackend backend;
  ApiGuard guard{kToken};
  Duration last{};
};

constexpr const char* kGets[] = {"/api/v1/status", "/api/v1/id",      "/api/v1/peers",
                                 "/api/v1/topics", "/api/v1/storage", "/metrics"};
constexpr const char* kPosts[] = {
    "/api/v1/peers/connect",    "/api/v1/peers/ping",    "/api/v1/peers/echo",
    "/api/v1/dht/find",         "/api/v1/dht/providers", "/api/v1/topics/publish",
    "/api/v1/topics/subscribe", "/api/v1/files/add",     "/api/v1/files/get",
    "/api/v1/files/stat",       "/api/v1/files/rm",      "/api/v1/shutdown"};

TEST_F(ApiRouter, every_route_refuses_every_wrong_host_method_and_token) {
  std::vector<std::pair<const char*, Method>> all;
  for (const char* path : kGets) all.emplace_back(path, Method::get);
  for (const char* path : kPosts) all.emplace_back(path, Method::post);
  all.emplace_back("/api/v1/files", Method::get);
  const std::vector<std::string> tokens{
      "Bearer " + kToken, "",     "Bearer " + kToken + "a",
      "Bearer ",          kToken, "Bearer " + std::string(64, 'b')};
  for (const auto& [path, right] : all)
    for (const std::string host :
         {"kith", "localhost", "localhost:4701", "", "evil.example", "kith.evil"})
      for (const Method method : {Method::get, Method::post, Method::other})
        for (const std::string& token : tokens) {
          HttpCall asked = call(method, path, "{}");
          asked.host = host;
          asked.authorization = token;
          const unsigned status = reply(asked).status;
          const bool good_host = host == "kith" || host.starts_with("localhost");
          const unsigned refusal = !good_host           ? 403
                                   : token != tokens[0] ? 401
                                   : method != right    ? 405
                                                        : 0;
          const std::string name = std::string(path) + " " + host + " " + token;
          if (refusal != 0) {
            EXPECT_EQ(status, refusal) << name;
          } else {  // a reply, a request (0), or a body that lacks what it needs
            EXPECT_TRUE(status == 0 || status == 200 || status == 202 || status == 400) << name;
          }
        }
  EXPECT_EQ(backend.shut_downs, 3);  // once for each host that is allowed
  EXPECT_TRUE(backend.asked.empty());
}

TEST_F(ApiRouter, a_page_of_a_browser_is_refused_with_the_right_token_too) {
  HttpCall asked = call(Method::post, "/api/v1/shutdown");
  asked.origin = "http://localhost";
  EXPECT_EQ(reply(asked).status, 403u);
  EXPECT_EQ(backend.shut_downs, 0);
}

TEST_F(ApiRouter, a_form_cannot_post) {
  HttpCall asked = call(Method::post, "/api/v1/shutdown");
  for (const char* type :
       {"", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"}) {
    asked.content_type = type;
    EXPECT_EQ(reply(asked).status, 415u) << type;
  }
  asked.content_type = "application/json; charset=utf-8";
  EXPECT_EQ(reply(asked).status, 202u);
}

TEST_F(ApiRouter, a_wrong_method_names_the_right_one) {
  EXPECT_EQ(reply(call(Method::get, "/api/v1/shutdown")).allow, "POST");
  EXPECT_EQ(reply(call(Method::post, "/api/v1/status")).allow, "GET");
}

TEST_F(ApiRouter, an_unknown_path_names_the_nearest) {
  const Reply answer = reply(call(Method::get, "/api/v1/statsu"));
  EXPECT_EQ(answer.status, 404u);
  EXPECT_EQ(answer.type, kProblem);
  EXPECT_NE(answer.body.find("/api/v1/status"), std::string::npos);
  EXPECT_EQ(reply(call(Method::get, "")).status, 404u);
}

TEST_F(ApiRouter, a_problem_has_code_what_why_and_fix) {
  const auto problem_object = object(reply(call(Method::post, "/api/v1/dht/find", "{")).body);
  EXPECT_EQ(problem_object.at("code").as_string(), "KITH-MALFORMED");
  EXPECT_EQ(problem_object.at("status").to_number<int>(), 400);
  EXPECT_EQ(problem_object.at("schema").to_number<int>(), 1);
  for (const char* key : {"what", "why", "fix", "title"})
    EXPECT_TRUE(problem_object.at(key).is_string()) << key;
}

TEST_F(ApiRouter, status_tells_what_the_node_tells) {
  backend.state.id = PeerId::parse(kPeerText).value();
  backend.state.network_id = "home-1a2b3c4d";
  backend.state.addrs = {Multiaddr::parse("/ip4/127.0.0.1/tcp/4700").value()};
  backend.state.protocols = {"/ipfs/ping/1.0.0"};
  backend.state.peers = 3;
  backend.state.topics = {{"chat", 2, 5}};
  backend.state.disk.writable = false;
  const auto status = object(reply(call(Method::get, "/api/v1/status?x=1")).body);
  EXPECT_EQ(status.at("schema").to_number<int>(), 1);
  EXPECT_EQ(status.at("id").as_string(), kPeerText);
  EXPECT_EQ(status.at("addrs").as_array().at(0).as_string(),
            "/ip4/127.0.0.1/tcp/4700/p2p/" + std::string(kPeerText));
  EXPECT_EQ(status.at("network").as_string(), "home-1a2b3c4d");
  EXPECT_EQ(status.at("peers").to_number<int>(), 3);
  EXPECT_EQ(status.at("topics").as_array().at(0).at("subscribers").to_number<int>(), 5);
  EXPECT_FALSE(status.at("disk").at("writable").as_bool());
}

TEST_F(ApiRouter, metrics_are_prometheus_text_with_a_type_for_each_family) {
  backend.state.block_bytes_in = 77;
  const Reply answer = reply(call(Method::get, "/metrics"));
  EXPECT_NE(answer.body.find("kith_block_bytes_total{direction=\"in\"} 77\n"), std::string::npos);
  std::set<std::string> typed;
  for (std::size_t at = 0; at < answer.body.size();) {
    const std::size_t end = answer.body.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    const std::string line = answer.body.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("# TYPE ")) typed.insert(line.substr(7, line.find(' ', 7) - 7));
    if (line.starts_with('#')) continue;
    EXPECT_TRUE(typed.contains(line.substr(0, line.find_first_of("{ ")))) << line;
  }
}

TEST_F(ApiRouter, peers_are_dialled_at_the_address_that_was_sent) {
  const std::string addr = "/ip4/1.2.3.4/tcp/5/p2p/" + std::string(kPeerText);
  const auto connect =
      request<node::PeerConnect>("/api/v1/peers/connect", R"({"addr":")" + addr + R"("})");
  EXPECT_EQ(connect.addr.text(), addr);
  EXPECT_EQ(last, 30s);
  const auto ping = request<node::PeerPing>(
      "/api/v1/peers/ping", R"({"id":")" + std::string(kPeerText) + R"(","count":7})");
  EXPECT_EQ(ping.id.text(), kPeerText);
  EXPECT_EQ(ping.count, 7u);
  const auto by_addr =
      request<node::PeerPing>("/api/v1/peers/ping", R"({"addr":")" + addr + R"("})");
  EXPECT_EQ(by_addr.id.text(), kPeerText);
  EXPECT_EQ(by_addr.addr.text(), addr);
}

TEST_F(ApiRouter, a_deadline_is_taken_from_the_body) {
  request<node::FileGet>("/api/v1/files/get", R"({"cid":")" + std::string(kCidText) +
                                                  R"(","path":"/a/b","timeout_ms":1500})");
  EXPECT_EQ(last, 1500ms);
}

TEST_F(ApiRouter, a_file_is_added_as_public_or_local_and_never_by_default) {
  const auto add = request<node::FileAdd>(
      "/api/v1/files/add", R"({"path":"/a/b.txt","visibility":"public","spread":2})");
  EXPECT_EQ(add.what.path, "/a/b.txt");
  EXPECT_EQ(add.what.name, "b.txt");
  EXPECT_EQ(add.what.visibility, r1fs::Visibility::public_);
  EXPECT_EQ(add.what.spread, 2u);
  const auto local = request<node::FileAdd>(
      "/api/v1/files/add", R"({"path":"/a/b.txt","visibility":"local","name":"c"})");
  EXPECT_EQ(local.what.visibility, r1fs::Visibility::local);
  EXPECT_EQ(local.what.name, "c");
  for (const char* body :
       {R"({"path":"/a"})", R"({"path":"/a","visibility":"all"})",
        R"({"path":"/a","visibility":"local","spread":1})", R"({"path":"a","visibility":"public"})",
        R"({"path":"/a\u0000b","visibility":"public"})", R"({"visibility":"public"})"})
    EXPECT_EQ(reply(call(Method::post, "/api/v1/files/add", body)).status, 400u) << body;
}

TEST_F(ApiRouter, a_message_is_base64_and_fits_gossip) {
  const auto publish =
      request<node::TopicPublish>("/api/v1/topics/publish", R"({"topic":"t","data":"aGk="})");
  EXPECT_EQ(publish.data.text(), "hi");
  EXPECT_EQ(publish.topic, "t");
  EXPECT_EQ(request<node::TopicPublish>("/api/v1/topics/publish", R"({"topic":"t","data":""})")
                .data.size(),
            0u);
  const std::string long_data((gossip::kGossipDataMax / 3 + 1) * 4, 'A');
  const Reply refused = reply(call(Method::post, "/api/v1/topics/publish",
                                   R"({"topic":"t","data":")" + long_data + R"("})"));
  EXPECT_EQ(refused.status, 400u);
  EXPECT_NE(refused.body.find("KITH-OVERSIZED"), std::string::npos);
}

TEST_F(ApiRouter, bodies_that_do_not_fit_are_refused) {
  for (const char* body :
       {"[]", "1", "null", "\"a\"", "{\"addr\":1}", "{\"addr\":\"\"}", "{\"addr\":\"/ip4/1\"}",
        "{\"addr\":\"/ip4/1.2.3.4/tcp/1\",\"adr\":1}",  // unknown field
        "{\"addr\":\"/ip4/1.2.3.4/tcp/1\",\"timeout_ms\":-1}",
        "{\"addr\":\"/ip4/1.2.3.4/tcp/1\",\"timeout_ms\":1.5}",
        "{\"addr\":\"/ip4/1.2.3.4/tcp/1\",\"timeout_ms\":18446744073709551615}",
        "{\"addr\":[[[[[[[[[[1]]]]]]]]]]}", "{\"addr\":\"/ip4/1.2.3.4/tcp/1\"} x"})
    EXPECT_EQ(reply(call(Method::post, "/api/v1/peers/connect", body)).status, 400u) << body;
  EXPECT_TRUE(backend.asked.empty());
}

TEST_F(ApiRouter, an_unknown_field_names_the_nearest) {
  const Reply answer =
      reply(call(Method::post, "/api/v1/files/get",
                 R"({"cid":")" + std::string(kCidText) + R"(","path":"/a","overwriet":true})"));
  EXPECT_NE(answer.body.find("did you mean 'overwrite'?"), std::string::npos) << answer.body;
}

TEST_F(ApiRouter, lines_are_one_object_each_with_a_schema) {
  node::TopicMessage message;
  message.from = PeerId::parse(kPeerText).value();
  message.topic = "a\nb\xFF";
  message.data = Bytes::copy("hi\n");
  const std::string lines[] = {
      progress_line(message), gap_line(3),
      done_line(fail(Errc::timeout, "w\n", "y", "f"), write_nothing),
      done_line(node::Answer(node::Published{Bytes::copy("id"), 2}), write_published)};
  for (const std::string& line : lines) {
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    EXPECT_EQ(object(line).at("schema").to_number<int>(), 1);
  }
  EXPECT_EQ(object(lines[0]).at("data").as_string(), "aGkK");
  EXPECT_EQ(object(lines[0]).at("topic").as_string(), "a\nb\xEF\xBF\xBD");
  EXPECT_EQ(object(lines[2]).at("code").as_string(), "KITH-TIMEOUT");
  EXPECT_EQ(object(lines[2]).at("event").as_string(), "error");
  EXPECT_EQ(object(lines[3]).at("event").as_string(), "done");
  EXPECT_EQ(object(lines[3]).at("peers").to_number<int>(), 2);
}

TEST_F(ApiRouter, a_lookup_answers_with_the_peer_or_its_providers) {
  dht::RoutingAnswer found;
  found.peers = {
      {PeerId::parse(kPeerText).value(), {Multiaddr::parse("/ip4/127.0.0.1/tcp/1").value()}}};
  const auto peer = object(done_line(node::Answer(found), write_found));
  EXPECT_EQ(peer.at("addrs").as_array().at(0).as_string(), "/ip4/127.0.0.1/tcp/1");
  const auto providers = object(done_line(node::Answer(found), write_providers));
  EXPECT_EQ(providers.at("providers").as_array().at(0).at("id").as_string(), kPeerText);
  EXPECT_TRUE(object(done_line(node::Answer(dht::RoutingAnswer{}), write_found))
                  .at("addrs")
                  .as_array()
                  .empty());
}

TEST(Utf8, what_is_not_utf8_is_replaced_and_all_else_kept) {
  const std::pair<const char*, const char*> cases[] = {
      {"plain", "plain"},
      {"\xC3\xA9", "\xC3\xA9"},
      {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                  // overlong
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // surrogate
      {"a\xE2\x82", "a\xEF\xBF\xBD\xEF\xBF\xBD"},                // cut off
      {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}};
  for (const auto& [from, to] : cases) EXPECT_EQ(valid_utf8(from), to);
}

}  // namespace
}  // namespace kith::bridge
