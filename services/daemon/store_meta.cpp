#include "services/daemon/store_meta.hpp"

#include <charconv>

namespace kith::daemon {
namespace {

constexpr std::uint64_t kWaited = 1;  // tags
constexpr std::uint64_t kUnwaited = 2;
constexpr std::string_view kVersionKey = "version";
constexpr std::string_view kSequenceKey = "record-sequence";

Result<std::uint64_t> parse_number(const Bytes& bytes) {
  const std::string_view text = bytes.text();
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size())
    return fail(Errc::corrupt, "the store's own notes are damaged");
  return number;
}

}  // namespace

StoreMeta::StoreMeta(Store& store, net::AsioLoop& loop)
    : store_(store), loop_(loop), family_(store.family("meta")) {}

StoreMeta::~StoreMeta() { store_.forget(*this); }

Result<std::optional<std::uint64_t>> StoreMeta::read(std::string_view key) {
  read_.reset();
  store_.get(family_, Bytes::copy(key), *this, kWaited);
  if (!loop_.run_until([this] { return read_.has_value(); }, kMetaDeadline))
    return fail(Errc::timeout, "the store does not answer");
  if (!*read_) return read_->error();
  if (!**read_) return std::optional<std::uint64_t>();
  KITH_TRY(const std::uint64_t number, parse_number(***read_));
  return std::optional<std::uint64_t>(number);
}

Result<void> StoreMeta::write(std::string_view key, std::uint64_t value) {
  StoreBatch batch;
  batch.put(family_, Bytes::copy(key), Bytes::copy(std::to_string(value)));
  persisted_.reset();
  store_.commit(std::move(batch), Durability::synced, *this, kWaited);
  if (!loop_.run_until([this] { return persisted_.has_value(); }, kMetaDeadline))
    return fail(Errc::timeout, "the store does not answer");
  return *persisted_;
}

Result<void> StoreMeta::check_version(const std::string& folder) {
  KITH_TRY(const auto version, read(kVersionKey));
  if (!version) return write(kVersionKey, kStoreVersion);
  if (*version == kStoreVersion) return {};
  return fail(Errc::unsupported, "the store " + folder + " has another version",
              "it is version " + std::to_string(*version) + ", this program has " +
                  std::to_string(kStoreVersion),
              "use the program that wrote it, or choose another --home");
}

Result<std::uint64_t> StoreMeta::record_sequence() {
  KITH_TRY(const auto sequence, read(kSequenceKey));
  return sequence.value_or(0);
}

void StoreMeta::save_record_sequence(std::uint64_t sequence) {
  StoreBatch batch;
  batch.put(family_, Bytes::copy(kSequenceKey), Bytes::copy(std::to_string(sequence)));
  store_.commit(std::move(batch), Durability::buffered, *this, kUnwaited);
}

void StoreMeta::on_persisted(Now, std::uint64_t tag, Result<void> result) {
  if (tag == kWaited) persisted_ = std::move(result);
}

void StoreMeta::on_read(Now, std::uint64_t tag, Result<std::optional<Bytes>> result) {
  if (tag == kWaited) read_ = std::move(result);
}

}  // namespace kith::daemon
