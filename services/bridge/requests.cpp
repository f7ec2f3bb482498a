#include "services/bridge/requests.hpp"

#include "services/node/echo.hpp"

namespace kith::bridge {
namespace {

constexpr std::uint64_t kConnectMs = 30'000;
constexpr std::uint64_t kLookupMs = 60'000;
constexpr std::uint64_t kLocalMs = 30'000;
constexpr std::uint64_t kNoDeadline = 0;  // it goes on as long as the caller listens

// Ends the reading of `body`: its deadline, its faults, and fields that nobody knows.
Result<TimedRequest> timed(Body& body, node::Request request, std::uint64_t otherwise_ms) {
  const std::uint64_t ms = body.number_or("timeout_ms", otherwise_ms, 0, kTimeoutMsMax);
  KITH_TRY_VOID(body.finish());
  return TimedRequest{std::move(request), std::chrono::milliseconds(ms)};
}

std::uint32_t small(Body& body, std::string_view key, std::uint32_t otherwise, std::uint32_t min,
                    std::uint32_t max) {
  return static_cast<std::uint32_t>(body.number_or(key, otherwise, min, max));
}

}  // namespace

Result<TimedRequest> parse_peer_connect(Body& body) {
  node::PeerConnect what{body.multiaddr("addr")};
  return timed(body, std::move(what), kConnectMs);
}

Result<TimedRequest> parse_peer_ping(Body& body) {
  node::PeerPing what;
  const bool by_addr = body.has("addr");
  const bool by_id = body.has("id");
  if (by_addr == by_id) body.blame(fail(Errc::usage, "give either 'addr' or 'id'"));
  if (by_addr) {
    what.addr = body.multiaddr("addr");
    if (const auto id = what.addr.peer_id()) what.id = *id;
  }
  if (by_id) what.id = body.peer_id("id");
  what.count = small(body, "count", what.count, 1, kPingCountMax);
  return timed(body, std::move(what), kConnectMs + 2'000ull * what.count);
}

Result<TimedRequest> parse_peer_echo(Body& body) {
  node::PeerEcho what;
  what.addr = body.multiaddr("addr");
  what.streams = small(body, "streams", 1, 1, node::kEchoStreamsMax);
  what.bytes = body.number_or("bytes", 0, 0, node::kEchoBytesMax);
  return timed(body, std::move(what), 2 * kLookupMs);
}

Result<TimedRequest> parse_dht_find(Body& body) {
  node::DhtFind what{body.peer_id("id")};
  return timed(body, std::move(what), kLookupMs);
}

Result<TimedRequest> parse_dht_providers(Body& body) {
  node::DhtProviders what;
  what.cid = body.cid("cid");
  what.enough = small(body, "enough", what.enough, 0, kEnoughMax);
  return timed(body, std::move(what), kLookupMs);
}

Result<TimedRequest> parse_topic_publish(Body& body) {
  node::TopicPublish what;
  what.topic = body.text("topic", kTopicNameMax);
  what.data = body.base64("data");
  if (what.data.size() > gossip::kGossipDataMax)
    body.blame(fail(Errc::oversized, "the message is too long",
                    std::to_string(what.data.size()) + " bytes, " +
                        std::to_string(gossip::kGossipDataMax) + " at most",
                    "add it as a file and publish its CID"));
  return timed(body, std::move(what), kLocalMs);
}

Result<TimedRequest> parse_topic_subscribe(Body& body) {
  node::TopicSubscribe what{body.text("topic", kTopicNameMax)};
  return timed(body, std::move(what), kNoDeadline);
}

Result<TimedRequest> parse_file_add(Body& body) {
  r1fs::AddFile what;
  what.path = body.path("path");
  const std::string base = what.path.substr(what.path.find_last_of('/') + 1);
  what.name = body.text_or("name", kFileNameMax, base.substr(0, kFileNameMax));
  // No default: public blocks are readable by anyone, which must be somebody's decision.
  const std::string visibility = body.text("visibility", 16);
  if (visibility != "public" && visibility != "local")
    body.blame(fail(Errc::usage, "'visibility' must be 'public' or 'local'",
                    "the blocks of a public file are readable by anyone"));
  what.visibility = visibility == "local" ? r1fs::Visibility::local : r1fs::Visibility::public_;
  what.spread = small(body, "spread", 0, 0, kSpreadMax);
  if (what.spread > 0 && what.visibility == r1fs::Visibility::local)
    body.blame(fail(Errc::usage, "a local file does not spread", {}, "leave 'spread' out"));
  return timed(body, node::FileAdd{std::move(what)}, kNoDeadline);
}

Result<TimedRequest> parse_file_get(Body& body) {
  r1fs::GetFile what;
  what.cid = body.cid("cid");
  what.path = body.path("path");
  what.ask_others = body.flag_or("ask_others", true);
  what.overwrite = body.flag_or("overwrite", false);
  return timed(body, node::FileGet{std::move(what)}, kNoDeadline);
}

Result<TimedRequest> parse_file_list(Body& body) { return timed(body, node::FileList{}, kLocalMs); }

Result<TimedRequest> parse_file_stat(Body& body) {
  node::FileStat what{body.cid("cid")};
  return timed(body, std::move(what), kLocalMs);
}

Result<TimedRequest> parse_file_remove(Body& body) {
  node::FileRemove what{body.cid("cid")};
  return timed(body, std::move(what), kNoDeadline);
}

}  // namespace kith::bridge
