#include "schema/kith/r1fs_messages.hpp"

#include "schema/kith/flat_message.hpp"

#include "r1fs.capnp.h"

namespace kith::schema {
namespace {
constexpr std::uint16_t kRecordVersion = 1;
constexpr std::size_t kNameBytesMax = 255;
}  // namespace

Bytes encode_offer(const Offer& offer) {
  return encode_flat<wire::Offer>([&](wire::Offer::Builder to) {
    to.setRoot(data_of(offer.root.bytes()));
    to.setFileBytes(offer.file_bytes);
    to.setBlocksTotal(offer.blocks_total);
    to.setExpires(offer.expires);
    auto blocks = to.initBlocks(static_cast<kj::uint>(offer.blocks.size()));
    for (kj::uint i = 0; i < blocks.size(); ++i) {
      blocks[i].setCid(data_of(offer.blocks[i].cid.bytes()));
      blocks[i].setSize(offer.blocks[i].size);
      blocks[i].setBody(data_of(offer.blocks[i].body));
    }
  });
}

Result<Offer> decode_offer(const Bytes& message) {
  return decode_flat<wire::Offer, Offer>(
      message, kOfferBytesMax, [](wire::Offer::Reader from) -> Result<Offer> {
        Offer offer;
        KITH_TRY(offer.root, Cid::decode(view_of(from.getRoot())));
        offer.file_bytes = from.getFileBytes();
        offer.blocks_total = from.getBlocksTotal();
        offer.expires = from.getExpires();
        const auto blocks = from.getBlocks();
        if (blocks.size() == 0 || blocks.size() > kOfferBlocksMax)
          return fail(Errc::oversized, "offer of no or too many blocks");
        for (const auto block : blocks) {
          OfferedBlock one;
          KITH_TRY(one.cid, Cid::decode(view_of(block.getCid())));
          one.size = block.getSize();
          one.body = Bytes::copy(view_of(block.getBody()));
          offer.blocks.push_back(std::move(one));
        }
        return offer;
      });
}

Bytes encode_holds_question(const Cid& root) {
  return encode_flat<wire::HoldsQuestion>(
      [&](wire::HoldsQuestion::Builder to) { to.setRoot(data_of(root.bytes())); });
}

Result<Cid> decode_holds_question(const Bytes& message) {
  return decode_flat<wire::HoldsQuestion, Cid>(
      message, kRecordBytesMax,
      [](wire::HoldsQuestion::Reader from) { return Cid::decode(view_of(from.getRoot())); });
}

Bytes encode_holds_answer(bool complete) {
  return encode_flat<wire::HoldsAnswer>(
      [&](wire::HoldsAnswer::Builder to) { to.setComplete(complete); });
}

Result<bool> decode_holds_answer(const Bytes& message) {
  return decode_flat<wire::HoldsAnswer, bool>(
      message, kRecordBytesMax,
      [](wire::HoldsAnswer::Reader from) -> Result<bool> { return from.getComplete(); });
}

Bytes encode_file_record(const FileRecord& record) {
  return encode_flat<wire::FileRecord>([&](wire::FileRecord::Builder to) {
    to.setVersion(kRecordVersion);
    to.setRoot(data_of(record.root.bytes()));
    to.setName(record.name.substr(0, kNameBytesMax));
    to.setBytes(record.bytes);
    to.setBlocks(record.blocks);
    to.setAdded(record.added);
    to.setOwn(record.own);
    to.setPublic(record.is_public);
    to.setOffersDone(record.offers_done);
    to.setPublisher(data_of(record.publisher.bytes()));
  });
}

Result<FileRecord> decode_file_record(const Bytes& bytes) {
  return decode_flat<wire::FileRecord, FileRecord>(
      bytes, kRecordBytesMax, [](wire::FileRecord::Reader from) -> Result<FileRecord> {
        if (from.getVersion() != kRecordVersion)
          return fail(Errc::unsupported, "file record of another version");
        FileRecord record;
        KITH_TRY(record.root, Cid::decode(view_of(from.getRoot())));
        const auto name = from.getName();
        record.name.assign(name.begin(), name.size());
        record.bytes = from.getBytes();
        record.blocks = from.getBlocks();
        record.added = from.getAdded();
        record.own = from.getOwn();
        record.is_public = from.getPublic();
        record.offers_done = from.getOffersDone();
        if (from.getPublisher().size() > 0) {
          KITH_TRY(record.publisher, PeerId::decode(view_of(from.getPublisher())));
        }
        return record;
      });
}

Bytes encode_block_record(const BlockRecord& record) {
  return encode_flat<wire::BlockRecord>([&](wire::BlockRecord::Builder to) {
    to.setSize(record.size);
    to.setPublicRefs(record.public_refs);
    to.setLocalRefs(record.local_refs);
    to.setKeptFor(data_of(record.kept_for.bytes()));
    to.setCodec(record.codec);
  });
}

Result<BlockRecord> decode_block_record(const Bytes& bytes) {
  return decode_flat<wire::BlockRecord, BlockRecord>(
      bytes, kRecordBytesMax, [](wire::BlockRecord::Reader from) -> Result<BlockRecord> {
        BlockRecord record;
        record.size = from.getSize();
        record.public_refs = from.getPublicRefs();
        record.local_refs = from.getLocalRefs();
        record.codec = from.getCodec();
        if (from.getKeptFor().size() > 0) {
          KITH_TRY(record.kept_for, Multihash::decode(view_of(from.getKeptFor())));
        }
        return record;
      });
}

}  // namespace kith::schema
