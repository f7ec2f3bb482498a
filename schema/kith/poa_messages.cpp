#include "schema/kith/poa_messages.hpp"

#include "schema/kith/bit_runs.hpp"
#include "schema/kith/flat_message.hpp"

#include "poa.capnp.h"

namespace kith::schema {
namespace {

constexpr std::uint16_t kRecordVersion = 1;
constexpr std::size_t kPartsMax = 256;
constexpr std::size_t kStatementSignatureMax = 128;
constexpr std::size_t kBeatBytes = 48;  // a root pointer and five words

template <class To>
void put_capacity(To& to, const Capacity& capacity) {
  to.setCores(capacity.cores);
  to.setFlags(capacity.flags);
  to.setMemoryMib(capacity.memory_mib);
  to.setDiskFreeMib(capacity.disk_free_mib);
}

template <class From>
Capacity take_capacity(const From& from) {
  return {from.getCores(), from.getFlags(), from.getMemoryMib(), from.getDiskFreeMib()};
}

std::vector<std::uint8_t> bytes_of(capnp::Data::Reader data) { return {data.begin(), data.end()}; }

Result<StatementEntry> take_entry(wire::PoaStatementEntry::Reader from, std::size_t epochs) {
  StatementEntry entry;
  KITH_TRY(entry.peer, PeerId::decode(view_of(from.getPeer())));
  if (from.getValues().size() != epochs)
    return fail(Errc::malformed, "entry with values for other epochs");
  entry.values = bytes_of(from.getValues());
  return entry;
}

}  // namespace

Bytes encode_beat(const Beat& beat) {
  return encode_flat<wire::PoaBeat>([&](wire::PoaBeat::Builder to) {
    to.setEpoch(beat.epoch);
    to.setSequence(beat.sequence);
    to.setTime(beat.time_ms);
    put_capacity(to, beat.capacity);
  });
}

Result<Beat> decode_beat(ByteView message) {
  if (message.size() > kBeatBytesMax) return fail(Errc::oversized, "beat above its maximum");
  if (message.size() < kBeatBytes) return fail(Errc::truncated, "beat without all of its fields");
  return decode_flat<wire::PoaBeat, Beat>(
      message, kBeatBytesMax, [](wire::PoaBeat::Reader from) -> Result<Beat> {
        return Beat{from.getEpoch(), from.getSequence(), from.getTime(), take_capacity(from)};
      });
}

Bytes encode_table_question(const PeerId& after) {
  return encode_flat<wire::PoaTableQuestion>(
      [&](wire::PoaTableQuestion::Builder to) { to.setAfter(data_of(after.bytes())); });
}

Result<PeerId> decode_table_question(ByteView message) {
  return decode_flat<wire::PoaTableQuestion, PeerId>(
      message, kTableQuestionBytesMax, [](wire::PoaTableQuestion::Reader from) -> Result<PeerId> {
        if (from.getAfter().size() == 0) return PeerId();
        return PeerId::decode(view_of(from.getAfter()));
      });
}

Bytes encode_signed_statement(const SignedStatement& answer) {
  return encode_flat<wire::PoaTableAnswer>([&](wire::PoaTableAnswer::Builder to) {
    to.setStatement(data_of(answer.statement));
    to.setSignature(data_of(answer.signature));
  });
}

Result<SignedStatement> decode_signed_statement(ByteView message) {
  return decode_flat<wire::PoaTableAnswer, SignedStatement>(
      message, kTableAnswerBytesMax,
      [](wire::PoaTableAnswer::Reader from) -> Result<SignedStatement> {
        if (from.getSignature().size() > kStatementSignatureMax)
          return fail(Errc::oversized, "signature above its maximum");
        return SignedStatement{Bytes::copy(view_of(from.getStatement())),
                               Bytes::copy(view_of(from.getSignature()))};
      });
}

Bytes encode_statement(const Statement& statement) {
  return encode_flat<wire::PoaStatement>([&](wire::PoaStatement::Builder to) {
    to.setOwner(data_of(statement.owner.bytes()));
    to.setTime(statement.time_ms);
    to.setEpochSeconds(statement.epoch_seconds);
    to.setFirstEpoch(statement.first_epoch);
    to.setMore(statement.more);
    auto up = to.initUpSlots(static_cast<kj::uint>(statement.up_slots.size()));
    for (kj::uint i = 0; i < up.size(); ++i) up.set(i, statement.up_slots[i]);
    auto entries = to.initEntries(static_cast<kj::uint>(statement.entries.size()));
    for (kj::uint i = 0; i < entries.size(); ++i) {
      entries[i].setPeer(data_of(statement.entries[i].peer.bytes()));
      entries[i].setValues(data_of(statement.entries[i].values));
    }
  });
}

Result<Statement> decode_statement(ByteView bytes) {
  return decode_flat<wire::PoaStatement, Statement>(
      bytes, kTableAnswerBytesMax, [](wire::PoaStatement::Reader from) -> Result<Statement> {
        Statement statement;
        KITH_TRY(statement.owner, PeerId::decode(view_of(from.getOwner())));
        statement.time_ms = from.getTime();
        statement.epoch_seconds = from.getEpochSeconds();
        statement.first_epoch = from.getFirstEpoch();
        statement.more = from.getMore();
        const auto up = from.getUpSlots();
        const auto entries = from.getEntries();
        if (up.size() > kStatementEpochsMax || entries.size() > kStatementEntriesMax)
          return fail(Errc::oversized, "statement of too many epochs or peers");
        for (const std::uint32_t slots : up) statement.up_slots.push_back(slots);
        for (const auto entry : entries) {
          KITH_TRY(StatementEntry one, take_entry(entry, up.size()));
          if (!statement.entries.empty() && !(statement.entries.back().peer < one.peer))
            return fail(Errc::malformed, "statement whose peers are not in order");
          statement.entries.push_back(std::move(one));
        }
        return statement;
      });
}

Bytes encode_poa_peer(const PoaPeerRecord& record) {
  return encode_flat<wire::PoaPeerRecord>([&](wire::PoaPeerRecord::Builder to) {
    to.setVersion(kRecordVersion);
    to.setSequence(record.sequence);
    to.setHeardSlot(record.heard_slot);
    put_capacity(to, record.capacity);
  });
}

Result<PoaPeerRecord> decode_poa_peer(ByteView bytes) {
  return decode_flat<wire::PoaPeerRecord, PoaPeerRecord>(
      bytes, kPoaRecordBytesMax, [](wire::PoaPeerRecord::Reader from) -> Result<PoaPeerRecord> {
        if (from.getVersion() != kRecordVersion)
          return fail(Errc::unsupported, "peer record of another version");
        return PoaPeerRecord{from.getSequence(), from.getHeardSlot(), take_capacity(from)};
      });
}

Bytes encode_poa_epoch(const PoaEpochRecord& record) {
  const std::vector<std::uint8_t> packed = record.slots.empty()
                                               ? std::vector<std::uint8_t>()
                                               : pack_bits(record.slots, record.slots_total);
  return encode_flat<wire::PoaEpochRecord>([&](wire::PoaEpochRecord::Builder to) {
    to.setVersion(kRecordVersion);
    to.setSlotsTotal(record.slots_total);
    to.setSlots(data_of(packed));
    to.setSeen(record.seen);
    to.setParts(data_of(record.parts));
  });
}

Result<PoaEpochRecord> decode_poa_epoch(ByteView bytes) {
  return decode_flat<wire::PoaEpochRecord, PoaEpochRecord>(
      bytes, kPoaRecordBytesMax, [](wire::PoaEpochRecord::Reader from) -> Result<PoaEpochRecord> {
        if (from.getVersion() != kRecordVersion)
          return fail(Errc::unsupported, "epoch record of another version");
        PoaEpochRecord record;
        record.slots_total = from.getSlotsTotal();
        if (record.slots_total == 0 || record.slots_total > kSlotsPerEpochMax ||
            from.getParts().size() > kPartsMax)
          return fail(Errc::malformed, "epoch record of no or too many slots or parts");
        if (from.getSlots().size() > 0) {
          KITH_TRY(record.slots, unpack_bits(view_of(from.getSlots()), record.slots_total));
        }
        record.seen = from.getSeen();
        record.parts = bytes_of(from.getParts());
        return record;
      });
}

}  // namespace kith::schema
