#include "services/bridge/edil_api.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "services/bridge/router.hpp"
#include "tests/services/bridge/fake_backend.hpp"

namespace kith::bridge {
namespace {

const std::string kToken(64, 'a');
const std::string kTask(64, 'b');

Routed ask(const std::string& target, const std::string& body) {
  FakeBackend backend;
  HttpCall call;
  call.method = Method::post;
  call.target = "/api/v1/fl/" + target;
  call.host = "kith";
  call.authorization = "Bearer " + kToken;
  call.content_type = "application/json";
  call.body = body;
  return route(call, ApiGuard{kToken}, backend);
}

template <class T>
T request(const std::string& target, const std::string& body) {
  Routed routed = ask(target, body);
  auto* start = std::get_if<Start>(&routed);
  if (start == nullptr) {
    ADD_FAILURE() << std::get<Reply>(routed).body;
    return {};
  }
  return std::get<T>(std::get<edil::Request>(start->what.request));
}

std::string of_task(const std::string& more = "") {
  return R"({"task":")" + kTask + '"' + more + '}';
}

boost::json::object last_line(const edil::Answer& answer) {
  return boost::json::parse(done_line(node::Answer(answer), write_fl)).as_object();
}

edil::TaskInfo info() {
  edil::TaskInfo one;
  one.id.fill(0xBB);
  one.task.name = "bad\xFF";
  one.task.first_model = *Cid::parse(kCidText);
  one.model = one.task.first_model;
  one.creator = *PeerId::parse(kPeerText);
  one.role = edil::Role::follower;
  one.round = 3;
  one.weight = std::uint64_t{1} << 40;
  one.doing = "waiting for updates";
  return one;
}

TEST(EdilApi, a_task_is_created_from_its_body_and_what_is_left_out_has_the_documented_value) {
  const auto plain = request<edil::CreateTask>("create", "{}").task;
  EXPECT_EQ(plain.shape, (schema::ModelShape{schema::ModelKind::softmax, 784, 0, 10}));
  EXPECT_EQ(plain.rounds, 10u);
  EXPECT_EQ(plain.contributors_min, 1u);
  EXPECT_EQ(plain.data, schema::DataKind::digits_iid);
  EXPECT_EQ(plain.round_ms, 30'000u);
  const auto full = request<edil::CreateTask>(
                        "create",
                        R"({"name":"n","model":"mlp","inputs":20,"hidden":7,"outputs":3,"rounds":4,
                            "min":5,"data":"own","samples":6,"rate_millionths":8,"epochs":9,
                            "batch":11,"round_ms":2000})")
                        .task;
  EXPECT_EQ(full.name, "n");
  EXPECT_EQ(full.shape, (schema::ModelShape{schema::ModelKind::mlp, 20, 7, 3}));
  EXPECT_EQ(full.rounds, 4u);
  EXPECT_EQ(full.contributors_min, 5u);
  EXPECT_EQ(full.data, schema::DataKind::own);
  EXPECT_EQ(full.samples, 6u);
  EXPECT_EQ(full.rate_millionths, 8u);
  EXPECT_EQ(full.epochs, 9u);
  EXPECT_EQ(full.batch, 11u);
  EXPECT_EQ(full.round_ms, 2000u);
  EXPECT_EQ(request<edil::CreateTask>("create", R"({"split":"labels"})").task.data,
            schema::DataKind::digits_by_label);
}

TEST(EdilApi, requests_about_a_task_are_read_into_their_types) {
  const auto drawn = request<edil::JoinTask>("join", of_task());
  EXPECT_EQ(edil::task_text(drawn.task), kTask);
  EXPECT_EQ(drawn.data.kind, edil::SourceKind::drawn);
  EXPECT_FALSE(drawn.follow);
  EXPECT_TRUE(request<edil::JoinTask>("join", of_task(R"(,"follow":true)")).follow);
  const auto csv = request<edil::JoinTask>("join", of_task(R"(,"source":"csv","path":"/a/b.csv")"));
  EXPECT_EQ(csv.data.kind, edil::SourceKind::csv);
  EXPECT_EQ(csv.data.path, "/a/b.csv");
  EXPECT_EQ(edil::task_text(request<edil::LeaveTask>("leave", of_task()).task), kTask);
  EXPECT_EQ(edil::task_text(request<edil::ShowTask>("show", of_task()).task), kTask);
  EXPECT_EQ(edil::task_text(request<edil::ShowRounds>("rounds", of_task()).task), kTask);
  EXPECT_EQ(edil::task_text(request<edil::WaitTask>("wait", of_task()).task), kTask);
}

