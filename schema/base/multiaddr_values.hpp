// The value of a multiaddr component, by its form: how it is checked, parsed and printed.
//
// The law that every form keeps: a value that check_value accepts is printed as a text that parses
// back to the same bytes. So names with a '/', control characters or broken UTF-8 are refused in
// packed form too, which also keeps them out of logs and terminals.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/multiaddr_protocols.hpp"
#include "schema/base/result.hpp"

namespace kith {

// A value of the protocol's fixed size, if it has one.
Result<void> check_value(ValueForm form, ByteView value);
Result<std::vector<std::uint8_t>> parse_value(ValueForm form, std::string_view text);
// `value` has passed check_value.
std::string print_value(ValueForm form, ByteView value);

}  // namespace kith
