#include "schema/base/bytes.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace kith {

Bytes Bytes::allocate(std::size_t size) {
  Bytes made;
  if (size == 0) return made;
  constexpr std::size_t kHead = sizeof(Owner);
  void* memory = std::malloc(kHead + size);
  if (memory == nullptr) throw std::bad_alloc();
  made.owner_ = new (memory) Owner;
  made.owner_->destroy = [](Owner* owner) {
    owner->~Owner();
    std::free(owner);
  };
  made.data_ = static_cast<std::uint8_t*>(memory) + kHead;
  made.size_ = size;
  return made;
}

Bytes Bytes::copy(ByteView from) {
  return make(from.size(), [&](std::span<std::uint8_t> to) {
    if (!to.empty()) std::memcpy(to.data(), from.data(), to.size());
  });
}

template <class Container>
Bytes Bytes::adopt_container(Container&& from) {
  struct Holder : Owner {
    std::remove_reference_t<Container> held;
  };
  Bytes made;
  if (from.empty()) return made;
  auto* holder = new Holder;
  holder->held = std::move(from);
  holder->destroy = [](Owner* owner) { delete static_cast<Holder*>(owner); };
  made.owner_ = holder;
  made.data_ = reinterpret_cast<const std::uint8_t*>(holder->held.data());
  made.size_ = holder->held.size();
  return made;
}

Bytes Bytes::adopt(std::vector<std::uint8_t>&& from) { return adopt_container(std::move(from)); }
Bytes Bytes::adopt(std::string&& from) { return adopt_container(std::move(from)); }

Bytes Bytes::slice(std::size_t offset, std::size_t length) const& {
  return Bytes(*this).slice(offset, length);
}

Bytes Bytes::slice(std::size_t offset, std::size_t length) && {
  const std::size_t start = std::min(offset, size_);
  Bytes part = std::move(*this);
  part.data_ += start;
  part.size_ = std::min(length, part.size_ - start);
  return part;
}

}  // namespace kith
