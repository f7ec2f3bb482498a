#include "schema/libp2p/gossip_rpc.hpp"

namespace kith::libp2p {
namespace {

enum RpcNumber : std::uint32_t { kSubscription = 1, kPublish = 2, kControl = 3 };
enum SubscriptionNumber : std::uint32_t { kSubscribe = 1, kSubscriptionTopic = 2 };
enum MessageNumber : std::uint32_t {
  kFrom = 1,
  kData = 2,
  kSeqno = 3,
  kTopic = 4,
  kSignature = 5,
  kKey = 6
};
enum ControlNumber : std::uint32_t { kIHave = 1, kIWant = 2, kGraft = 3, kPrune = 4 };
// The topic is field 1 of IHAVE, GRAFT and PRUNE alike.
enum ElementNumber : std::uint32_t {
  kElementTopic = 1,
  kIHaveId = 2,
  kIWantId = 1,
  kPrunePeer = 2,
  kPruneBackoff = 3
};
constexpr std::string_view kSignPrefix = "libp2p-pubsub:";
// Elements for which a list keeps its room from one RPC to the next: ten thousand simulated nodes
// each hold one GossipRpc.
constexpr std::size_t kKeptCapacity = 16;

bool usable(const std::optional<std::string_view>& topic) {
  return topic && !topic->empty() && topic->size() <= kGossipTopicBytesMax;
}

Result<void> check(ByteView message) {
  return read_message(message, [](const Field&) {});
}

template <class Element>
void keep(std::vector<Element>& to, std::size_t max, Element element, GossipRpc& rpc) {
  if (to.size() < max) {
    to.push_back(std::move(element));
  } else {
    ++rpc.left_out;
  }
}

Result<void> read_subscription(ByteView from, GossipRpc& rpc) {
  GossipSubscription read;
  std::optional<std::string_view> topic;
  KITH_TRY_VOID(read_message(from, [&](const Field& field) {
    if (field.key == varint_key(kSubscribe)) read.subscribe = field.flag();
    if (field.key == bytes_key(kSubscriptionTopic)) topic = field.text();
  }));
  if (!usable(topic)) {
    ++rpc.left_out;
    return {};
  }
  read.topic = *topic;
  keep(rpc.subscriptions, kGossipSubscriptionsMax, read, rpc);
  return {};
}

Result<void> read_ihave(ByteView from, GossipRpc& rpc) {
  std::optional<std::string_view> topic;
  std::size_t ids = 0;
  KITH_TRY_VOID(read_message(from, [&](const Field& field) {
    if (field.key == bytes_key(kElementTopic)) topic = field.text();
    ids += field.key == bytes_key(kIHaveId);
  }));
  if (!usable(topic)) {
    ++rpc.left_out;
    return {};
  }
  keep(rpc.ihave, kGossipIHavesMax, {*topic, GossipIds(from, bytes_key(kIHaveId), ids)}, rpc);
  return {};
}

Result<void> read_iwant(ByteView from, GossipRpc& rpc) {
  KITH_TRY(const std::size_t ids, count_field(from, bytes_key(kIWantId)));
  keep(rpc.iwant, kGossipIWantsMax, GossipIds(from, bytes_key(kIWantId), ids), rpc);
  return {};
}

Result<void> read_graft(ByteView from, GossipRpc& rpc) {
  std::optional<std::string_view> topic;
  KITH_TRY_VOID(read_message(from, [&](const Field& field) {
    if (field.key == bytes_key(kElementTopic)) topic = field.text();
  }));
  if (!usable(topic)) {
    ++rpc.left_out;
    return {};
  }
  keep(rpc.graft, kGossipGraftsMax, *topic, rpc);
  return {};
}

Result<void> read_prune(ByteView from, GossipRpc& rpc) {
  std::optional<std::string_view> topic;
  GossipPrune read;
  KITH_TRY_VOID(read_message(from, [&](const Field& field) -> Result<void> {
    if (field.key == bytes_key(kElementTopic)) topic = field.text();
    if (field.key == varint_key(kPruneBackoff)) read.backoff = field.number;
    if (field.key == bytes_key(kPrunePeer)) return check(field.bytes);
    return {};
  }));
  if (!usable(topic)) {
    ++rpc.left_out;
    return {};
  }
  read.topic = *topic;
  keep(rpc.prune, kGossipPrunesMax, read, rpc);
  return {};
}

Result<void> read_control(ByteView from, GossipRpc& rpc) {
  return read_message(from, [&](const Field& field) -> Result<void> {
    switch (field.key) {
      case bytes_key(kIHave):
        return read_ihave(field.bytes, rpc);
      case bytes_key(kIWant):
        return read_iwant(field.bytes, rpc);
      case bytes_key(kGraft):
        return read_graft(field.bytes, rpc);
      case bytes_key(kPrune):
        return read_prune(field.bytes, rpc);
    }
    return {};
  });
}

Result<void> read_rpc(ByteView from, GossipRpc& rpc) {
  return read_message(from, [&](const Field& field) -> Result<void> {
    switch (field.key) {
      case bytes_key(kSubscription):
        return read_subscription(field.bytes, rpc);
      case bytes_key(kPublish):
        KITH_TRY_VOID(check(field.bytes));
        keep(rpc.publish, kGossipPublishMax, field.bytes, rpc);
        break;
      case bytes_key(kControl):
        return read_control(field.bytes, rpc);
    }
    return {};
  });
}

template <class Element>
void empty(std::vector<Element>& list) {
  list.clear();
  if (list.capacity() > kKeptCapacity) list.shrink_to_fit();
}

template <class Pass>
void write_signed_fields(Pass& to, const GossipMessageFields& fields) {
  if (fields.from) to.bytes(kFrom, *fields.from);
  if (fields.data) to.bytes(kData, *fields.data);
  if (fields.seqno) to.bytes(kSeqno, *fields.seqno);
  if (fields.topic) to.text(kTopic, *fields.topic);
}

template <class Pass>
void write_control(Pass& to, const GossipControlOut& control) {
  for (const GossipIHaveOut& ihave : control.ihave)
    to.message(kIHave, [&](auto& inner) {
      inner.text(kElementTopic, ihave.topic);
      for (const ByteView id : ihave.ids) inner.bytes(kIHaveId, id);
    });
  if (!control.iwant.empty())
    to.message(kIWant, [&](auto& inner) {
      for (const ByteView id : control.iwant) inner.bytes(kIWantId, id);
    });
  for (const std::string_view topic : control.graft)
    to.message(kGraft, [&](auto& inner) { inner.text(kElementTopic, topic); });
  for (const GossipPrune& prune : control.prune)
    to.message(kPrune, [&](auto& inner) {
      inner.text(kElementTopic, prune.topic);
      if (prune.backoff > 0) inner.varint(kPruneBackoff, prune.backoff);
    });
}

}  // namespace

void GossipRpc::clear() {
  empty(subscriptions);
  empty(publish);
  empty(ihave);
  empty(iwant);
  empty(graft);
  empty(prune);
  left_out = 0;
}

Result<void> decode_gossip_rpc(ByteView rpc, GossipRpc& to) {
  to.clear();
  if (rpc.size() > kGossipRpcBytesMax) return fail(Errc::oversized, "an RPC of more than 1 MiB");
  Result<void> read = read_rpc(rpc, to);
  if (!read) to.clear();
  return read;
}

Result<GossipMessageFields> decode_gossip_message(ByteView message) {
  GossipMessageFields read;
  KITH_TRY_VOID(read_message(message, [&](const Field& field) -> Result<void> {
    switch (field.key) {
      case bytes_key(kFrom):
        read.from = field.bytes;
        break;
      case bytes_key(kData):
        read.data = field.bytes;
        break;
      case bytes_key(kSeqno):
        read.seqno = field.bytes;
        break;
      case bytes_key(kTopic):
        read.topic = field.text();
        break;
      case bytes_key(kSignature):
        read.signature = field.bytes;
        break;
      case bytes_key(kKey):
        read.key = field.bytes;
        break;
      default:
        return fail(Errc::malformed, "a message with a field that pubsub does not have");
    }
    return {};
  }));
  return read;
}

Bytes gossip_signed_bytes(const GossipMessageFields& fields) {
  return encode([&](auto& to) {
    to.raw(as_bytes(kSignPrefix));
    write_signed_fields(to, fields);
  });
}

Bytes encode_gossip_publish(const GossipMessageFields& fields) {
  return encode([&](auto& to) {
    to.message(kPublish, [&](auto& inner) {
      write_signed_fields(inner, fields);
      if (fields.signature) inner.bytes(kSignature, *fields.signature);
      if (fields.key) inner.bytes(kKey, *fields.key);
    });
  });
}

Bytes encode_gossip_publish(ByteView message) {
  return encode([&](auto& to) { to.bytes(kPublish, message); });
}

Bytes encode_gossip_control(const GossipControlOut& control) {
  const bool has_control = !control.ihave.empty() || !control.iwant.empty() ||
                           !control.graft.empty() || !control.prune.empty();
  return encode([&](auto& to) {
    for (const GossipSubscription& entry : control.subscriptions)
      to.message(kSubscription, [&](auto& inner) {
        inner.flag(kSubscribe, entry.subscribe);
        inner.text(kSubscriptionTopic, entry.topic);
      });
    if (has_control) to.message(kControl, [&](auto& inner) { write_control(inner, control); });
  });
}

}  // namespace kith::libp2p
