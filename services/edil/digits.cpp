// Digits, drawn.
#include <array>
#include <cmath>

#include "net/base/rng.hpp"
#include "services/edil/dataset.hpp"

namespace kith::edil {
namespace {

struct Point {
  float x = 0, y = 0;
};
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

// In a box of 1 x 1, y downwards.
Stroke ellipse(float x, float y, float rx, float ry) {
  constexpr std::array<Point, 12> kCircle = {{{1, 0},
                                              {0.866f, 0.5f},
                                              {0.5f, 0.866f},
                                              {0, 1},
                                              {-0.5f, 0.866f},
                                              {-0.866f, 0.5f},
                                              {-1, 0},
                                              {-0.866f, -0.5f},
                                              {-0.5f, -0.866f},
                                              {0, -1},
                                              {0.5f, -0.866f},
                                              {0.866f, -0.5f}}};
  Stroke stroke;
  for (const Point& at : kCircle) stroke.push_back({x + rx * at.x, y + ry * at.y});
  stroke.push_back(stroke.front());
  return stroke;
}

const std::array<Glyph, 10>& glyphs() {
  static const std::array<Glyph, 10> kGlyphs = {{
      {ellipse(0.5f, 0.5f, 0.27f, 0.38f)},
      {{{0.35f, 0.27f}, {0.52f, 0.12f}, {0.52f, 0.88f}}},
      {{{0.25f, 0.3f},
        {0.32f, 0.16f},
        {0.5f, 0.12f},
        {0.7f, 0.2f},
        {0.72f, 0.36f},
        {0.55f, 0.56f},
        {0.25f, 0.88f},
        {0.76f, 0.88f}}},
      {{{0.27f, 0.17f},
        {0.5f, 0.12f},
        {0.7f, 0.22f},
        {0.68f, 0.4f},
        {0.45f, 0.48f},
        {0.7f, 0.58f},
        {0.72f, 0.78f},
        {0.5f, 0.88f},
        {0.26f, 0.82f}}},
      {{{0.8f, 0.62f}, {0.22f, 0.62f}, {0.6f, 0.12f}, {0.6f, 0.88f}}},
      {{{0.72f, 0.12f},
        {0.32f, 0.12f},
        {0.29f, 0.46f},
        {0.52f, 0.41f},
        {0.73f, 0.55f},
        {0.72f, 0.76f},
        {0.5f, 0.88f},
        {0.26f, 0.82f}}},
      {{{0.66f, 0.13f},
        {0.42f, 0.28f},
        {0.28f, 0.55f},
        {0.3f, 0.78f},
        {0.5f, 0.88f},
        {0.7f, 0.78f},
        {0.7f, 0.6f},
        {0.5f, 0.5f},
        {0.3f, 0.62f}}},
      {{{0.25f, 0.12f}, {0.76f, 0.12f}, {0.45f, 0.88f}}},
      {ellipse(0.5f, 0.3f, 0.2f, 0.18f), ellipse(0.5f, 0.68f, 0.24f, 0.2f)},
      {{{0.7f, 0.38f},
        {0.5f, 0.5f},
        {0.31f, 0.4f},
        {0.3f, 0.24f},
        {0.5f, 0.12f},
        {0.69f, 0.22f},
        {0.7f, 0.45f},
        {0.62f, 0.7f},
        {0.45f, 0.88f}}},
  }};
  return kGlyphs;
}

float uniform(Rng& rng, float from, float to) {
  const auto parts = static_cast<float>(rng.next() >> 40);  // 24 bits: exact in a float
  return from + (to - from) * (parts * (1.0f / (1 << 24)));
}

float square_distance(Point p, Point a, Point b) {
  const float dx = b.x - a.x, dy = b.y - a.y;
  const float length = dx * dx + dy * dy;
  float along = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
  along = along < 0 ? 0 : along > 1 ? 1 : along;
  const float ex = p.x - (a.x + along * dx), ey = p.y - (a.y + along * dy);
  return ex * ex + ey * ey;
}

// Pixels that a segment may touch get their distance to it, when it is the least.
void stamp(std::array<float, kDigitInputs>& nearest, Point a, Point b, float reach) {
  const auto bound = [](float at) {
    return static_cast<int>(at < 0 ? 0 : at > kDigitSide - 1 ? kDigitSide - 1 : at);
  };
  const int x_end = bound(std::max(a.x, b.x) + reach + 1);
  const int y_end = bound(std::max(a.y, b.y) + reach + 1);
  for (int y = bound(std::min(a.y, b.y) - reach); y <= y_end; ++y)
    for (int x = bound(std::min(a.x, b.x) - reach); x <= x_end; ++x) {
      const Point pixel{static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f};
      float& least =
          nearest[static_cast<std::size_t>(y) * kDigitSide + static_cast<std::size_t>(x)];
      least = std::min(least, square_distance(pixel, a, b));
    }
}

void draw(Rng& rng, const Glyph& glyph, float* to) {
  constexpr float kSoft = 0.8f;  // pixels over which ink fades
  const float side = static_cast<float>(kDigitSide);
  const float xx = uniform(rng, 0.72f, 1.1f);
  const float yy = uniform(rng, 0.72f, 1.05f);
  const float xy = uniform(rng, -0.3f, 0.3f);
  const float yx = uniform(rng, -0.22f, 0.22f);
  const float x0 = uniform(rng, -0.09f, 0.09f);
  const float y0 = uniform(rng, -0.09f, 0.09f);
  const float thick = uniform(rng, 0.6f, 1.6f);
  std::array<float, kDigitInputs> nearest;
  nearest.fill(1e9f);
  for (const Stroke& stroke : glyph) {
    Point last;
    for (std::size_t i = 0; i < stroke.size(); ++i) {
      const float jx = uniform(rng, -0.035f, 0.035f);
      const float jy = uniform(rng, -0.035f, 0.035f);
      const float x = stroke[i].x - 0.5f + jx, y = stroke[i].y - 0.5f + jy;
      const Point at{(xx * x + xy * y + 0.5f + x0) * side, (yx * x + yy * y + 0.5f + y0) * side};
      if (i > 0) stamp(nearest, last, at, thick + kSoft);
      last = at;
    }
  }
  for (std::size_t i = 0; i < kDigitInputs; ++i) {
    // A square root is exact everywhere (IEEE 754).
    const float distance = std::sqrt(nearest[i]) - thick;
    const float ink = distance <= 0 ? 1 : distance >= kSoft ? 0 : 1 - distance / kSoft;
    const float noise = uniform(rng, -0.1f, 0.1f);
    const float value = ink + noise;
    to[i] = value < 0 ? 0 : value > 1 ? 1 : value;
  }
}

}  // namespace

Dataset draw_digits(std::uint64_t seed, std::size_t samples,
                    const std::vector<std::uint8_t>& labels) {
  Rng rng(seed);
  Dataset out;
  out.inputs = kDigitInputs;
  out.features.resize(samples * kDigitInputs);
  out.labels.reserve(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    const std::uint64_t pick = rng.below(labels.empty() ? 10 : labels.size());
    const std::uint8_t label =
        labels.empty() ? static_cast<std::uint8_t>(pick) : labels[static_cast<std::size_t>(pick)];
    draw(rng, glyphs()[label % 10u], out.features.data() + i * kDigitInputs);
    out.labels.push_back(static_cast<std::uint8_t>(label % 10u));
  }
  return out;
}

std::vector<std::uint8_t> labels_of_share(std::uint64_t seed) {
  constexpr std::size_t kLabelsOfShare = 4;
  std::vector<std::uint8_t> labels = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  Rng rng(seed);
  rng.shuffle(labels);
  labels.resize(kLabelsOfShare);
  return labels;
}

}  // namespace kith::edil
