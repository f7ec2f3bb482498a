#include "simnet/program/json_text.hpp"

#include <boost/json.hpp>
#include <charconv>
#include <cmath>

namespace kith::simnet {
namespace {

class Printer {
 public:
  explicit Printer(JsonShape shape) : pretty_(shape == JsonShape::pretty) {}

  void print(const boost::json::value& value, std::size_t depth) {
    if (const auto* object = value.if_object()) {
      print_all('{', '}', *object, depth, [&](const auto& entry) {
        text_ += boost::json::serialize(entry.key()) + (pretty_ ? ": " : ":");
        print(entry.value(), depth + 1);
      });
    } else if (const auto* array = value.if_array()) {
      print_all('[', ']', *array, depth, [&](const auto& item) { print(item, depth + 1); });
    } else if (const auto* number = value.if_double()) {
      char digits[40];
      const auto end = std::to_chars(digits, digits + sizeof digits, *number);
      text_ += std::isfinite(*number) ? std::string(digits, end.ptr) : "null";
    } else {
      text_ += boost::json::serialize(value);
    }
  }
  std::string take() { return std::move(text_); }

 private:
  template <class All, class Each>
  void print_all(char open, char close, const All& all, std::size_t depth, Each&& each) {
    text_ += open;
    bool first = true;
    for (const auto& one : all) {
      if (!first) text_ += ',';
      first = false;
      new_line(depth + 1);
      each(one);
    }
    if (!first) new_line(depth);
    text_ += close;
  }
  void new_line(std::size_t depth) {
    if (pretty_) text_ += "\n" + std::string(2 * depth, ' ');
  }
  bool pretty_;
  std::string text_;
};

}  // namespace

std::string json_text(const boost::json::value& value, JsonShape shape) {
  Printer printer(shape);
  printer.print(value, 0);
  return printer.take();
}

boost::json::value json_number(double value) {
  if (std::fabs(value) < 9e15 && value == std::floor(value))
    return static_cast<std::int64_t>(value);
  return value;
}

Result<boost::json::value> read_json(std::string_view text, const std::string& name) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(text, error);
  if (error) return fail(Errc::corrupt, name + " is not JSON", error.message());
  return value;
}

}  // namespace kith::simnet
