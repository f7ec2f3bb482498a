// SeqnoSource: sequence numbers of our messages. They start at the wall clock in nanoseconds and
// only grow; peers drop what does not (kubo since 0.40), and a number used twice is a message
// that nobody hears.
//
// Rules
// * A clock that was set back must not lead to numbers that were used: a high-water mark is kept
//   in the store, above every number given out. It is raised by blocks of kSeqnoBlock, half a
//   block ahead, so that no publish waits for a disk but the first.
// * take() gives a number at once; a message must not leave before may_send(number). on_seqnos()
//   says that more may.
// * A mark that the store refused, or that was not read as it was written, is tried again, with
//   waits from kSeqnoRetryMin, doubled up to kSeqnoRetryMax. Until then take() says why there are
//   no more numbers; those that were given out wait.
// * Without a store the clock alone decides: for simulations that never restart a node.
#pragma once

#include <cstdint>

#include "net/base/store.hpp"

namespace kith::gossip {

inline constexpr std::uint64_t kSeqnoBlock = 1u << 16;
// Beyond the year 2200 in nanoseconds: a mark like that is damage.
inline constexpr std::uint64_t kSeqnoMarkMax = std::uint64_t{1} << 63;
inline constexpr Duration kSeqnoRetryMin = 1s;
inline constexpr Duration kSeqnoRetryMax = 1min;

class SeqnoListener {
 public:
  // Null: more numbers may be sent. Else, once until then: why not.
  virtual void on_seqnos(Now, const Error*) = 0;

 protected:
  ~SeqnoListener() = default;
};

class SeqnoSource final : private StoreSink {
 public:
  // `store` may be null, else it has a family "gossip". Both outlive this.
  SeqnoSource(Now now, Store* store, SeqnoListener& listener);
  ~SeqnoSource();
  SeqnoSource(const SeqnoSource&) = delete;
  SeqnoSource& operator=(const SeqnoSource&) = delete;

  // Errors: refused (the mark is not read yet), corrupt, exhausted, and what the store says.
  Result<std::uint64_t> take();
  bool may_send(std::uint64_t seqno) const { return seqno < durable_; }
  std::uint64_t next() const { return next_; }
  void on_tick(Now now);
  Mono next_deadline() const { return retry_at_; }

 private:
  void read(Now now);
  void start(Now now, const Bytes* mark);
  void reserve();
  void fail_for_now(Now now, Error why);
  void tell_failure(Now now);
  void on_persisted(Now, std::uint64_t tag, Result<void> result) override;
  void on_read(Now, std::uint64_t tag, Result<std::optional<Bytes>> value) override;
  void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>>, bool) override {}

  Store* store_;
  SeqnoListener& listener_;
  Family family_ = 0;
  bool started_ = false;
  bool reserving_ = false;
  std::optional<Error> failure_;  // of the last try
  bool told_ = false;             // the listener, of it
  Duration wait_{};
  Mono retry_at_ = kNever;
  std::uint64_t next_ = 0;
  std::uint64_t reserved_ = 0;  // the mark that was last handed to the store
  std::uint64_t durable_ = 0;   // the mark that would survive a crash
};

}  // namespace kith::gossip
