#include "simnet/program/parameters.hpp"

#include <map>
#include <vector>

#include "simnet/program/text.hpp"
#include "simnet/scenario/scenario_toml.hpp"

namespace kith::simnet {
namespace {

struct Table {
  std::string header;   // "", "link", "group.link"
  bool listed = false;  // [[...]]
  std::vector<std::pair<std::string, std::string>> values;
};

// Reads what scenario_text writes: a key a line; only a matrix goes on until its bracket closes.
std::vector<Table> tables_of(const std::string& text) {
  std::vector<Table> tables(1);
  std::size_t at = 0;
  const auto next_line = [&] {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    return line;
  };
  while (at < text.size()) {
    const std::string line = next_line();
    if (line.starts_with('[')) {
      const bool listed = line.starts_with("[[");
      const std::size_t brackets = listed ? 2 : 1;
      tables.push_back({line.substr(brackets, line.find(']') - brackets), listed, {}});
    } else if (const std::size_t equals = line.find(" = "); equals != std::string::npos) {
      std::string value = line.substr(equals + 3);
      if (value == "[")
        for (std::string more; more != "]" && at < text.size();) value += more = next_line();
      tables.back().values.emplace_back(line.substr(0, equals), value);
    }
  }
  return tables;
}

using Usual = std::map<std::string, std::map<std::string, std::string>>;  // header, key

// What stands in a table of which a scenario says nothing. A group's link is usually [link].
Usual usual_values(const std::vector<Table>& tables) {
  Scenario plain;
  plain.groups.resize(1);
  plain.work.resize(1);
  plain.faults.resize(1);
  Usual usual;
  for (const Table& table : tables_of(scenario_text(plain)))
    usual[table.header].insert(table.values.begin(), table.values.end());
  for (const Table& table : tables)
    for (const char* list : {"group.", "fault."})
      if (const auto found = usual.find(list + table.header); found != usual.end())
        found->second = {table.values.begin(), table.values.end()};
  return usual;
}

std::string plain_text(const std::string& value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return html_text(quoted ? value.substr(1, value.size() - 2) : value);
}

bool always_shown(const Table& table, std::size_t place) {
  const std::string& key = table.values[place].first;
  if (table.header.empty())
    return key == "fidelity" || key == "nodes" || key == "seed" || key == "until" ||
           key == "settle";
  return table.listed && place == 0;  // what it is: a group's name, a work's `do`
}

}  // namespace

std::string parameters_section(const std::string& scenario) {
  if (scenario.empty()) return {};
  const std::vector<Table> tables = tables_of(scenario);
  const Usual usual = usual_values(tables);
  std::string cards;
  for (const Table& table : tables) {
    const auto known = usual.find(table.header);
    std::string rows;
    for (std::size_t i = 0; i < table.values.size(); ++i) {
      const auto& [key, value] = table.values[i];
      if (table.header.empty() && (key == "name" || key == "about")) continue;  // above
      if (known != usual.end() && !always_shown(table, i)) {
        const auto same = known->second.find(key);
        if (same != known->second.end() && same->second == value) continue;
      }
      rows += "<tr><th>" + html_text(key) + "</th><td>" + plain_text(value) + "</td></tr>";
    }
    if (rows.empty()) continue;
    cards += "<table><caption>" + (table.header.empty() ? "the run" : html_text(table.header)) +
             "</caption><tbody>" + rows + "</tbody></table>\n";
  }
  return "<div class=\"parameters\">\n" + cards +
         "</div>\n<p class=\"soft\">What is not named here is as usual.</p>\n"
         "<details><summary class=\"soft\">every value, as TOML</summary>\n<pre>" +
         html_text(scenario) + "</pre></details>\n";
}

}  // namespace kith::simnet
