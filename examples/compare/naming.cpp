#include "naming.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

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

/// Whether all rows of the strategy have this very setting, and there are several.
bool is_shared(std::vector<RowSpec> const& rows, std::string const& name,
               std::pair<std::string, std::string> const& setting) {
  std::size_t count = 0;
  for (auto const& row : rows) {
    if (row.strategy.name != name) continue;
    ++count;
    auto const settings = all_settings(row);
    if (std::find(settings.begin(), settings.end(), setting) == settings.end()) return false;
  }
  return count > 1;
}

}  // namespace

std::vector<std::string> titles_of(std::vector<RowSpec> const& rows) {
  std::vector<std::string> titles;
  for (auto const& row : rows) {
    std::string title = title_of(row.strategy.name);
    for (auto const& setting : all_settings(row))
      if (!is_shared(rows, row.strategy.name, setting)) title += " " + setting.first + "=" + setting.second;
    titles.push_back(title);
  }
  return titles;
}

std::vector<std::string> shared_settings(std::vector<RowSpec> const& rows) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string const& name = rows[i].strategy.name;
    if (std::any_of(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](RowSpec const& other) { return other.strategy.name == name; }))
      continue;
    std::string text;
    for (auto const& setting : all_settings(rows[i]))
      if (is_shared(rows, name, setting)) text += (text.empty() ? "" : ", ") + setting.first + "=" + setting.second;
    if (!text.empty()) texts.push_back(title_of(name) + ": " + text);
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
