#include "services/bridge/cstore_api.hpp"

#include "services/bridge/poa_api.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "services/bridge/router.hpp"
#include "tests/services/bridge/fake_backend.hpp"

namespace kith::bridge {
namespace {

const std::string kToken(64, 'a');

Routed ask(const std::string& target, const std::string& body) {
  FakeBackend backend;
  HttpCall call;
  call.method = Method::post;
  call.target = "/api/v1/kv/" + target;
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
  return std::get<T>(std::get<cstore::Request>(start->what.request));
}

boost::json::object last_line(const cstore::Answer& answer) {
  return boost::json::parse(done_line(node::Answer(answer), write_kv)).as_object();
}

TEST(CstoreApi, requests_are_read_into_their_types) {
  const auto put = request<cstore::Put>("put", R"({"space":"s","key":"k","value":"dg=="})");
  EXPECT_EQ(put.space, "s");
  EXPECT_EQ(put.key.text(), "k");
  EXPECT_EQ(put.value.text(), "v");
  EXPECT_EQ(request<cstore::Increment>("incr", R"({"space":"s","key":"k"})").by, 1);
  EXPECT_EQ(
      request<cstore::Increment>("incr", R"({"space":"s","key":"k","by":7,"negative":true})").by,
      -7);
  const auto list = request<cstore::List>("ls", R"({"space":"s","prefix":"p","limit":5})");
  EXPECT_EQ(list.prefix.text(), "p");
  EXPECT_EQ(list.limit, 5u);
  EXPECT_EQ(request<cstore::Watch>("watch", R"({"space":"s"})").space, "s");
  EXPECT_EQ(request<cstore::Delete>("del", R"({"space":"s","key":"k"})").key.text(), "k");
  EXPECT_EQ(request<cstore::Stat>("stat", R"({"space":"s"})").space, "s");
}

TEST(CstoreApi, bad_requests_are_refused_and_name_the_field) {
  for (const auto& [target, body, field] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"put", R"({"space":"s","key":"k"})", "value"},
           {"get", R"({"space":"s"})", "key"},
           {"get", R"({"key":"k"})", "space"},
           {"incr", R"({"space":"s","key":"k","by":-1})", "by"},
           {"ls", R"({"space":"s","limit":100000})", "limit"},
           {"stat", R"({"space":"s","sort":1})", "sort"},
           {"get", R"({"space":"s","key":")" + std::string(513, 'k') + "\"}", "key"}}) {
    const Routed routed = ask(target, body);
    const auto* reply = std::get_if<Reply>(&routed);
    ASSERT_NE(reply, nullptr) << target << body;
    EXPECT_EQ(reply->status, 400u);
    EXPECT_NE(reply->body.find(field), std::string::npos) << reply->body;
  }
}

TEST(CstoreApi, answers_carry_values_in_base64_and_counts_as_numbers) {
  cstore::Item item;
  item.key = Bytes::copy("k");
  item.value = Bytes::copy("v");
  item.written = Wall(5s);
  auto line = last_line(cstore::Found{item});
  EXPECT_EQ(line["value"].as_string(), "dg==");
  item.kind = cstore::Kind::counter;
  item.count = -3;
  line = last_line(cstore::Written{item});
  EXPECT_EQ(line["count"].as_int64(), -3);
  EXPECT_FALSE(line.contains("value"));
  line = last_line(cstore::Listing{{item, item}, true});
  EXPECT_EQ(line["items"].as_array().size(), 2u);
  EXPECT_TRUE(line["more"].as_bool());
  cstore::SpaceInfo info;
  info.root.fill(0xAB);
  line = last_line(info);
  EXPECT_EQ(line["root"].as_string().size(), 64u);
  EXPECT_TRUE(line["root"].as_string().starts_with("abab"));
}

TEST(CstoreApi, a_change_is_an_event_of_its_own_and_text_of_peers_is_made_valid) {
  cstore::Change change{"s", {}};
  change.item.key = Bytes::copy("bad\xFF");
  change.item.deleted = true;
  const auto line = boost::json::parse(progress_line(cstore::Progress(change))).as_object();
  EXPECT_EQ(line.at("event").as_string(), "change");
  EXPECT_TRUE(line.at("deleted").as_bool());
}

TEST(CstoreApi, metrics_tell_refusals_apart) {
  cstore::Status status;
  status.counters.forged = 2;
  status.counters.future = 3;
  const std::string text = cstore_metrics(status);
  EXPECT_NE(text.find("kith_cstore_refused_batches_total{why=\"forged\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("kith_cstore_refused_batches_total{why=\"future\"} 3\n"), std::string::npos);
  status.counters.malformed = 4;
  status.counters.truncated = 5;
  status.counters.oversized = 6;
  status.counters.replayed = 7;
  status.counters.unstored = 8;
  status.store_refuses = true;
  const std::string more = cstore_metrics(status);
  for (const char* line :
       {"{why=\"malformed\"} 4\n", "{why=\"truncated\"} 5\n", "{why=\"oversized\"} 6\n",
        "{why=\"replayed\"} 7\n", "{why=\"unstored\"} 8\n", "kith_cstore_store_refuses 1\n"})
    EXPECT_NE(more.find(line), std::string::npos) << line;
}

TEST(PoaApi, metrics_tell_faulty_beats_questions_and_tables_apart) {
  poa::Status status;
  status.beats.truncated = 2;
  status.questions = {3, 4, 5, 6, 7};
  status.answers = {8, 9, 10, 11, 12, 13, 14};
  const std::string text = poa_metrics(status);
  for (const char* line : {"kith_poa_beats_total{became=\"truncated\"} 2\n",
                           "kith_poa_questions_refused_total{why=\"flooding\"} 3\n",
                           "kith_poa_questions_refused_total{why=\"malformed\"} 4\n",
                           "kith_poa_questions_refused_total{why=\"truncated\"} 5\n",
                           "kith_poa_questions_refused_total{why=\"oversized\"} 6\n",
                           "kith_poa_questions_refused_total{why=\"unready\"} 7\n",
                           "kith_poa_answers_faulty_total{why=\"forged\"} 8\n",
                           "kith_poa_answers_faulty_total{why=\"replayed\"} 9\n",
                           "kith_poa_answers_faulty_total{why=\"malformed\"} 10\n",
                           "kith_poa_answers_faulty_total{why=\"truncated\"} 11\n",
                           "kith_poa_answers_faulty_total{why=\"oversized\"} 12\n",
                           "kith_poa_answers_faulty_total{why=\"stale\"} 13\n",
                           "kith_poa_answers_faulty_total{why=\"future\"} 14\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line;
}

}  // namespace
}  // namespace kith::bridge
