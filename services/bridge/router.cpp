#include "services/bridge/router.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "schema/base/base_encoding.hpp"
#include "schema/base/nearest.hpp"
#include "services/bridge/cstore_api.hpp"
#include "services/bridge/edil_api.hpp"
#include "services/bridge/metrics.hpp"
#include "services/bridge/poa_api.hpp"
#include "services/bridge/version.hpp"

namespace kith::bridge {
namespace {

namespace json = boost::json;

using Read = Reply (*)(Backend&);

std::string text_of(const json::object& object) {
  return json::serialize(json::value(object)) + "\n";
}

Reply ok(const json::object& object) { return {200, std::string(kJson), text_of(object), {}}; }

Reply read_status(Backend& backend) { return ok(json_of(backend.status())); }
Reply read_id(Backend& backend) { return ok(json_of_id(backend.status())); }

Reply read_storage(Backend& backend) {
  json::object status = json_of(backend.status());
  return ok({{"schema", kSchema}, {"storage", status["storage"]}, {"disk", status["disk"]}});
}

Reply read_topics(Backend& backend) {
  json::object status = json_of(backend.status());
  return ok({{"schema", kSchema}, {"topics", status["topics"]}});
}

Reply read_peers(Backend& backend) {
  const Now now = backend.now();
  json::array peers;
  for (const host::PeerStatus& peer : backend.peers()) peers.emplace_back(json_of(peer, now));
  return ok({{"schema", kSchema}, {"peers", std::move(peers)}});
}

Reply read_metrics(Backend& backend) {
  return {200, std::string(kMetricsText), metrics_text(backend.status()), {}};
}

Reply shut_down(Backend& backend) {
  backend.shut_down();
  Reply reply = ok({{"schema", kSchema}, {"stopping", true}});
  reply.status = 202;
  return reply;
}

// `answer` answers at once; without it, `parse` and `write` describe a request.
struct Route {
  Method method;
  std::string_view path;
  Read answer;
  ParseRequest parse;
  WriteAnswer write;
};

constexpr Route kRoutes[] = {
    {Method::get, "/api/v1/status", read_status, nullptr, nullptr},
    {Method::get, "/api/v1/id", read_id, nullptr, nullptr},
    {Method::get, "/api/v1/peers", read_peers, nullptr, nullptr},
    {Method::get, "/api/v1/topics", read_topics, nullptr, nullptr},
    {Method::get, "/api/v1/storage", read_storage, nullptr, nullptr},
    {Method::get, "/api/v1/files", nullptr, parse_file_list, write_files},
    {Method::get, "/api/v1/uptime", nullptr, parse_uptime, write_uptime},
    {Method::get, "/api/v1/fl", nullptr, parse_fl_list, write_fl},
    {Method::get, "/metrics", read_metrics, nullptr, nullptr},
    {Method::post, "/api/v1/peers/connect", nullptr, parse_peer_connect, write_peer},
    {Method::post, "/api/v1/peers/ping", nullptr, parse_peer_ping, write_peer},
    {Method::post, "/api/v1/peers/echo", nullptr, parse_peer_echo, write_peer},
    {Method::post, "/api/v1/dht/find", nullptr, parse_dht_find, write_found},
    {Method::post, "/api/v1/dht/providers", nullptr, parse_dht_providers, write_providers},
    {Method::post, "/api/v1/topics/publish", nullptr, parse_topic_publish, write_published},
    {Method::post, "/api/v1/topics/subscribe", nullptr, parse_topic_subscribe, write_nothing},
    {Method::post, "/api/v1/files/add", nullptr, parse_file_add, write_file},
    {Method::post, "/api/v1/files/get", nullptr, parse_file_get, write_file},
    {Method::post, "/api/v1/files/stat", nullptr, parse_file_stat, write_file},
    {Method::post, "/api/v1/files/rm", nullptr, parse_file_remove, write_removed},
    {Method::post, "/api/v1/uptime/show", nullptr, parse_uptime_show, write_uptime},
    {Method::post, "/api/v1/uptime/ask", nullptr, parse_uptime_ask, write_uptime},
    {Method::post, "/api/v1/kv/put", nullptr, parse_kv_put, write_kv},
    {Method::post, "/api/v1/kv/del", nullptr, parse_kv_del, write_kv},
    {Method::post, "/api/v1/kv/incr", nullptr, parse_kv_incr, write_kv},
    {Method::post, "/api/v1/kv/get", nullptr, parse_kv_get, write_kv},
    {Method::post, "/api/v1/kv/ls", nullptr, parse_kv_ls, write_kv},
    {Method::post, "/api/v1/kv/watch", nullptr, parse_kv_watch, write_nothing},
    {Method::post, "/api/v1/kv/stat", nullptr, parse_kv_stat, write_kv},
    {Method::post, "/api/v1/fl/create", nullptr, parse_fl_create, write_fl},
    {Method::post, "/api/v1/fl/join", nullptr, parse_fl_join, write_fl},
    {Method::post, "/api/v1/fl/leave", nullptr, parse_fl_leave, write_fl},
    {Method::post, "/api/v1/fl/show", nullptr, parse_fl_show, write_fl},
    {Method::post, "/api/v1/fl/rounds", nullptr, parse_fl_rounds, write_fl},
    {Method::post, "/api/v1/fl/wait", nullptr, parse_fl_wait, write_fl},
    {Method::post, "/api/v1/shutdown", shut_down, nullptr, nullptr},
};

Reply unknown_path(std::string_view path) {
  std::vector<std::string_view> known;
  for (const Route& route : kRoutes) known.push_back(route.path);
  const std::string_view near = nearest_name(path, known);
  return problem(404, fail(Errc::usage, "there is no " + quote_text(path), {},
                           near.empty() ? "ask for GET /api/v1/status"
                                        : "did you mean " + std::string(near) + "?"));
}

bool is_json(std::string_view content_type) {
  return content_type.substr(0, content_type.find(';')) == kJson;
}

Routed follow(const Route& route, const HttpCall& call, Backend& backend) {
  if (route.method == Method::post && !is_json(call.content_type))
    return problem(415, fail(Errc::unsupported, "the body must be JSON", {},
                             "send 'Content-Type: application/json'"));
  auto body = Body::parse(call.body);
  if (!body) return problem(400, body.error());
  if (route.answer != nullptr) {
    if (auto known = body->finish(); !known) return problem(400, known.error());
    return route.answer(backend);
  }
  auto request = route.parse(*body);
  if (!request) return problem(400, request.error());
  return Start{std::move(*request), route.write};
}

json::object event_line(std::string_view name) {
  return {{"schema", kSchema}, {"event", std::string(name)}};
}

}  // namespace

Routed route(const HttpCall& call, const ApiGuard& guard, Backend& backend) {
  if (auto admitted = guard.admit(call); !admitted)
    return problem(admitted.error().code == Errc::permission ? 401 : 403, admitted.error());
  const std::string_view path = std::string_view(call.target).substr(0, call.target.find('?'));
  for (const Route& candidate : kRoutes) {
    if (candidate.path != path) continue;
    if (candidate.method == call.method) return follow(candidate, call, backend);
    const std::string allowed = candidate.method == Method::get ? "GET" : "POST";
    Reply reply = problem(405, fail(Errc::usage, std::string(path) + " does not take this method",
                                    {}, "use " + allowed));
    reply.allow = allowed;
    return reply;
  }
  return unknown_path(path);
}

Reply problem(unsigned status, const Error& error) {
  json::object body = json_of(error);
  body["schema"] = kSchema;
  body["status"] = status;
  body["title"] = body["what"];
  return {status, std::string(kProblem), text_of(body), {}};
}

std::string progress_line(const node::Progress& progress) {
  json::object line{{"schema", kSchema}};
  for (auto& field : json_of(progress)) line[field.key()] = field.value();
  return text_of(line);
}

std::string done_line(const Result<node::Answer>& answer, WriteAnswer write) {
  if (!answer) {
    json::object line = event_line("error");
    for (auto& field : json_of(answer.error())) line[field.key()] = field.value();
    return text_of(line);
  }
  json::object line = event_line("done");
  write(*answer, line);
  return text_of(line);
}

std::string gap_line(std::uint64_t dropped) {
  json::object line = event_line("gap");
  line["dropped"] = dropped;
  return text_of(line);
}

}  // namespace kith::bridge
