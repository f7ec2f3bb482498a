// Links: kith_schema_libp2p kith_libp2p_oracle
// The gossip RPC decoder beside protoc's: what we accept protoc accepts, with the same content up
// to our bounds; and a message that is read is written back to the same.
#include <libp2p_oracle/rpc.pb.h>

#include <algorithm>

#include "schema/libp2p/gossip_rpc.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;
using namespace kith::libp2p;

namespace {

bool usable(const std::string& topic) {
  return !topic.empty() && topic.size() <= kGossipTopicBytesMax;
}

// Compares what was kept with the first of protoc's elements that are usable, and counts the
// rest.
template <class Ours, class Theirs, class Usable, class Same>
std::size_t compare(const Ours& ours, std::size_t max, const Theirs& theirs, Usable is_usable,
                    Same same) {
  std::size_t at = 0;
  std::size_t left_out = 0;
  for (const auto& element : theirs) {
    if (!is_usable(element) || at == max) {
      ++left_out;
      continue;
    }
    FUZZ_CHECK(at < ours.size() && same(ours[at], element));
    ++at;
  }
  FUZZ_CHECK(at == ours.size());
  return left_out;
}

template <class Theirs>
bool same_ids(const GossipIds& ours, const Theirs& theirs) {
  int at = 0;
  ours.for_each(SIZE_MAX, [&](ByteView id) {
    FUZZ_CHECK(at < theirs.message_ids_size() && as_text(id) == theirs.message_ids(at));
    ++at;
  });
  return at == theirs.message_ids_size() && ours.count() == static_cast<std::size_t>(at);
}

bool same_field(const std::optional<ByteView>& ours, bool has, const std::string& theirs) {
  return ours.has_value() == has && (!has || as_text(*ours) == theirs);
}

void compare_message(ByteView encoded, const pb::GossipMessage& theirs) {
  const auto ours = decode_gossip_message(encoded);
  FUZZ_CHECK(ours.has_value() == theirs.unknown_fields().empty());
  if (!ours) return;
  FUZZ_CHECK(same_field(ours->from, theirs.has_from(), theirs.from()));
  FUZZ_CHECK(same_field(ours->data, theirs.has_data(), theirs.data()));
  FUZZ_CHECK(same_field(ours->seqno, theirs.has_seqno(), theirs.seqno()));
  FUZZ_CHECK(same_field(ours->signature, theirs.has_signature(), theirs.signature()));
  FUZZ_CHECK(same_field(ours->key, theirs.has_key(), theirs.key()));
  FUZZ_CHECK(ours->topic.has_value() == theirs.has_topic());
  if (ours->topic) FUZZ_CHECK(*ours->topic == theirs.topic());
  // Written anew it is what protoc writes, and the signed part is that without two fields.
  pb::GossipRpc alone;
  *alone.add_publish() = theirs;
  FUZZ_CHECK(encode_gossip_publish(*ours).text() == alone.SerializeAsString());
  pb::GossipMessage unsigned_part = theirs;
  unsigned_part.clear_signature();
  unsigned_part.clear_key();
  FUZZ_CHECK(gossip_signed_bytes(*ours).text() ==
             "libp2p-pubsub:" + unsigned_part.SerializeAsString());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  GossipRpc ours;
  if (!decode_gossip_rpc(ByteView(bytes, size), ours)) {
    FUZZ_CHECK(ours.publish.empty() && ours.subscriptions.empty());
    return 0;
  }
  pb::GossipRpc theirs;
  FUZZ_CHECK(theirs.ParseFromArray(bytes, static_cast<int>(size)));
  const pb::GossipControl& control = theirs.control();
  const auto by_topic = [](const auto& element) { return usable(element.topic()); };
  const auto any = [](const auto&) { return true; };
  std::size_t left_out =
      compare(ours.subscriptions, kGossipSubscriptionsMax, theirs.subscriptions(), by_topic,
              [](const GossipSubscription& a, const auto& b) {
                return a.topic == b.topic() && a.subscribe == b.subscribe();
              });
  left_out += compare(ours.ihave, kGossipIHavesMax, control.ihave(), by_topic,
                      [](const GossipIHave& a, const auto& b) {
                        return a.topic == b.topic() && same_ids(a.ids, b);
                      });
  left_out += compare(ours.iwant, kGossipIWantsMax, control.iwant(), any,
                      [](const GossipIds& a, const auto& b) { return same_ids(a, b); });
  left_out += compare(ours.graft, kGossipGraftsMax, control.graft(), by_topic,
                      [](std::string_view a, const auto& b) { return a == b.topic(); });
  left_out += compare(ours.prune, kGossipPrunesMax, control.prune(), by_topic,
                      [](const GossipPrune& a, const auto& b) {
                        return a.topic == b.topic() && a.backoff == b.backoff();
                      });
  left_out += compare(ours.publish, kGossipPublishMax, theirs.publish(), any,
                      [](ByteView a, const auto& b) {
                        compare_message(a, b);
                        return true;
                      });
  FUZZ_CHECK(left_out == ours.left_out);
  return 0;
}
