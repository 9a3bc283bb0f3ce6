#include "naming.hpp"

#include <charconv>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include <graft/core/checksum.hpp>

namespace compare {

namespace {

constexpr char const* rate_name = "learning_rate";

/// A number as short as it can be told from others.
std::string short_of(double value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// Settings of a row, its own learning rate among them.
std::vector<std::pair<std::string, std::string>> all_settings(RowSpec const& row) {
  auto settings = row.strategy.settings;
  if (row.learning_rate) settings.emplace_back(rate_name, short_of(*row.learning_rate));
  return settings;
}

using Setting = std::pair<std::string, std::string>;

/// How many rows a strategy has, and how many of them have a setting with a value.
class Counts {
 public:
  explicit Counts(std::vector<RowSpec> const& rows) {
    for (auto const& row : rows) {
      ++rows_[row.strategy.name];
      for (auto const& setting : all_settings(row)) ++having_[{row.strategy.name, setting}];
    }
  }
  /// Whether all rows of the strategy have this very setting, and there are several.
  [[nodiscard]] bool is_shared(std::string const& strategy, Setting const& setting) const {
    std::size_t const count = rows_.at(strategy);
    return count > 1 && having_.at({strategy, setting}) == count;
  }

 private:
  std::map<std::string, std::size_t> rows_;
  std::map<std::pair<std::string, Setting>, std::size_t> having_;
};

}  // namespace

std::vector<std::string> titles_of(std::vector<RowSpec> const& rows) {
  Counts const counts(rows);
  std::vector<std::string> titles;
  for (auto const& row : rows) {
    std::string title = title_of(row.strategy.name);
    for (auto const& setting : all_settings(row))
      if (!counts.is_shared(row.strategy.name, setting)) title += " " + setting.first + "=" + setting.second;
    titles.push_back(title);
  }
  return titles;
}

std::vector<std::string> shared_settings(std::vector<RowSpec> const& rows) {
  Counts const counts(rows);
  std::vector<std::string> texts;
  std::set<std::string> told;
  for (auto const& row : rows) {
    if (!told.insert(row.strategy.name).second) continue;
    std::string text;
    for (auto const& setting : all_settings(row))
      if (counts.is_shared(row.strategy.name, setting))
        text += (text.empty() ? "" : ", ") + setting.first + "=" + setting.second;
    if (!text.empty()) texts.push_back(title_of(row.strategy.name) + ": " + text);
  }
  return texts;
}

std::string slug_of(Strategy const& strategy) {
  std::string const text = to_string(strategy);
  if (strategy.settings.empty()) return strategy.name;
  std::string slug = strategy.name;
  for (char c : text.substr(strategy.name.size())) {
    bool const plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '=' || c == '_';
    slug += plain ? c : '-';
    if (slug.size() >= 80) break;
  }
  char sum[32];
  std::snprintf(sum, sizeof sum, "-%08x", static_cast<unsigned>(graft::checksum(text.data(), text.size())));
  return slug + sum;
}

}  // namespace compare
