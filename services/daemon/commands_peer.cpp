#include <cstdio>

#include "services/daemon/commands.hpp"

namespace kith::daemon {
namespace {

using boost::json::object;

ApiClient::Call post(const Context& context, std::string path, object body) {
  ApiClient::Call call;
  call.method = "POST";
  call.path = std::move(path);
  call.body = std::move(body);
  add_timeout(context, call.body);
  return call;
}

void show_peers(const object& answer) {
  for (const object& peer : objects_at(answer, "peers"))
    std::printf("%s\t%s\t%s\t%.1f ms\t%s in\t%s out\t%s\n", text_at(peer, "id").c_str(),
                text_at(peer, "direction").c_str(), text_at(peer, "addr").c_str(),
                real_at(peer, "round_trip_ms"), size_text(number_at(peer, "bytes_in")).c_str(),
                size_text(number_at(peer, "bytes_out")).c_str(), text_at(peer, "agent").c_str());
}

void show_pinged(const object& answer) {
  std::printf("%llu sent, %llu answered, min %.2f ms, mean %.2f ms, max %.2f ms\n",
              static_cast<unsigned long long>(number_at(answer, "sent")),
              static_cast<unsigned long long>(number_at(answer, "received")),
              real_at(answer, "min_ms"), real_at(answer, "mean_ms"), real_at(answer, "max_ms"));
}

}  // namespace

int run_command(const Context& context, const PeerList&) {
  ApiClient::Call call;
  call.path = "/api/v1/peers";
  return ask(context, std::move(call), show_peers);
}

int run_command(const Context& context, const PeerConnect& what) {
  return ask(context, post(context, "/api/v1/peers/connect", {{"addr", what.addr}}),
             [](const object& answer) {
               std::printf("connected to %s\n", text_at(answer, "id").c_str());
             });
}

int run_command(const Context& context, const PeerPing& what) {
  const char* key = what.target.starts_with('/') ? "addr" : "id";
  auto call = post(context, "/api/v1/peers/ping", {{key, what.target}, {"count", what.count}});
  if (!context.json)
    call.on_line = [](const object& line) -> Result<void> {
      if (text_at(line, "event") == "ping")
        std::printf("%llu: %.2f ms\n", static_cast<unsigned long long>(number_at(line, "number")),
                    real_at(line, "ms"));
      std::fflush(stdout);
      return {};
    };
  return ask(context, std::move(call), show_pinged);
}

int run_command(const Context& context, const PeerEcho& what) {
  return ask(context,
             post(context, "/api/v1/peers/echo",
                  {{"addr", what.addr}, {"streams", what.streams}, {"bytes", what.bytes}}),
             [](const object& answer) {
               std::printf("%llu streams, %s in %.1f ms\n",
                           static_cast<unsigned long long>(number_at(answer, "streams")),
                           size_text(number_at(answer, "bytes")).c_str(), real_at(answer, "ms"));
             });
}

int run_command(const Context& context, const DhtFind& what) {
  return ask(context, post(context, "/api/v1/dht/find", {{"id", what.id}}),
             [](const object& answer) {
               for (const std::string& addr : texts_at(answer, "addrs"))
                 std::printf("%s\n", addr.c_str());
             });
}

int run_command(const Context& context, const DhtProviders& what) {
  return ask(context, post(context, "/api/v1/dht/providers", {{"cid", what.cid}}),
             [](const object& answer) {
               for (const object& provider : objects_at(answer, "providers")) {
                 std::printf("%s", text_at(provider, "id").c_str());
                 for (const std::string& addr : texts_at(provider, "addrs"))
                   std::printf("\t%s", addr.c_str());
                 std::printf("\n");
               }
             });
}

}  // namespace kith::daemon
