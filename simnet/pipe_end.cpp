#include "simnet/pipe_end.hpp"

#include <algorithm>
#include <cstring>

namespace kith::simnet {

Bytes PipeEnd::take(std::size_t bytes_max) {
  const std::size_t size = std::min(bytes_max, backlog);
  backlog -= size;
  if (queue.front().size() > size) {
    Bytes& front = queue.front();
    Bytes piece = front.slice(0, size);
    front = std::move(front).slice(size);
    return piece;
  }
  if (queue.front().size() == size) return queue.pop();
  // Small writes leave together, as they would in one packet.
  return Bytes::make(size, [&](std::span<std::uint8_t> to) {
    while (!to.empty()) {
      Bytes& front = queue.front();
      const std::size_t part = std::min(front.size(), to.size());
      std::memcpy(to.data(), front.data(), part);
      to = to.subspan(part);
      if (part == front.size())
        queue.pop();
      else
        front = std::move(front).slice(part);
    }
  });
}

void PipeEnd::absorb_credits(Mono now) {
  while (!credits.empty() && credits.front().at <= now) unacknowledged -= credits.pop().bytes;
}

}  // namespace kith::simnet
