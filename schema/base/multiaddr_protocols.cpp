#include "schema/base/multiaddr_protocols.hpp"

#include <algorithm>
#include <array>

namespace kith {
namespace {

// Sorted by code, for the binary search of decoders.
constexpr std::array kProtocols{
    MultiaddrProtocol{4, 4, "ip4", ValueForm::ip4},
    MultiaddrProtocol{6, 2, "tcp", ValueForm::port},
    MultiaddrProtocol{33, 2, "dccp", ValueForm::port},
    MultiaddrProtocol{41, 16, "ip6", ValueForm::ip6},
    MultiaddrProtocol{42, kVariableSize, "ip6zone", ValueForm::name},
    MultiaddrProtocol{43, 1, "ipcidr", ValueForm::cidr},
    MultiaddrProtocol{53, kVariableSize, "dns", ValueForm::name},
    MultiaddrProtocol{54, kVariableSize, "dns4", ValueForm::name},
    MultiaddrProtocol{55, kVariableSize, "dns6", ValueForm::name},
    MultiaddrProtocol{56, kVariableSize, "dnsaddr", ValueForm::name},
    MultiaddrProtocol{132, 2, "sctp", ValueForm::port},
    MultiaddrProtocol{273, 2, "udp", ValueForm::port},
    MultiaddrProtocol{275, 0, "p2p-webrtc-star", ValueForm::none},
    MultiaddrProtocol{276, 0, "p2p-webrtc-direct", ValueForm::none},
    MultiaddrProtocol{277, 0, "p2p-stardust", ValueForm::none},
    MultiaddrProtocol{280, 0, "webrtc-direct", ValueForm::none},
    MultiaddrProtocol{281, 0, "webrtc", ValueForm::none},
    MultiaddrProtocol{290, 0, "p2p-circuit", ValueForm::none},
    MultiaddrProtocol{301, 0, "udt", ValueForm::none},
    MultiaddrProtocol{302, 0, "utp", ValueForm::none},
    MultiaddrProtocol{400, kVariableSize, "unix", ValueForm::path},
    MultiaddrProtocol{421, kVariableSize, "p2p", ValueForm::peer},
    MultiaddrProtocol{443, 0, "https", ValueForm::none},
    MultiaddrProtocol{444, 12, "onion", ValueForm::onion},
    MultiaddrProtocol{445, 37, "onion3", ValueForm::onion3},
    MultiaddrProtocol{446, kVariableSize, "garlic64", ValueForm::garlic64},
    MultiaddrProtocol{447, kVariableSize, "garlic32", ValueForm::garlic32},
    MultiaddrProtocol{448, 0, "tls", ValueForm::none},
    MultiaddrProtocol{449, kVariableSize, "sni", ValueForm::name},
    MultiaddrProtocol{454, 0, "noise", ValueForm::none},
    MultiaddrProtocol{460, 0, "quic", ValueForm::none},
    MultiaddrProtocol{461, 0, "quic-v1", ValueForm::none},
    MultiaddrProtocol{465, 0, "webtransport", ValueForm::none},
    MultiaddrProtocol{466, kVariableSize, "certhash", ValueForm::certhash},
    MultiaddrProtocol{477, 0, "ws", ValueForm::none},
    MultiaddrProtocol{478, 0, "wss", ValueForm::none},
    MultiaddrProtocol{479, 0, "p2p-websocket-star", ValueForm::none},
    MultiaddrProtocol{480, 0, "http", ValueForm::none},
    MultiaddrProtocol{481, kVariableSize, "http-path", ValueForm::http_path},
    MultiaddrProtocol{777, kVariableSize, "memory", ValueForm::name},
};
static_assert(std::is_sorted(kProtocols.begin(), kProtocols.end(),
                             [](const auto& a, const auto& b) { return a.code < b.code; }));

}  // namespace

const MultiaddrProtocol* find_protocol(std::uint32_t code) {
  const auto at =
      std::lower_bound(kProtocols.begin(), kProtocols.end(), code,
                       [](const MultiaddrProtocol& p, std::uint32_t c) { return p.code < c; });
  return at != kProtocols.end() && at->code == code ? &*at : nullptr;
}

const MultiaddrProtocol* find_protocol(std::string_view name) {
  if (name == "ipfs") name = "p2p";
  const auto at = std::find_if(kProtocols.begin(), kProtocols.end(),
                               [&](const MultiaddrProtocol& p) { return p.name == name; });
  return at != kProtocols.end() ? &*at : nullptr;
}

}  // namespace kith
