// JSON as text, with numbers as people write them (105.1, not 1.051E2), and read back with errors
// instead of exceptions.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "schema/base/result.hpp"

namespace kith::simnet {

enum class JsonShape { line, pretty };
std::string json_text(const boost::json::value& value, JsonShape shape = JsonShape::line);
// A whole number as one.
boost::json::value json_number(double value);
// `name`: of the file, for the error (corrupt).
Result<boost::json::value> read_json(std::string_view text, const std::string& name);

}  // namespace kith::simnet
