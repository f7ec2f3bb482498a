#include "services/edil/model.hpp"

#include <algorithm>

#include "net/base/check.hpp"
#include "net/base/rng.hpp"

namespace kith::edil {
namespace {

constexpr std::string_view kMagic = "KITHFL1\n";
constexpr std::size_t kCidField = 40;
constexpr std::size_t kHead = 8 + kSha256Size + 5 * 4 + 4 + kCidField;
static_assert(kHead + 4ull * schema::kParametersMax <= (1u << 20), "a model is one block");

void put(std::span<std::uint8_t> to, std::size_t& at, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) to[at++] = static_cast<std::uint8_t>(number >> shift);
}

void put(std::span<std::uint8_t> to, std::size_t& at, ByteView bytes) {
  std::copy(bytes.begin(), bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(at));
  at += bytes.size();
}

std::uint32_t take(ByteView from, std::size_t& at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number |= static_cast<std::uint32_t>(from[at + i]) << (8 * i);
  at += 4;
  return number;
}

}  // namespace

Weights first_weights(const ModelShape& shape, std::uint64_t seed) {
  Weights weights(shape.parameters(), 0);
  if (shape.kind == ModelKind::softmax) return weights;
  Rng rng(seed);
  // Uniform in +-1/sqrt(fan in), near enough in powers of two to need no root.
  const auto fill = [&](std::size_t from, std::size_t count, std::uint32_t fan_in) {
    std::uint64_t limit = 1u << kFractionBits;
    for (std::uint64_t square = 1; square < fan_in; square *= 4) limit /= 2;
    for (std::size_t i = 0; i < count; ++i)
      weights[from + i] = static_cast<std::int32_t>(
          static_cast<std::int64_t>(rng.below(2 * limit + 1)) - static_cast<std::int64_t>(limit));
  };
  const std::size_t first = static_cast<std::size_t>(shape.hidden) * shape.inputs;
  fill(0, first, shape.inputs);
  fill(first + shape.hidden, static_cast<std::size_t>(shape.outputs) * shape.hidden, shape.hidden);
  return weights;
}

Bytes encode_model(const Model& model) {
  const Bytes previous = model.previous.empty() ? Bytes() : model.previous.bytes();
  CHECK(previous.size() <= kCidField);
  return Bytes::make(kHead + 4 * model.weights->size(), [&](std::span<std::uint8_t> to) {
    std::fill(to.begin(), to.begin() + kHead, std::uint8_t{0});
    std::size_t at = 0;
    put(to, at, as_bytes(kMagic));
    put(to, at, ByteView(model.task));
    for (const std::uint32_t number :
         {model.round, static_cast<std::uint32_t>(model.shape.kind), model.shape.inputs,
          model.shape.hidden, model.shape.outputs, static_cast<std::uint32_t>(previous.size())})
      put(to, at, number);
    put(to, at, previous.view());
    at = kHead;
    for (const std::int32_t weight : *model.weights)
      put(to, at, static_cast<std::uint32_t>(weight));
  });
}

Result<Model> decode_model(ByteView file) {
  if (file.size() < kHead) return fail(Errc::truncated, "a model file ends in its head");
  if (as_text(file.subspan(0, kMagic.size())) != kMagic)
    return fail(Errc::malformed, "this file is not a model");
  Model model;
  std::size_t at = kMagic.size();
  std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(at), kSha256Size, model.task.begin());
  at += kSha256Size;
  model.round = take(file, at);
  const std::uint32_t kind = take(file, at);
  if (kind > 1) return fail(Errc::unsupported, "a model of an unknown kind");
  model.shape.kind = static_cast<ModelKind>(kind);
  model.shape.inputs = take(file, at);
  model.shape.hidden = take(file, at);
  model.shape.outputs = take(file, at);
  KITH_TRY_VOID(schema::check_shape(model.shape));
  const std::uint32_t cid_bytes = take(file, at);
  if (cid_bytes > kCidField) return fail(Errc::oversized, "a CID above its maximum");
  if (cid_bytes > 0) {
    KITH_TRY(model.previous, Cid::decode(file.subspan(at, cid_bytes)));
  }
  for (std::size_t i = cid_bytes; i < kCidField; ++i)
    if (file[at + i] != 0) return fail(Errc::malformed, "a model's head is not filled by zeros");
  at += kCidField;
  const std::size_t need = kHead + 4ull * model.shape.parameters();
  if (file.size() < need) return fail(Errc::truncated, "a model file ends in its weights");
  if (file.size() > need) return fail(Errc::oversized, "a model file goes on after its weights");
  auto weights = std::make_shared<Weights>(model.shape.parameters());
  for (std::int32_t& weight : *weights) weight = static_cast<std::int32_t>(take(file, at));
  model.weights = std::move(weights);
  return model;
}

Cid cid_of_file(ByteView file) { return Cid::v1(kCodecRaw, Multihash::of_sha256(file)); }

std::vector<float> to_floats(const Weights& weights) {
  std::vector<float> out(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) out[i] = static_cast<float>(weights[i]) * kUnit;
  return out;
}

}  // namespace kith::edil
