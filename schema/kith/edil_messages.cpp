#include "schema/kith/edil_messages.hpp"

#include <algorithm>

#include "schema/kith/edil_parts.hpp"

namespace kith::schema {
namespace {

using edil::read_cid;
using edil::read_digest;
using edil::read_member;
using edil::read_signed;

Result<EdilPart> read_part(wire::EdilPart::Reader from) {
  EdilPart part;
  KITH_TRY(part.task, read_digest(from.getTask()));
  part.round = from.getRound();
  KITH_TRY(part.base, read_cid(from.getBase()));
  KITH_TRY(part.member, read_member(from.getMember()));
  part.count = from.getCount();
  part.index = from.getIndex();
  if (part.round == 0 || part.round > kRoundsMax)
    return fail(Errc::malformed, "a round outside 1 to 1000");
  if (part.count == 0 || part.count > kPartsMax || part.index >= part.count)
    return fail(Errc::oversized, "a part outside its count");
  const auto bytes = from.getBytes();
  if (bytes.size() == 0) return fail(Errc::truncated, "an empty part");
  if (bytes.size() > kPartBytes) return fail(Errc::oversized, "a part above its maximum");
  part.bytes = Bytes::copy(view_of(bytes));
  return part;
}

}  // namespace

Bytes encode_edil_signed(const EdilSigned& record) {
  return encode_flat<wire::EdilSigned>(
      [&](wire::EdilSigned::Builder to) { edil::write_signed(to, record); });
}

Result<EdilSigned> decode_edil_signed(ByteView bytes) {
  return decode_flat<wire::EdilSigned, EdilSigned>(
      bytes, kEdilMessageMax, [](wire::EdilSigned::Reader from) { return read_signed(from); });
}

Bytes encode_edil_message(const EdilMessage& message) {
  return encode_flat<wire::EdilMessage>([&](wire::EdilMessage::Builder to) {
    if (const auto* part = std::get_if<EdilPart>(&message)) {
      auto out = to.initPart();
      out.setTask(data_of(part->task));
      out.setRound(part->round);
      out.setBase(data_of(part->base.bytes()));
      edil::write_member(out.initMember(), part->member);
      out.setCount(part->count);
      out.setIndex(part->index);
      out.setBytes(data_of(part->bytes));
    } else if (const auto* close = std::get_if<ClosedRound>(&message)) {
      edil::write_signed(to.initClose(), close->record);
    } else {
      edil::write_signed(to.initJoin(), std::get<JoinedTask>(message).record);
    }
  });
}

// Variants are filled in place: moved as a whole inside a Result, GCC 12 takes them for
// uninitialised.
Result<EdilMessage> decode_edil_message(ByteView bytes) {
  EdilMessage message;
  KITH_TRY_VOID((decode_flat<wire::EdilMessage, bool>(
      bytes, kEdilMessageMax, [&](wire::EdilMessage::Reader from) -> Result<bool> {
        switch (from.which()) {
          case wire::EdilMessage::PART: {
            KITH_TRY(message.emplace<EdilPart>(), read_part(from.getPart()));
            return true;
          }
          case wire::EdilMessage::CLOSE: {
            KITH_TRY(message.emplace<ClosedRound>().record, read_signed(from.getClose()));
            return true;
          }
          case wire::EdilMessage::JOIN: {
            KITH_TRY(message.emplace<JoinedTask>().record, read_signed(from.getJoin()));
            return true;
          }
        }
        return fail(Errc::unsupported, "a message of another kind");
      })));
  return message;
}

Bytes encode_edil_question(const EdilQuestion& question) {
  return encode_flat<wire::EdilQuestion>([&](wire::EdilQuestion::Builder to) {
    if (const auto* chain = std::get_if<ChainQuestion>(&question)) {
      auto out = to.initChain();
      out.setTask(data_of(chain->task));
      out.setFromRound(chain->from_round);
      out.setWeight(chain->weight);
      out.setModel(data_of(chain->model.bytes()));
      out.setJoins(chain->joins);
    } else if (const auto* updates = std::get_if<UpdatesQuestion>(&question)) {
      auto out = to.initUpdates();
      out.setTask(data_of(updates->task));
      out.setBase(data_of(updates->base.bytes()));
      auto hashes = out.initHashes(static_cast<kj::uint>(updates->hashes.size()));
      for (kj::uint i = 0; i < hashes.size(); ++i) hashes.set(i, data_of(updates->hashes[i]));
    } else {
      to.setTasks();
    }
  });
}

Result<EdilQuestion> decode_edil_question(ByteView bytes) {
  EdilQuestion question;
  KITH_TRY_VOID((decode_flat<wire::EdilQuestion, bool>(
      bytes, kEdilQuestionMax, [&](wire::EdilQuestion::Reader from) -> Result<bool> {
        switch (from.which()) {
          case wire::EdilQuestion::TASKS:
            return true;
          case wire::EdilQuestion::CHAIN: {
            const auto read = from.getChain();
            auto& chain = question.emplace<ChainQuestion>();
            KITH_TRY(chain.task, read_digest(read.getTask()));
            chain.from_round = read.getFromRound();
            chain.weight = read.getWeight();
            KITH_TRY(chain.model, read_cid(read.getModel()));
            chain.joins = read.getJoins();
            if (chain.from_round > kRoundsMax) return fail(Errc::malformed, "a round too high");
            return true;
          }
          case wire::EdilQuestion::UPDATES: {
            const auto read = from.getUpdates();
            auto& updates = question.emplace<UpdatesQuestion>();
            KITH_TRY(updates.task, read_digest(read.getTask()));
            KITH_TRY(updates.base, read_cid(read.getBase()));
            const auto hashes = read.getHashes();
            if (hashes.size() > kAskedUpdatesMax)
              return fail(Errc::oversized, "asked for too many updates");
            for (const auto hash : hashes) {
              KITH_TRY(const Sha256Digest one, read_digest(hash));
              updates.hashes.push_back(one);
            }
            return true;
          }
        }
        return fail(Errc::unsupported, "a question of another kind");
      })));
  return question;
}

Bytes encode_edil_answer(const EdilAnswer& answer) {
  return encode_flat<wire::EdilAnswer>([&](wire::EdilAnswer::Builder to) {
    to.setWeight(answer.weight);
    to.setRound(answer.round);
    auto records = to.initRecords(static_cast<kj::uint>(answer.records.size()));
    for (kj::uint i = 0; i < records.size(); ++i) edil::write_signed(records[i], answer.records[i]);
    auto joins = to.initJoins(static_cast<kj::uint>(answer.joins.size()));
    for (kj::uint i = 0; i < joins.size(); ++i) edil::write_signed(joins[i], answer.joins[i]);
    auto updates = to.initUpdates(static_cast<kj::uint>(answer.updates.size()));
    for (kj::uint i = 0; i < updates.size(); ++i) {
      updates[i].setRound(answer.updates[i].round);
      updates[i].setBase(data_of(answer.updates[i].base.bytes()));
      edil::write_member(updates[i].initMember(), answer.updates[i].member);
      updates[i].setPayload(data_of(answer.updates[i].payload));
    }
  });
}

Result<EdilAnswer> decode_edil_answer(ByteView bytes) {
  return decode_flat<wire::EdilAnswer, EdilAnswer>(
      bytes, kEdilAnswerMax, [](wire::EdilAnswer::Reader from) -> Result<EdilAnswer> {
        EdilAnswer answer;
        answer.weight = from.getWeight();
        answer.round = from.getRound();
        const auto records = from.getRecords();
        const auto joins = from.getJoins();
        const auto updates = from.getUpdates();
        if (records.size() > kTasksAnswerMax || joins.size() > kContributorsMax ||
            updates.size() > kAskedUpdatesMax)
          return fail(Errc::oversized, "an answer of too many things");
        for (const auto record : records) {
          KITH_TRY(EdilSigned one, read_signed(record));
          answer.records.push_back(std::move(one));
        }
        for (const auto join : joins) {
          KITH_TRY(EdilSigned one, read_signed(join));
          answer.joins.push_back(std::move(one));
        }
        for (const auto update : updates) {
          EdilUpdate one;
          one.round = update.getRound();
          KITH_TRY(one.base, read_cid(update.getBase()));
          KITH_TRY(one.member, read_member(update.getMember()));
          one.payload = Bytes::copy(view_of(update.getPayload()));
          answer.updates.push_back(std::move(one));
        }
        return answer;
      });
}

}  // namespace kith::schema
