// Bytes: an immutable slice of a reference-counted buffer. Payloads travel as Bytes from the socket
// to the service: a message to eight peers is encoded once and owned once. Copying and slicing cost
// one increment.
//
// Rules: the bytes of a buffer never change after the Bytes exists; a slice keeps the whole buffer
// alive (copy a small slice out of a large buffer before storing it for long). Thread-safe as
// shared_ptr is: distinct Bytes of one buffer may be used and dropped on different threads.
#pragma once

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kith {

using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}
// Lexicographic, shorter first on a tie: the order of every byte key in Kith.
inline std::strong_ordering order(ByteView a, ByteView b) {
  const std::size_t common = a.size() < b.size() ? a.size() : b.size();
  const int way = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  return way != 0 ? way <=> 0 : a.size() <=> b.size();
}

class Bytes {
 public:
  Bytes() = default;
  Bytes(const Bytes& other) noexcept
      : owner_(other.owner_), data_(other.data_), size_(other.size_) {
    if (owner_ != nullptr) owner_->hold();
  }
  Bytes(Bytes&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Bytes& operator=(Bytes other) noexcept {
    swap(other);
    return *this;
  }
  ~Bytes() { drop(); }
  void swap(Bytes& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  static Bytes copy(ByteView from);
  static Bytes copy(std::string_view text) { return copy(as_bytes(text)); }
  static Bytes adopt(std::vector<std::uint8_t>&& from);
  static Bytes adopt(std::string&& from);
  // A buffer of `size` uninitialised bytes, written once by `fill(std::span<uint8_t>)`.
  template <class Fill>
  static Bytes make(std::size_t size, Fill&& fill) {
    Bytes made = allocate(size);
    fill(std::span<std::uint8_t>(const_cast<std::uint8_t*>(made.data_), size));
    return made;
  }
  // As make, but `fill` returns how many bytes it wrote; the rest stays unused behind the slice.
  template <class Fill>
  static Bytes make_up_to(std::size_t size_max, Fill&& fill) {
    Bytes made = allocate(size_max);
    made.size_ = fill(std::span<std::uint8_t>(const_cast<std::uint8_t*>(made.data_), size_max));
    return made;
  }

  const std::uint8_t* data() const { return data_; }
  // Bytes is a contiguous range, so it converts to ByteView by itself.
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const std::uint8_t* begin() const { return data_; }
  const std::uint8_t* end() const { return data_ + size_; }
  std::uint8_t operator[](std::size_t i) const { return data_[i]; }
  ByteView view() const { return {data_, size_}; }
  std::string_view text() const { return as_text(view()); }
  std::vector<std::uint8_t> to_vector() const { return {begin(), end()}; }

  // Both saturate at the end of this slice.
  Bytes slice(std::size_t offset, std::size_t length = SIZE_MAX) const&;
  Bytes slice(std::size_t offset, std::size_t length = SIZE_MAX) &&;

  friend bool operator==(const Bytes& a, const Bytes& b) { return equal(a, b); }
  friend std::strong_ordering operator<=>(const Bytes& a, const Bytes& b) { return order(a, b); }

 private:
  struct Owner {
    std::atomic<std::uint32_t> count{1};
    void (*destroy)(Owner*) = nullptr;

    void hold() {
      if (single_threaded())
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      else
        count.fetch_add(1, std::memory_order_relaxed);
    }
    bool let_go() {  // true: by the last
      if (!single_threaded()) return count.fetch_sub(1, std::memory_order_acq_rel) == 1;
      const std::uint32_t left = count.load(std::memory_order_relaxed) - 1;
      count.store(left, std::memory_order_relaxed);
      return left == 0;
    }
  };
  // A simulation has one thread, and needs no locked instruction for each copy: 20 cycles each.
  static bool single_threaded() {
#if __has_include(<sys/single_threaded.h>)
    return __libc_single_threaded != 0;
#else
    return false;
#endif
  }
  static Bytes allocate(std::size_t size);
  template <class Container>
  static Bytes adopt_container(Container&& from);
  void drop() noexcept {
    if (owner_ != nullptr && owner_->let_go()) owner_->destroy(owner_);
  }

  Owner* owner_ = nullptr;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace kith