TEST(EdilApi, bad_requests_are_refused_and_name_what_is_wrong) {
  for (const auto& [target, body, word] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"show", "{}", "task"},
           {"show", R"({"task":"12"})", "64 hexadecimal digits"},
           {"show", R"({"task":")" + std::string(64, 'B') + "\"}", "64 hexadecimal digits"},
           {"show", R"({"task":")" + std::string(65, 'b') + "\"}", "task"},
           {"join", of_task(R"(,"source":"sql")"), "source"},
           {"join", of_task(R"(,"source":"csv")"), "path"},
           {"join", of_task(R"(,"source":"csv","path":"not/absolute")"), "path"},
           {"join", of_task(R"(,"follow":1)"), "follow"},
           {"wait", of_task(R"(,"sort":1)"), "sort"},
           {"create", R"({"model":"forest"})", "model"},
           {"create", R"({"rounds":0})", "rounds"},
           {"create", R"({"rounds":100000})", "rounds"},
           {"create", R"({"model":"mlp","hidden":1024})", "parameters"},
           {"create", R"({"inputs":3})", "784"},
           {"create", R"({"name":")" + std::string(65, 'n') + "\"}", "name"}}) {
    const Routed routed = ask(target, body);
    const auto* reply = std::get_if<Reply>(&routed);
    ASSERT_NE(reply, nullptr) << target << body;
    EXPECT_EQ(reply->status, 400u) << target << body;
    EXPECT_NE(reply->body.find(word), std::string::npos) << reply->body;
  }
}

TEST(EdilApi, a_task_is_told_with_text_of_strangers_made_valid_and_without_what_was_not_measured) {
  auto line = last_line(info());
  EXPECT_EQ(line["task"].as_string(), kTask);
  EXPECT_EQ(line["creator"].as_string(), kPeerText);
  EXPECT_EQ(line["model"].as_string(), kCidText);
  EXPECT_TRUE(line["name"].as_string().starts_with("bad"));
  EXPECT_NE(line["name"].as_string(), "bad\xFF");
  EXPECT_EQ(line["role"].as_string(), "follower");
  EXPECT_EQ(line["weight"].as_int64(), std::int64_t{1} << 40);
  EXPECT_FALSE(line["encrypted"].as_bool()) << "updates are in plain, and it says so";
  EXPECT_FALSE(line.contains("accuracy"));
  edil::TaskInfo measured = info();
  measured.accuracy = {3, 4};
  line = last_line(measured);
  EXPECT_EQ(line["right"].as_int64(), 3);
  EXPECT_EQ(line["of"].as_int64(), 4);
  EXPECT_EQ(line["accuracy"].as_double(), 0.75);
  line = last_line(edil::TaskList{{info(), measured}});
  EXPECT_EQ(line["tasks"].as_array().size(), 2u);
}

TEST(EdilApi, rounds_are_told_as_a_list_and_each_as_an_event_to_who_waits) {
  edil::RoundInfo round;
  round.round = 2;
  round.view = 1;
  round.leader = *PeerId::parse(kPeerText);
  round.contributors = 5;
  round.samples = 1500;
  round.accuracy = {9, 10};
  round.model = *Cid::parse(kCidText);
  const auto listed = last_line(edil::RoundList{{round}})["rounds"].as_array();
  ASSERT_EQ(listed.size(), 1u);
  const auto told =
      boost::json::parse(progress_line(node::Progress(edil::Progress(round)))).as_object();
  EXPECT_EQ(told.at("event").as_string(), "round");
  for (const auto& one : {listed[0].as_object(), told}) {
    EXPECT_EQ(one.at("round").as_int64(), 2);
    EXPECT_EQ(one.at("view").as_int64(), 1);
    EXPECT_EQ(one.at("leader").as_string(), kPeerText);
    EXPECT_EQ(one.at("contributors").as_int64(), 5);
    EXPECT_EQ(one.at("samples").as_int64(), 1500);
    EXPECT_EQ(one.at("accuracy").as_double(), 0.9);
    EXPECT_EQ(one.at("model").as_string(), kCidText);
  }
}

TEST(EdilApi, metrics_tell_refusals_apart) {
  edil::Status status;
  edil::Counters& count = status.counters;
  std::uint64_t number = 0;
  for (std::uint64_t* one :
       {&count.forged, &count.replayed, &count.truncated, &count.oversized, &count.malformed,
        &count.future_dated, &count.wrong_base, &count.wrong_model, &count.not_joined,
        &count.equivocated, &count.full})
    *one = ++number;
  count.blamed = 99;
  const std::string text = edil_metrics(status);
  number = 0;
  for (const char* why :
       {"forged", "replayed", "truncated", "oversized", "malformed", "future_dated", "wrong_base",
        "wrong_model", "not_joined", "equivocated", "full"})
    EXPECT_NE(text.find("kith_edil_refused_total{why=\"" + std::string(why) + "\"} " +
                        std::to_string(++number) + "\n"),
              std::string::npos)
        << why;
  EXPECT_NE(text.find("\nkith_edil_blamed_total 99\n"), std::string::npos);
}

}  // namespace
}  // namespace kith::bridge
