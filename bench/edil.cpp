// What federated learning costs one core: updates that are checked and added into the weighted
// mean, beside a bare loop that adds as many bytes into as many 64-bit sums; and training, in
// samples a second, beside the products of its first and largest matrix alone.
#include <Eigen/Core>

#include "bench/timing.hpp"
#include "net/base/check.hpp"
#include "net/base/rng.hpp"
#include "services/edil/trainer.hpp"
#include "services/edil/update.hpp"

namespace kith::bench {
namespace {

using namespace edil;

constexpr int kRounds = 12;
constexpr std::size_t kUpdates = 200;

void measure_sums(const ModelShape& shape, const char* name) {
  const std::size_t parameters = shape.parameters();
  Rng rng(1);
  std::vector<Bytes> updates;
  for (std::size_t i = 0; i < 20; ++i) {
    std::vector<std::uint8_t> payload(payload_bytes(parameters));
    for (std::size_t at = 0; at < payload.size(); ++at)
      payload[at] =
          static_cast<std::uint8_t>(at % (kBlockWeights + 1) == 0 ? rng.below(12) : rng.below(127));
    updates.push_back(Bytes::adopt(std::move(payload)));
  }
  const Weights base(parameters, 0);
  std::vector<std::int64_t> sums(parameters);
  std::vector<Rival> rivals{
      {"kernel: bytes added into sums",
       [&] {
         for (std::size_t k = 0; k < kUpdates; ++k) {
           const auto* bytes = reinterpret_cast<const std::int8_t*>(updates[k % 20].data());
           std::int64_t* to = sums.data();
           for (std::size_t i = 0; i < parameters; ++i) to[i] += bytes[i];
         }
         CHECK(sums[1] != 0);
       }},
      {"weighted sums",
       [&] {
         Aggregate sum(parameters);
         for (std::size_t k = 0; k < kUpdates; ++k) sum.add(updates[k % 20], 300);
         CHECK(sum.samples() > 0);
       }},
      {"checked, hashed, weighted, applied, named",
       [&] {
         Model model;
         model.shape = shape;
         Aggregate sum(parameters);
         for (std::size_t k = 0; k < kUpdates; ++k) {
           CHECK(check_payload(parameters, updates[k % 20]).has_value());
           CHECK(sha256(updates[k % 20])[0] != 1 || k < kUpdates);
           sum.add(updates[k % 20], 300);
         }
         model.weights = std::make_shared<Weights>(sum.apply(base));
         CHECK(!cid_of_file(encode_model(model)).empty());
       }},
  };
  compete(rivals, kRounds);
  const double bytes = static_cast<double>(kUpdates * payload_bytes(parameters));
  for (const Rival& rival : rivals)
    print_row(std::string(name) + "  " + rival.name, bytes / rival.best.cpu / 1e9, "GB/CPU s");
}

void measure_training(const ModelShape& shape, const char* name) {
  constexpr std::size_t kSamples = 500;
  const auto data = std::make_shared<Dataset>(draw_digits(1, kSamples));
  const Weights start = first_weights(shape, 1);
  std::vector<Rival> rivals{
      {"kernel: the matrix products alone",
       [&] {
         using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
         const Eigen::Index rows = shape.hidden > 0 ? shape.hidden : shape.outputs;
         Matrix w = Matrix::Constant(rows, kDigitInputs, 0.01f);
         Matrix out(16, rows);
         for (std::size_t at = 0; at + 16 <= kSamples; at += 16) {
           const Eigen::Map<const Matrix> x(data->features.data() + at * kDigitInputs, 16,
                                            kDigitInputs);
           out.noalias() = x * w.transpose();
           out *= 1e-6f;
           w.noalias() -= out.transpose() * x;
         }
         CHECK(w(0, 0) < 1e30f);
       }},
      {"trainer",
       [&] {
         Trainer trainer({shape, 0.1f, 1, 16, 1}, data, start);
         while (!trainer.step(kSamples)) {
         }
       }},
  };
  compete(rivals, kRounds);
  for (const Rival& rival : rivals)
    print_row(std::string(name) + "  " + rival.name, kSamples / rival.best.cpu / 1e3,
              "k samples/CPU s");
}

}  // namespace
}  // namespace kith::bench

int main() {
  using kith::edil::ModelKind;
  const kith::edil::ModelShape softmax{ModelKind::softmax, 784, 0, 10};
  const kith::edil::ModelShape perceptron{ModelKind::mlp, 784, 128, 10};
  kith::bench::measure_sums(softmax, "softmax 8 KB");
  kith::bench::measure_sums(perceptron, "perceptron 102 KB");
  kith::bench::measure_training(softmax, "softmax");
  kith::bench::measure_training(perceptron, "perceptron");
}
