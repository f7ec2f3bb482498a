#include "simnet/scenario/journal.hpp"

#include <algorithm>

namespace kith::simnet {

LogBook::LogBook(Journal& journal, std::vector<std::string> expected)
    : journal_(journal), expected_(std::move(expected)) {}

void LogBook::write(NodeIndex node, Level level, std::string_view code, const std::string& text) {
  if (level < Level::warn) return;
  ++by_code_[std::string(code)];
  const bool known = std::find(expected_.begin(), expected_.end(), code) != expected_.end();
  if (!known) ++unexpected_;
  journal_.tell(known ? "log-expected" : "log", node, std::string(code) + ": " + text);
}

}  // namespace kith::simnet
