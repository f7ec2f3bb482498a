#include "services/bridge/metrics.hpp"

#include "services/bridge/cstore_api.hpp"
#include "services/bridge/edil_api.hpp"
#include "services/bridge/poa_api.hpp"
#include "services/bridge/version.hpp"

namespace kith::bridge {
namespace {

class Lines {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    text_ += "# HELP " + std::string(name) + " " + std::string(help) + "\n";
    text_ += "# TYPE " + std::string(name) + " " + std::string(type) + "\n";
  }
  void value(std::string_view name, std::string_view labels, std::uint64_t value) {
    text_ += name;
    if (!labels.empty()) text_ += "{" + std::string(labels) + "}";
    text_ += " " + std::to_string(value) + "\n";
  }
  void one(std::string_view name, std::string_view type, std::string_view help,
           std::uint64_t number) {
    family(name, type, help);
    value(name, {}, number);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string metrics_text(const node::Status& status) {
  Lines out;
  out.family("kith_build_info", "gauge", "What runs here.");
  out.value("kith_build_info", "version=\"" + std::string(kVersion) + "\"", 1);
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(status.uptime).count();
  out.one("kith_uptime_seconds", "gauge", "Since the node started.",
          static_cast<std::uint64_t>(uptime));
  out.one("kith_peers", "gauge", "Peers connected and identified.", status.peers);
  out.one("kith_dht_peers", "gauge", "Peers in the routing table.", status.dht_peers);
  out.one("kith_topics", "gauge", "Topics subscribed to.", status.topics.size());
  out.one("kith_gossip_forged_total", "counter",
          "Messages of all topics with a wrong signature, refused before a service saw them.",
          status.gossip.bad_signature);
  out.family("kith_stored_bytes", "gauge", "Blocks held, by whose they are.");
  out.value("kith_stored_bytes", "of=\"own\"", status.storage.own_bytes);
  out.value("kith_stored_bytes", "of=\"others\"", status.storage.kept_bytes);
  out.family("kith_quota_bytes", "gauge", "What may be held, in all and for others.");
  out.value("kith_quota_bytes", "of=\"all\"", status.storage.quota_bytes);
  out.value("kith_quota_bytes", "of=\"others\"", status.storage.kept_quota_bytes);
  out.one("kith_blocks", "gauge", "Blocks held.", status.storage.blocks);
  out.one("kith_disk_used_bytes", "gauge", "The store's size on disk.", status.disk.bytes_used);
  out.one("kith_disk_free_bytes", "gauge", "Free on the store's volume.", status.disk.bytes_free);
  out.one("kith_disk_writable", "gauge", "1 while the store takes writes.",
          status.disk.writable ? 1 : 0);
  out.family("kith_blocks_total", "counter", "Blocks exchanged with peers.");
  out.value("kith_blocks_total", "direction=\"in\"", status.blocks_in);
  out.value("kith_blocks_total", "direction=\"out\"", status.blocks_out);
  out.family("kith_block_bytes_total", "counter", "Bytes of blocks exchanged with peers.");
  out.value("kith_block_bytes_total", "direction=\"in\"", status.block_bytes_in);
  out.value("kith_block_bytes_total", "direction=\"out\"", status.block_bytes_out);
  out.one("kith_block_duplicates_total", "counter", "Blocks that arrived and were held already.",
          status.block_duplicates_in);
  out.one("kith_block_rubbish_total", "counter", "Blocks whose hash was wrong, or unasked for.",
          status.block_rubbish_in);
  return out.take() + poa_metrics(status.poa) + cstore_metrics(status.cstore) +
         edil_metrics(status.edil);
}

}  // namespace kith::bridge
