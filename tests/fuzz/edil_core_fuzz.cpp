// A task's core under messages of three contributors, in any order, whole or damaged; what it asks
// for is done or fails, and peers answer what is true or not. Weight only grows, rounds stay within
// the task, nothing pends for ever.
// Links: kith_services_edil
#include "services/edil/task_core.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;
using namespace kith::edil;

namespace {

constexpr std::string_view kNetwork = "test-00000000";

// What does not depend on the input is made once.
struct Stage {
  std::vector<crypto::Identity> keys;
  schema::EdilTask task;
  Bytes first_file;
  TaskId id{};
  std::vector<std::pair<std::size_t, Bytes>> lines;  // speaker and message
  std::vector<schema::EdilSigned> closes;
  std::vector<schema::EdilUpdate> updates;
  Stage() {
    for (std::uint64_t i = 0; i < 4; ++i) {
      Rng rng = Rng(77).fork("identity", i);
      keys.push_back(crypto::Identity::make(rng));
    }
    Model model;
    model.shape = {ModelKind::softmax, 3, 0, 2};
    model.weights = std::make_shared<Weights>(model.shape.parameters(), 1000);
    first_file = encode_model(model);
    task.shape = model.shape;
    task.first_model = cid_of_file(first_file);
    task.rounds = 3;
    task.contributors_min = 1;
    id = sha256(schema::encode_edil_task(task));
    model.task = id;
    Cid base = task.first_model;
    for (std::size_t i = 1; i < 4; ++i)
      lines.emplace_back(
          i, schema::encode_edil_message(schema::JoinedTask{
                 sign(keys[i], kNetwork, Kind::join, schema::encode_edil_join({id, i, false}))}));
    for (std::uint32_t round = 1; round <= 3; ++round) {
      Aggregate sum(model.weights->size());
      schema::EdilClose close{id, round, 0, base, {}, {}};
      for (std::size_t i = 1; i < 4; ++i) {
        std::vector<std::uint8_t> payload(payload_bytes(model.weights->size()),
                                          static_cast<std::uint8_t>(i));
        const auto member = sign_update(keys[i], kNetwork, id, round, base, 10, sha256(payload));
        sum.add(payload, 10);
        lines.emplace_back(i, schema::encode_edil_message(schema::EdilPart{
                                  id, round, base, member, 1, 0, Bytes::copy(payload)}));
        close.members.push_back(member);
        updates.push_back({round, base, member, Bytes::copy(payload)});
      }
      std::sort(close.members.begin(), close.members.end(),
                [](const auto& a, const auto& b) { return a.contributor < b.contributor; });
      model.weights = std::make_shared<Weights>(sum.apply(*model.weights));
      model.round = round;
      model.previous = base;
      base = close.model = cid_of_file(encode_model(model));
      closes.push_back(sign(keys[round], kNetwork, Kind::close, schema::encode_edil_close(close)));
      lines.emplace_back(round, schema::encode_edil_message(schema::ClosedRound{closes.back()}));
    }
  }

  // Closes and updates in an order and number that `lie` chooses, some of them damaged.
  Result<schema::EdilAnswer> answer(std::uint8_t lie) const {
    if (lie % 4 == 3) return fail(lie % 8 == 3 ? Errc::closed : Errc::malformed, "no answer");
    schema::EdilAnswer all;
    all.weight = 1000;
    all.round = lie % 5;
    for (std::size_t k = 0; k < lie % 4u + 1; ++k)
      all.records.push_back(closes[(lie / 4 + k) % closes.size()]);
    if (lie >= 192) all.records.back().signature = closes[0].signature;
    for (std::size_t k = 0; k < lie % 16u; ++k)
      all.updates.push_back(updates[(lie / 16 + k) % updates.size()]);
    if (lie >= 128 && !all.updates.empty()) all.updates.back().payload = updates[0].payload;
    return all;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const Stage kStage;
  Counters counters;
  const TaskContext context{kStage.keys[0], std::string(kNetwork), 0};
  TaskCore core(context, 1, kStage.id, kStage.task, counters, Rng(5));
  Now now{Mono(100s), Wall(std::chrono::hours(24))};
  Effects out;
  std::uint32_t judged = 0;
  std::uint64_t weight = 0;
  std::uint8_t lie = 3;
  const auto settle = [&](bool fine) {
    for (int turns = 0; !out.empty(); ++turns) {
      FUZZ_CHECK(turns < 1000);
      for (Effect& effect : std::exchange(out, {})) {
        if (auto* check = std::get_if<Verify>(&effect)) {
          bool hold = true;
          for (const Check& one : check->checks) hold = hold && holds(kNetwork, one);
          core.on_verified(now, check->tag, hold, out);
        } else if (auto* merge = std::get_if<Merge>(&effect)) {
          Aggregate sum(merge->head.weights->size());
          for (const Counted& one : merge->updates) sum.add(one.payload, one.samples);
          merge->head.weights = std::make_shared<Weights>(sum.apply(*merge->head.weights));
          const Bytes file = encode_model(merge->head);
          core.on_merged(now, merge->tag, {merge->head.weights, file, cid_of_file(file)}, out);
        } else if (auto* commit = std::get_if<Commit>(&effect)) {
          core.on_persisted(now, commit->tag, fine, out);
        } else if (auto* get = std::get_if<GetObject>(&effect)) {
          core.on_got(now, get->tag,
                      get->cid == kStage.task.first_model && fine
                          ? Result<Bytes>(kStage.first_file)
                          : Result<Bytes>(fail(Errc::not_found, "nobody has it")),
                      out);
        } else if (auto* ask = std::get_if<Ask>(&effect)) {
          core.on_answer(now, ask->tag, kStage.answer(lie), out);
        } else if (auto* train = std::get_if<Train>(&effect)) {
          const Weights& from = *train->weights;
          core.on_trained(now, train->base, {quantise(from, to_floats(from)), 10, 10}, out);
        }
      }
    }
  };
  core.start(now, size % 2 == 0 ? Role::contributor : Role::follower, 10, out);
  settle(true);
  for (std::size_t at = 0; at + 2 < size && at < 300; at += 3) {
    lie = bytes[at + 2];
    const auto& [speaker, line] = kStage.lines[bytes[at] % kStage.lines.size()];
    std::vector<std::uint8_t> said = line.to_vector();
    if (bytes[at + 1] >= 128) said[bytes[at + 2] * said.size() / 256] ^= bytes[at + 1];
    if (bytes[at + 1] == 1) said.resize(said.size() * bytes[at + 2] / 256);
    now.mono += std::chrono::milliseconds(bytes[at + 1] * 20);
    (void)core.on_message(now, {++judged, 0}, kStage.keys[speaker].id(), {0, 0},
                          Bytes::adopt(std::move(said)), out);
    settle(bytes[at + 2] % 16 != 0);
    core.on_tick(now, {{7, 0}}, out);
    settle(true);
    TaskInfo info;
    core.fill(info);
    FUZZ_CHECK(info.round <= kStage.task.rounds && info.weight >= weight);
    FUZZ_CHECK(core.next_deadline() > now.mono - 1h);
    weight = info.weight;
  }
  return 0;
}
