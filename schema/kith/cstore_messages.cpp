#include "schema/kith/cstore_messages.hpp"

#include <algorithm>

#include "schema/kith/flat_message.hpp"

#include "cstore.capnp.h"

namespace kith::schema {
namespace {

constexpr std::uint16_t kRecordVersion = 1;

Result<std::string> read_space(capnp::Data::Reader from) {
  if (from.size() > kKvSpaceMax) return fail(Errc::oversized, "namespace name is too long");
  std::string name(as_text(view_of(from)));
  if (!is_kv_space(name)) return fail(Errc::malformed, "namespace name");
  return name;
}

Result<Sha256Digest> read_digest(capnp::Data::Reader from) {
  Sha256Digest digest{};
  if (from.size() != digest.size()) return fail(Errc::malformed, "hash is not 32 bytes");
  std::copy(from.begin(), from.end(), digest.begin());
  return digest;
}

Result<KvOp> read_op(wire::KvOp::Reader from) {
  KvOp op;
  if (from.getKind() < 1 || from.getKind() > 3) return fail(Errc::unsupported, "kind of change");
  op.kind = static_cast<KvOpKind>(from.getKind());
  if (from.getKey().size() == 0) return fail(Errc::malformed, "empty key");
  if (from.getKey().size() > kKvKeyMax) return fail(Errc::oversized, "key is too long");
  if (from.getValue().size() > kKvValueMax) return fail(Errc::oversized, "value is too long");
  if (op.kind != KvOpKind::put && from.getValue().size() > 0)
    return fail(Errc::malformed, "value of a change that has none");
  op.key = Bytes::copy(view_of(from.getKey()));
  op.value = Bytes::copy(view_of(from.getValue()));
  if (op.kind == KvOpKind::counter) {
    op.up = from.getUp();
    op.down = from.getDown();
  }
  return op;
}

void write_mark(const KvMark& mark, wire::KvMark::Builder to) {
  to.setWriter(data_of(mark.writer.id.bytes()));
  to.setStarted(mark.writer.started);
  to.setNonce(mark.writer.nonce);
  to.setHighest(mark.highest);
  to.setDigest(data_of(mark.digest));
}

Result<KvMark> read_mark(wire::KvMark::Reader from) {
  KvMark mark;
  KITH_TRY(mark.writer.id, PeerId::decode(view_of(from.getWriter())));
  mark.writer.started = from.getStarted();
  mark.writer.nonce = from.getNonce();
  mark.highest = from.getHighest();
  KITH_TRY(mark.digest, read_digest(from.getDigest()));
  return mark;
}

template <class List>
void write_marks(const std::vector<KvMark>& marks, List to) {
  for (kj::uint i = 0; i < to.size(); ++i) write_mark(marks[i], to[i]);
}

template <class List>
Result<std::vector<KvMark>> read_marks(List from) {
  if (from.size() > kKvMarksMax) return fail(Errc::oversized, "too many writers");
  std::vector<KvMark> marks;
  for (const auto one : from) {
    KITH_TRY(auto mark, read_mark(one));
    marks.push_back(std::move(mark));
  }
  return marks;
}

}  // namespace

bool is_kv_space(std::string_view name) {
  if (name.empty() || name.size() > kKvSpaceMax) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

Bytes encode_kv_batch(const KvBatch& batch) {
  return encode_flat<wire::KvBatch>([&](wire::KvBatch::Builder to) {
    to.setSpace(data_of(as_bytes(batch.space)));
    to.setWriter(data_of(batch.writer.id.bytes()));
    to.setStarted(batch.writer.started);
    to.setNonce(batch.writer.nonce);
    to.setSequence(batch.sequence);
    to.setStamp(batch.stamp);
    auto ops = to.initOps(static_cast<kj::uint>(batch.ops.size()));
    for (kj::uint i = 0; i < ops.size(); ++i) {
      const KvOp& op = batch.ops[i];
      ops[i].setKind(static_cast<std::uint8_t>(op.kind));
      ops[i].setKey(data_of(op.key));
      if (op.kind == KvOpKind::put) ops[i].setValue(data_of(op.value));
      ops[i].setUp(op.up);
      ops[i].setDown(op.down);
    }
  });
}

Result<KvBatch> decode_kv_batch(ByteView body) {
  return decode_flat<wire::KvBatch, KvBatch>(
      body, kKvSignedBytesMax, [](wire::KvBatch::Reader from) -> Result<KvBatch> {
        KvBatch batch;
        KITH_TRY(batch.space, read_space(from.getSpace()));
        KITH_TRY(batch.writer.id, PeerId::decode(view_of(from.getWriter())));
        batch.writer.started = from.getStarted();
        batch.writer.nonce = from.getNonce();
        batch.sequence = from.getSequence();
        batch.stamp = from.getStamp();
        if (batch.sequence == 0) return fail(Errc::malformed, "batch without a number");
        const auto ops = from.getOps();
        if (ops.size() == 0) return fail(Errc::malformed, "batch without changes");
        if (ops.size() > kKvOpsMax) return fail(Errc::oversized, "batch of too many changes");
        for (const auto one : ops) {
          KITH_TRY(auto op, read_op(one));
          batch.ops.push_back(std::move(op));
        }
        return batch;
      });
}

Bytes encode_kv_signed(ByteView body, ByteView signature) {
  return encode_flat<wire::KvSigned>([&](wire::KvSigned::Builder to) {
    to.setBody(data_of(body));
    to.setSignature(data_of(signature));
  });
}

Result<KvSigned> decode_kv_signed(ByteView message) {
  constexpr std::size_t kSignatureMax = 512;
  return decode_flat<wire::KvSigned, KvSigned>(
      message, kKvSignedBytesMax, [](wire::KvSigned::Reader from) -> Result<KvSigned> {
        if (from.getSignature().size() > kSignatureMax)
          return fail(Errc::oversized, "signature is too long");
        return KvSigned{Bytes::copy(view_of(from.getBody())),
                        Bytes::copy(view_of(from.getSignature()))};
      });
}

Bytes encode_kv_ask(const KvAsk& ask) {
  return encode_flat<wire::KvAsk>([&](wire::KvAsk::Builder to) {
    to.setSpace(data_of(as_bytes(ask.space)));
    to.setRoot(data_of(ask.root));
    to.setFull(ask.full);
    write_marks(ask.marks, to.initMarks(static_cast<kj::uint>(ask.marks.size())));
    if (!ask.walk.writer.id.empty()) write_mark(ask.walk, to.initWalk());
  });
}

Result<KvAsk> decode_kv_ask(ByteView message) {
  return decode_flat<wire::KvAsk, KvAsk>(message, kKvStreamBytesMax,
                                         [](wire::KvAsk::Reader from) -> Result<KvAsk> {
                                           KvAsk ask;
                                           KITH_TRY(ask.space, read_space(from.getSpace()));
                                           KITH_TRY(ask.root, read_digest(from.getRoot()));
                                           ask.full = from.getFull();
                                           KITH_TRY(ask.marks, read_marks(from.getMarks()));
                                           if (from.hasWalk()) {
                                             KITH_TRY(ask.walk, read_mark(from.getWalk()));
                                           }
                                           return ask;
                                         });
}

Bytes encode_kv_page(const KvPage& page) {
  return encode_flat<wire::KvPage>([&](wire::KvPage::Builder to) {
    to.setSame(page.same);
    to.setMore(page.more);
    auto batches = to.initBatches(static_cast<kj::uint>(page.batches.size()));
    for (kj::uint i = 0; i < batches.size(); ++i) batches.set(i, data_of(page.batches[i]));
    write_marks(page.forks, to.initForks(static_cast<kj::uint>(page.forks.size())));
  });
}

Result<KvPage> decode_kv_page(ByteView message) {
  return decode_flat<wire::KvPage, KvPage>(message, kKvStreamBytesMax,
                                           [](wire::KvPage::Reader from) -> Result<KvPage> {
                                             KvPage page;
                                             page.same = from.getSame();
                                             page.more = from.getMore();
                                             const auto batches = from.getBatches();
                                             if (batches.size() > kKvPageBatchesMax)
                                               return fail(Errc::oversized, "too many batches");
                                             for (const auto one : batches) {
                                               if (one.size() > kKvSignedBytesMax)
                                                 return fail(Errc::oversized, "batch is too long");
                                               page.batches.push_back(Bytes::copy(view_of(one)));
                                             }
                                             KITH_TRY(page.forks, read_marks(from.getForks()));
                                             return page;
                                           });
}

Bytes encode_kv_space_record(const KvSpaceRecord& record) {
  return encode_flat<wire::KvSpaceRecord>([&](wire::KvSpaceRecord::Builder to) {
    to.setVersion(kRecordVersion);
    to.setStarted(record.started);
    to.setNonce(record.nonce);
  });
}

Result<KvSpaceRecord> decode_kv_space_record(ByteView bytes) {
  return decode_flat<wire::KvSpaceRecord, KvSpaceRecord>(
      bytes, kKvRecordBytesMax, [](wire::KvSpaceRecord::Reader from) -> Result<KvSpaceRecord> {
        if (from.getVersion() != kRecordVersion)
          return fail(Errc::unsupported, "namespace record of another version");
        return KvSpaceRecord{from.getStarted(), from.getNonce()};
      });
}

}  // namespace kith::schema
