// BatchLog: which batches of a namespace are held: per writer the hashes of those from 1 on without
// a gap; behind them those that the store was handed and has not answered for; and, for a while,
// those that came before an earlier one. Pure bookkeeping: bytes are in the store, contents in
// SpaceState.
//
// Rules
// * place() says what a batch is to us. The next one goes through store() and becomes held with
//   stored(); not_stored() forgets it and what came behind it, so that they are `next` again.
//   hold() takes one that is durable already, early() one ahead, replace() the other half of a
//   fork.
// * Only what is held is in marks(), as nobody sends again what we say we have.
// * Two batches of one number (their writer's fault) converge: the smaller hash stays, everywhere.
//   A chain of hashes per writer shows in a vector that two nodes hold as much, but not the same.
//
// Bounds: kWritersMax writers, kEarlyPerWriterMax and kEarlyBytesMax ahead, bytes_max in all.
#pragma once

#include <map>
#include <optional>

#include "services/cstore/limits.hpp"

namespace kith::cstore {

struct HeldBatch {
  Sha256Digest id{};
  std::uint32_t bytes = 0;
};
struct EarlyBatch {
  schema::KvBatch batch;
  Sha256Digest id{};
  Bytes exact;
};

enum class Place : std::uint8_t {
  next,        // to be stored
  early,       // an earlier one is missing
  known,       // held, being stored, or waiting
  fork_wins,   // another one of this number is held, and this one takes its place
  fork_loses,  // and stays
  too_early,   // beyond what may wait
  full         // no room for its writer or its bytes
};

class BatchLog {
 public:
  using Writer = schema::KvWriter;
  struct Writings {
    std::vector<HeldBatch> held;     // sequence 1 is at 0
    std::vector<HeldBatch> storing;  // behind them
    Sha256Digest digest{};           // of the chain of those held
    std::map<std::uint64_t, EarlyBatch> early;
    std::uint64_t highest() const { return held.size(); }
    std::uint64_t reached() const { return held.size() + storing.size(); }
  };
  explicit BatchLog(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  Place place(const Writer& writer, std::uint64_t sequence, const Sha256Digest& id,
              std::size_t bytes) const;
  // The key in the map, which stays where it is as long as something of the writer is held.
  const Writer* hold(const Writer& writer, const HeldBatch& batch);
  void store(const Writer& writer, const HeldBatch& batch);
  // None: one before it was not stored.
  const Writer* stored(const Writer& writer, std::uint64_t sequence, const Sha256Digest& id);
  void not_stored(const Writer& writer, std::uint64_t sequence, const Sha256Digest& id);
  void early(EarlyBatch batch);
  void replace(const Writer& writer, std::uint64_t sequence, const HeldBatch& batch);
  // The one that is next now, if it waited.
  std::optional<EarlyBatch> take_next(const Writer& writer);

  const std::map<Writer, Writings>& writers() const { return writers_; }
  const Writings* find(const Writer& writer) const;
  const Writer* key_of(const Writer& writer) const;
  std::uint64_t highest(const Writer& writer) const;
  std::vector<schema::KvMark> marks() const;
  bool has_room(std::size_t bytes) const { return bytes_claimed() + bytes <= bytes_max_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t bytes_claimed() const { return bytes_ + storing_bytes_; }
  std::uint64_t batches() const { return batches_; }
  std::size_t waiting() const { return waiting_; }

 private:
  void drop_early(Writings& writings, std::uint64_t up_to);

  std::uint64_t bytes_max_;
  std::map<Writer, Writings> writers_;
  std::uint64_t bytes_ = 0;
  std::uint64_t storing_bytes_ = 0;
  std::uint64_t batches_ = 0;
  std::size_t waiting_ = 0;
  std::size_t early_bytes_ = 0;
};

}  // namespace kith::cstore
