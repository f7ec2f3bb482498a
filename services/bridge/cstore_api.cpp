#include "services/bridge/cstore_api.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "schema/base/base_encoding.hpp"
#include "schema/kith/cstore_messages.hpp"

namespace kith::bridge {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kWithinMs = 30'000;
constexpr std::uint32_t kListDefault = 1000;
constexpr std::uint32_t kListMax = 10'000;

Result<TimedRequest> timed(Body& body, cstore::Request request, std::uint64_t otherwise_ms) {
  const std::uint64_t ms = body.number_or("timeout_ms", otherwise_ms, 0, kTimeoutMsMax);
  KITH_TRY_VOID(body.finish());
  return TimedRequest{std::move(request), std::chrono::milliseconds(ms)};
}

std::string hex(ByteView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string space_of(Body& body) { return body.text("space", schema::kKvSpaceMax); }
Bytes key_of(Body& body) { return Bytes::copy(body.text("key", schema::kKvKeyMax)); }
Bytes text_or_empty(Body& body, std::string_view key) {
  return Bytes::copy(body.text_or(key, schema::kKvKeyMax, ""));
}

json::object json_of(const cstore::Item& item) {
  json::object out{{"key", valid_utf8(item.key.text())}};
  if (item.deleted) {
    out["deleted"] = true;
  } else if (item.kind == cstore::Kind::counter) {
    out["kind"] = "counter";
    out["count"] = item.count;
    return out;
  } else {
    out["kind"] = "value";
    out["value"] = to_base64(item.value);
  }
  if (!item.writer.empty()) {
    out["writer"] = item.writer.text();
    out["written_ms"] =
        std::chrono::duration_cast<std::chrono::milliseconds>(item.written.time_since_epoch())
            .count();
  }
  return out;
}

void put_item(const cstore::Item& item, json::object& out) {
  for (auto& field : json_of(item)) out[field.key()] = field.value();
}

void write(const cstore::Written& written, json::object& out) { put_item(written.item, out); }
void write(const cstore::Found& found, json::object& out) { put_item(found.item, out); }
void write(const cstore::Listing& listing, json::object& out) {
  json::array items;
  for (const cstore::Item& item : listing.items) items.emplace_back(json_of(item));
  out["items"] = std::move(items);
  out["more"] = listing.more;
}
void write(const cstore::SpaceInfo& info, json::object& out) {
  out["space"] = info.space;
  out["root"] = hex(info.root);
  out["keys"] = info.keys;
  out["deleted"] = info.deleted;
  out["batches"] = info.batches;
  out["bytes"] = info.bytes;
  out["bytes_max"] = info.bytes_max;
  out["writers"] = info.writers;
  out["waiting"] = info.waiting;
  out["own_sequence"] = info.own_sequence;
}

}  // namespace

Result<TimedRequest> parse_kv_put(Body& body) {
  cstore::Put what{space_of(body), key_of(body), body.base64("value")};
  return timed(body, std::move(what), kWithinMs);
}
Result<TimedRequest> parse_kv_del(Body& body) {
  cstore::Delete what{space_of(body), key_of(body)};
  return timed(body, std::move(what), kWithinMs);
}
Result<TimedRequest> parse_kv_incr(Body& body) {
  cstore::Increment what{space_of(body), key_of(body), 1};
  what.by =
      static_cast<std::int64_t>(body.number_or("by", 1, 0, static_cast<std::uint64_t>(INT64_MAX)));
  if (body.flag_or("negative", false)) what.by = -what.by;
  return timed(body, std::move(what), kWithinMs);
}
Result<TimedRequest> parse_kv_get(Body& body) {
  cstore::Get what{space_of(body), key_of(body)};
  return timed(body, std::move(what), kWithinMs);
}
Result<TimedRequest> parse_kv_ls(Body& body) {
  cstore::List what{space_of(body), text_or_empty(body, "prefix"), text_or_empty(body, "after"),
                    kListDefault};
  what.limit = static_cast<std::uint32_t>(body.number_or("limit", kListDefault, 1, kListMax));
  return timed(body, std::move(what), kWithinMs);
}
Result<TimedRequest> parse_kv_watch(Body& body) {
  cstore::Watch what{space_of(body), text_or_empty(body, "prefix")};
  return timed(body, std::move(what), 0);
}
Result<TimedRequest> parse_kv_stat(Body& body) {
  cstore::Stat what{space_of(body)};
  return timed(body, std::move(what), kWithinMs);
}

void write_kv(const node::Answer& answer, json::object& out) {
  if (const auto* kv = std::get_if<cstore::Answer>(&answer))
    std::visit([&](const auto& kind) { write(kind, out); }, *kv);
}

json::object event(const cstore::Progress& progress) {
  const auto& change = std::get<cstore::Change>(progress);
  json::object out{{"event", "change"}, {"space", change.space}};
  put_item(change.item, out);
  return out;
}

std::string cstore_metrics(const cstore::Status& status) {
  std::string text;
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help,
                       std::uint64_t number) {
    const std::string whole = "kith_cstore_" + std::string(name);
    text += "# HELP " + whole + " " + std::string(help) + "\n# TYPE " + whole + " " +
            std::string(type) + "\n" + whole + " " + std::to_string(number) + "\n";
  };
  const cstore::Counters& counters = status.counters;
  one("spaces", "gauge", "Namespaces held.", status.spaces);
  one("keys", "gauge", "Keys that hold something.", status.keys);
  one("log_bytes", "gauge", "Bytes of batches held.", status.bytes);
  one("writes_total", "counter", "Changes acknowledged to users.", counters.writes);
  one("own_batches_total", "counter", "Batches that carried them.", counters.batches_own);
  one("merged_batches_total", "counter", "Batches of others merged.", counters.batches_merged);
  one("merged_changes_total", "counter", "Changes in them.", counters.changes_merged);
  one("pulls_total", "counter", "Catch-ups asked of peers.", counters.pulls);
  one("pulls_failed_total", "counter", "Catch-ups that ended early.", counters.pulls_failed);
  one("pages_served_total", "counter", "Answers to catch-ups of peers.", counters.pages_served);
  one("store_failures_total", "counter", "Writes and reads that the store refused.",
      counters.store_failures);
  one("damaged_total", "counter", "Stored batches that were not read as they were written.",
      counters.damaged);
  one("store_refuses", "gauge", "1 while the store takes no batches of others.",
      status.store_refuses ? 1 : 0);
  const std::string refused = "kith_cstore_refused_batches_total";
  text += "# HELP " + refused + " Batches and questions not merged, by why.\n# TYPE " + refused +
          " counter\n";
  const auto why = [&](std::string_view label, std::uint64_t number) {
    text += refused + "{why=\"" + std::string(label) + "\"} " + std::to_string(number) + "\n";
  };
  why("replayed", counters.replayed);
  why("forged", counters.forged);
  why("malformed", counters.malformed);
  why("truncated", counters.truncated);
  why("oversized", counters.oversized);
  why("future", counters.future);
  why("fork", counters.forks);
  why("gap", counters.gaps);
  why("full", counters.full);
  why("unstored", counters.unstored);
  return text;
}

}  // namespace kith::bridge
