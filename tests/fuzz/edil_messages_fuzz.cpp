// Cap'n Proto from strangers and from a damaged disk: EDIL's messages, questions, answers, records;
// its model files and updates. The first byte chooses.
// Links: kith_services_edil
#include "services/edil/model.hpp"
#include "services/edil/update.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(bytes + 1, size - 1);
  switch (bytes[0] % 8) {
    case 0:
      if (const auto message = schema::decode_edil_message(rest))
        FUZZ_CHECK(schema::decode_edil_message(schema::encode_edil_message(*message)) ||
                   rest.size() + 1024 > schema::kEdilMessageMax);
      break;
    case 1:
      if (const auto question = schema::decode_edil_question(rest))
        FUZZ_CHECK(schema::decode_edil_question(schema::encode_edil_question(*question)));
      break;
    case 2:
      if (const auto answer = schema::decode_edil_answer(rest))
        FUZZ_CHECK(answer->updates.size() <= schema::kAskedUpdatesMax);
      break;
    case 3:
      if (const auto task = schema::decode_edil_task(rest))
        FUZZ_CHECK(schema::check_task(*task) && task->shape.parameters() > 0);
      break;
    case 4:
      if (const auto close = schema::decode_edil_close(rest))
        FUZZ_CHECK(!close->members.empty() && close->round > 0);
      break;
    case 5:
      (void)schema::decode_edil_join(rest);
      (void)schema::decode_edil_signed(rest);
      break;
    case 6:
      if (const auto model = edil::decode_model(rest))
        FUZZ_CHECK(edil::encode_model(*model) == Bytes::copy(rest));
      break;
    default:
      if (edil::check_payload(40, rest)) edil::Aggregate(40).add(rest, 7);
      break;
  }
  return 0;
}
