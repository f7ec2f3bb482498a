// Law: a body from outside becomes a request within its bounds, or a problem with code and text;
// nothing reaches the node that the parser did not understand. The first byte picks the route.
// Links: kith_services_bridge
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "schema/kith/cstore_messages.hpp"
#include "services/bridge/router.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/services/bridge/fake_backend.hpp"

namespace {

using namespace kith;
using namespace kith::bridge;

constexpr const char* kPaths[] = {"/api/v1/peers/connect",
                                  "/api/v1/peers/ping",
                                  "/api/v1/peers/echo",
                                  "/api/v1/dht/find",
                                  "/api/v1/dht/providers",
                                  "/api/v1/topics/publish",
                                  "/api/v1/topics/subscribe",
                                  "/api/v1/files/add",
                                  "/api/v1/files/get",
                                  "/api/v1/files/stat",
                                  "/api/v1/files/rm",
                                  "/api/v1/shutdown",
                                  "/api/v1/uptime/show",
                                  "/api/v1/uptime/ask",
                                  "/api/v1/kv/put",
                                  "/api/v1/kv/del",
                                  "/api/v1/kv/incr",
                                  "/api/v1/kv/get",
                                  "/api/v1/kv/ls",
                                  "/api/v1/kv/watch",
                                  "/api/v1/kv/stat",
                                  "/api/v1/fl/create",
                                  "/api/v1/fl/join",
                                  "/api/v1/fl/leave",
                                  "/api/v1/fl/show",
                                  "/api/v1/fl/rounds",
                                  "/api/v1/fl/wait"};

struct Bounds {
  void operator()(const node::PeerConnect& what) { FUZZ_CHECK(!what.addr.empty()); }
  void operator()(const node::PeerPing& what) {
    FUZZ_CHECK(!what.id.empty() || !what.addr.empty());
    FUZZ_CHECK(what.count >= 1 && what.count <= kPingCountMax);
  }
  void operator()(const node::PeerEcho& what) {
    FUZZ_CHECK(!what.addr.empty() && what.streams >= 1 && what.streams <= 1000);
  }
  void operator()(const node::DhtFind& what) { FUZZ_CHECK(!what.id.empty()); }
  void operator()(const node::DhtProviders& what) { FUZZ_CHECK(!what.cid.empty()); }
  void operator()(const node::TopicPublish& what) {
    FUZZ_CHECK(!what.topic.empty() && what.topic.size() <= kTopicNameMax);
    FUZZ_CHECK(what.data.size() <= gossip::kGossipDataMax);
  }
  void operator()(const node::TopicSubscribe& what) { FUZZ_CHECK(!what.topic.empty()); }
  void operator()(const node::FileAdd& what) {
    FUZZ_CHECK(what.what.path.front() == '/' && what.what.name.size() <= kFileNameMax);
  }
  void operator()(const node::FileGet& what) {
    FUZZ_CHECK(!what.what.cid.empty() && what.what.path.front() == '/');
  }
  void operator()(const node::FileList&) {}
  void operator()(const node::FileStat& what) { FUZZ_CHECK(!what.cid.empty()); }
  void operator()(const node::FileRemove& what) { FUZZ_CHECK(!what.cid.empty()); }
  void operator()(const poa::Request& what) {
    if (const auto* show = std::get_if<poa::ShowUptime>(&what))
      FUZZ_CHECK(show->epochs >= 1 && show->epochs <= poa::kEpochsKept);
    else
      FUZZ_CHECK(!std::get<poa::AskUptime>(what).peer.empty());
  }
  void operator()(const cstore::Request& what) {
    std::visit([](const auto& one) { FUZZ_CHECK(schema::is_kv_space(one.space)); }, what);
    if (const auto* put = std::get_if<cstore::Put>(&what))
      FUZZ_CHECK(!put->key.empty() && put->key.size() <= schema::kKvKeyMax &&
                 put->value.size() <= schema::kKvValueMax);
  }
  void operator()(const edil::Request& what) {
    if (const auto* create = std::get_if<edil::CreateTask>(&what))
      FUZZ_CHECK(schema::check_task(create->task).has_value());
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  FakeBackend backend;
  const ApiGuard guard("t");
  HttpCall call;
  call.method = Method::post;
  call.target = kPaths[data[0] % std::size(kPaths)];
  call.host = "kith";
  call.authorization = "Bearer t";
  call.content_type = "application/json";
  call.body.assign(reinterpret_cast<const char*>(data + 1), size - 1);
  Routed routed = route(call, guard, backend);
  if (const auto* start = std::get_if<Start>(&routed)) {
    FUZZ_CHECK(start->what.deadline >= Duration::zero());
    std::visit(Bounds{}, start->what.request);
    return 0;
  }
  const Reply& reply = std::get<Reply>(routed);
  FUZZ_CHECK(reply.status == 400 || reply.status == 202);
  FUZZ_CHECK(boost::json::parse(reply.body).is_object());
  FUZZ_CHECK((reply.status == 202) == (backend.shut_downs == 1));
  return 0;
}
