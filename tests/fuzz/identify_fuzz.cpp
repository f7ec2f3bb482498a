// An identify stream from a hostile peer. First byte: how the rest is cut. What is understood is
// held to its bounds, and merging it into what was known keeps them.
#include <algorithm>

#include "net/base/check.hpp"
#include "net/wire/identify.hpp"

using namespace kith;
using namespace kith::wire;

namespace {

void check_text(const std::optional<std::string>& text) {
  if (!text) return;
  CHECK(text->size() <= kIdentifyTextMax);
  for (const char c : *text) CHECK(c >= 0x20 && c <= 0x7e);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  static const crypto::Identity self = crypto::Identity::of_seed({});
  const std::size_t cut = bytes[0] == 0 ? size : bytes[0];
  IdentifyReader reader;
  for (ByteView rest(bytes + 1, size - 1); !rest.empty();) {
    const std::size_t taken = std::min(cut, rest.size());
    if (!reader.on_data(rest.first(taken))) return 0;
    rest = rest.subspan(taken);
  }
  auto facts = reader.finish(self.id());
  if (!facts) return 0;
  CHECK(reader.complete());
  check_text(facts->agent);
  check_text(facts->protocol_version);
  if (facts->listen_addrs) CHECK(facts->listen_addrs->size() <= libp2p::kIdentifyAddrsMax);
  if (facts->protocols) {
    CHECK(facts->protocols->size() <= libp2p::kIdentifyProtocolsMax);
    CHECK(std::is_sorted(facts->protocols->begin(), facts->protocols->end()));
  }
  if (facts->record) CHECK(facts->record->id == self.id() && facts->record_ignored.empty());
  IdentifyFacts known;
  merge_identify(known, IdentifyFacts(*facts));
  CHECK(known.protocols == facts->protocols && known.agent == facts->agent);
  return 0;
}
