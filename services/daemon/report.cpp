#include "services/daemon/report.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>

#include "services/bridge/answers.hpp"
#include "services/bridge/version.hpp"

namespace kith::daemon {

void report_ready(const node::Status& status, const Home& home, bool json) {
  if (json) {
    boost::json::object line = bridge::json_of_id(status);
    line["event"] = "ready";
    line["api"] = "unix:" + home.socket_file();
    line["version"] = std::string(bridge::kVersion);
    std::printf("%s\n", boost::json::serialize(boost::json::value(line)).c_str());
    std::fflush(stdout);
    return;
  }
  std::fprintf(stderr, "kith %s is ready\n  id       %s\n  network  %s\n",
               std::string(bridge::kVersion).c_str(), status.id.text().c_str(),
               status.network_id.c_str());
  for (const Multiaddr& addr : status.addrs)
    std::fprintf(stderr, "  address  %s\n", addr.with_peer_id(status.id).text().c_str());
}

}  // namespace kith::daemon
