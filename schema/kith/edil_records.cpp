// The bodies of EDIL's signed records, and what all of its messages are made of.
#include "schema/kith/edil_parts.hpp"

namespace kith::schema {
namespace {

constexpr std::size_t kCidBytesMax = 40;
constexpr std::size_t kPeerBytesMax = 64;
constexpr std::size_t kSignatureBytesMax = 512;  // of the largest RSA key

Result<void> within(std::string_view what, std::uint64_t value, std::uint64_t min,
                    std::uint64_t max) {
  if (value >= min && value <= max) return {};
  return fail(Errc::configuration, std::string(what) + " is " + std::to_string(value),
              "it must be " + std::to_string(min) + " to " + std::to_string(max));
}

}  // namespace

std::uint32_t ModelShape::parameters() const {
  if (kind == ModelKind::softmax) return outputs * (inputs + 1);
  return hidden * (inputs + 1) + outputs * (hidden + 1);
}

Result<void> check_shape(const ModelShape& shape) {
  if (shape.kind != ModelKind::softmax && shape.kind != ModelKind::mlp)
    return fail(Errc::unsupported, "a model of an unknown kind");
  KITH_TRY_VOID(within("the number of inputs", shape.inputs, 1, kInputsMax));
  KITH_TRY_VOID(within("the number of outputs", shape.outputs, 2, kOutputsMax));
  if (shape.kind == ModelKind::softmax) {
    KITH_TRY_VOID(within("the hidden layer of a softmax regression", shape.hidden, 0, 0));
  } else {
    KITH_TRY_VOID(within("the hidden layer", shape.hidden, 1, kHiddenMax));
  }
  return within("the number of parameters", shape.parameters(), 1, kParametersMax);
}

Result<void> check_task(const EdilTask& task) {
  KITH_TRY_VOID(check_shape(task.shape));
  if (task.name.size() > kEdilNameMax) return fail(Errc::oversized, "a task's name is too long");
  KITH_TRY_VOID(within("the number of rounds", task.rounds, 1, kRoundsMax));
  KITH_TRY_VOID(within("the minimum of contributors", task.contributors_min, 1, kContributorsMax));
  KITH_TRY_VOID(within("the learning rate in millionths", task.rate_millionths, 1, kRateMax));
  KITH_TRY_VOID(within("the number of epochs", task.epochs, 1, kEpochsMax));
  KITH_TRY_VOID(within("the batch", task.batch, 1, kBatchMax));
  KITH_TRY_VOID(within("the number of samples", task.samples, 1, kSamplesMax));
  KITH_TRY_VOID(within("a round's milliseconds", task.round_ms, kRoundMsMin, kRoundMsMax));
  if (task.data != DataKind::digits_iid && task.data != DataKind::digits_by_label &&
      task.data != DataKind::own)
    return fail(Errc::unsupported, "data of an unknown kind");
  if (task.data != DataKind::own && (task.shape.inputs != 784 || task.shape.outputs != 10))
    return fail(Errc::configuration, "drawn digits have 784 inputs and 10 outputs");
  return {};
}

namespace edil {

Result<Sha256Digest> read_digest(capnp::Data::Reader from) {
  if (from.size() != kSha256Size) return fail(Errc::malformed, "a hash of another length");
  Sha256Digest digest{};
  std::memcpy(digest.data(), from.begin(), digest.size());
  return digest;
}

Result<Cid> read_cid(capnp::Data::Reader from) {
  if (from.size() > kCidBytesMax) return fail(Errc::oversized, "a CID above its maximum");
  return Cid::decode(view_of(from));
}

Result<PeerId> read_peer(capnp::Data::Reader from) {
  if (from.size() > kPeerBytesMax) return fail(Errc::oversized, "a peer id above its maximum");
  return PeerId::decode(view_of(from));
}

Result<Bytes> read_signature(capnp::Data::Reader from) {
  if (from.size() == 0) return fail(Errc::truncated, "a record without a signature");
  if (from.size() > kSignatureBytesMax) return fail(Errc::oversized, "a signature too long");
  return Bytes::copy(view_of(from));
}

Result<EdilMember> read_member(wire::EdilMember::Reader from) {
  EdilMember member;
  KITH_TRY(member.contributor, read_peer(from.getContributor()));
  member.samples = from.getSamples();
  KITH_TRY(member.hash, read_digest(from.getHash()));
  KITH_TRY(member.signature, read_signature(from.getSignature()));
  if (member.samples == 0 || member.samples > kSamplesMax)
    return fail(Errc::oversized, "a number of samples outside its bounds");
  return member;
}

void write_member(wire::EdilMember::Builder to, const EdilMember& member) {
  to.setContributor(data_of(member.contributor.bytes()));
  to.setSamples(member.samples);
  to.setHash(data_of(member.hash));
  to.setSignature(data_of(member.signature));
}

Result<EdilSigned> read_signed(wire::EdilSigned::Reader from) {
  EdilSigned record;
  KITH_TRY(record.signer, read_peer(from.getSigner()));
  record.body = Bytes::copy(view_of(from.getBody()));
  KITH_TRY(record.signature, read_signature(from.getSignature()));
  return record;
}

void write_signed(wire::EdilSigned::Builder to, const EdilSigned& record) {
  to.setSigner(data_of(record.signer.bytes()));
  to.setBody(data_of(record.body));
  to.setSignature(data_of(record.signature));
}

}  // namespace edil

Bytes encode_edil_task(const EdilTask& task) {
  return encode_flat<wire::EdilTask>([&](wire::EdilTask::Builder to) {
    to.setName(task.name);
    to.setModel(static_cast<std::uint8_t>(task.shape.kind));
    to.setInputs(task.shape.inputs);
    to.setHidden(task.shape.hidden);
    to.setOutputs(task.shape.outputs);
    to.setFirstModel(data_of(task.first_model.bytes()));
    to.setRounds(task.rounds);
    to.setContributorsMin(task.contributors_min);
    to.setRateMillionths(task.rate_millionths);
    to.setEpochs(task.epochs);
    to.setBatch(task.batch);
    to.setData(static_cast<std::uint8_t>(task.data));
    to.setSamples(task.samples);
    to.setRoundMs(task.round_ms);
    to.setCreated(task.created_ms);
  });
}

Result<EdilTask> decode_edil_task(ByteView body) {
  return decode_flat<wire::EdilTask, EdilTask>(
      body, kEdilTaskMax, [](wire::EdilTask::Reader from) -> Result<EdilTask> {
        EdilTask task;
        const auto name = from.getName();
        task.name.assign(name.begin(), name.size());
        task.shape = {static_cast<ModelKind>(from.getModel()), from.getInputs(), from.getHidden(),
                      from.getOutputs()};
        KITH_TRY(task.first_model, edil::read_cid(from.getFirstModel()));
        task.rounds = from.getRounds();
        task.contributors_min = from.getContributorsMin();
        if (from.getStrategy() != 0) return fail(Errc::unsupported, "a strategy of another kind");
        task.rate_millionths = from.getRateMillionths();
        task.epochs = from.getEpochs();
        task.batch = from.getBatch();
        task.data = static_cast<DataKind>(from.getData());
        task.samples = from.getSamples();
        task.round_ms = from.getRoundMs();
        task.created_ms = from.getCreated();
        KITH_TRY_VOID(check_task(task));
        return task;
      });
}

Bytes encode_edil_join(const EdilJoin& join) {
  return encode_flat<wire::EdilJoin>([&](wire::EdilJoin::Builder to) {
    to.setTask(data_of(join.task));
    to.setAt(join.at_ms);
    to.setLeaves(join.leaves);
  });
}

Result<EdilJoin> decode_edil_join(ByteView body) {
  return decode_flat<wire::EdilJoin, EdilJoin>(
      body, kEdilTaskMax, [](wire::EdilJoin::Reader from) -> Result<EdilJoin> {
        EdilJoin join;
        KITH_TRY(join.task, edil::read_digest(from.getTask()));
        join.at_ms = from.getAt();
        join.leaves = from.getLeaves();
        return join;
      });
}

Bytes encode_edil_close(const EdilClose& close) {
  return encode_flat<wire::EdilClose>([&](wire::EdilClose::Builder to) {
    to.setTask(data_of(close.task));
    to.setRound(close.round);
    to.setView(close.view);
    to.setBase(data_of(close.base.bytes()));
    to.setModel(data_of(close.model.bytes()));
    auto members = to.initMembers(static_cast<kj::uint>(close.members.size()));
    for (kj::uint i = 0; i < members.size(); ++i) edil::write_member(members[i], close.members[i]);
  });
}

Result<EdilClose> decode_edil_close(ByteView body) {
  return decode_flat<wire::EdilClose, EdilClose>(
      body, kEdilMessageMax, [](wire::EdilClose::Reader from) -> Result<EdilClose> {
        EdilClose close;
        KITH_TRY(close.task, edil::read_digest(from.getTask()));
        close.round = from.getRound();
        close.view = from.getView();
        KITH_TRY(close.base, edil::read_cid(from.getBase()));
        KITH_TRY(close.model, edil::read_cid(from.getModel()));
        if (close.round == 0 || close.round > kRoundsMax)
          return fail(Errc::malformed, "a round outside 1 to 1000");
        const auto members = from.getMembers();
        if (members.size() == 0 || members.size() > kContributorsMax)
          return fail(Errc::oversized, "a close of no or too many members");
        for (const auto member : members) {
          KITH_TRY(EdilMember one, edil::read_member(member));
          if (!close.members.empty() && !(close.members.back().contributor < one.contributor))
            return fail(Errc::malformed, "members out of order");
          close.members.push_back(std::move(one));
        }
        return close;
      });
}

}  // namespace kith::schema
