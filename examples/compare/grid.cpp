#include "grid.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

#include <graft/core/error.hpp>
#include <graft/core/numbers.hpp>
#include <graft/text/printable.hpp>

namespace compare {

namespace {

std::vector<std::string> parts_of(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0;;) {
    std::size_t const end = text.find(separator, at);
    parts.emplace_back(text.substr(at, end == std::string_view::npos ? end : end - at));
    if (end == std::string_view::npos) return parts;
    at = end + separator.size();
  }
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string text_of(double value) {
  char text[64];
  bool const whole = value == std::floor(value) && std::abs(value) < 9007199254740992;  // 2^53
  std::snprintf(text, sizeof text, whole ? "%.0f" : "%.12g", value);
  return text;
}

/// Adds the numbers of `1..40` or `1..41..10`; false where the text is no range.
bool add_range(std::string const& what, std::string const& text, std::vector<std::string>& values) {
  auto const parts = parts_of(text, "..");
  if (parts.size() != 2 && parts.size() != 3) return false;
  std::vector<double> numbers;
  for (auto const& part : parts) {
    auto const value = parse_number(part);
    if (!value) return false;
    numbers.push_back(*value);
  }
  double const first = numbers[0], last = numbers[1], step = parts.size() == 3 ? numbers[2] : 1;
  if (!(step > 0) || last < first)
    graft::fail<graft::ConfigError>(what, " got the range ", graft::printable(text),
                                    "; expected FIRST..LAST or FIRST..LAST..STEP with FIRST up to LAST and a positive "
                                    "STEP");
  double const count = std::floor((last - first) / step + 1e-9) + 1;
  if (count + static_cast<double>(values.size()) > static_cast<double>(most_rows))
    graft::fail<graft::ConfigError>(what, " got the range ", graft::printable(text), ", which is ", count,
                                    " values; expected at most ", most_rows, "; hint: FIRST..LAST..STEP");
  for (double i = 0; i < count; ++i) values.push_back(text_of(first + i * step));
  return true;
}

double learning_rate_of(std::string const& what, std::string const& text) {
  auto const value = parse_number(text);
  if (!value || !(*value > 0) || !graft::fits_float(*value))
    graft::fail<graft::ConfigError>(what, " got the learning_rate ", graft::printable(text),
                                    "; expected a positive number up to 3.4e38");
  return *value;
}

}  // namespace

std::vector<std::string> expand_values(std::string const& what, std::string const& text) {
  std::vector<std::string> values;
  for (auto const& part : parts_of(text, ",")) {
    if (part.empty())
      graft::fail<graft::ConfigError>(what, " got ", graft::printable(text),
                                      ", with an empty value; expected one before and behind every comma");
    if (!add_range(what, part, values)) values.push_back(part);
  }
  return values;
}

std::vector<RowSpec> expand_row(std::string const& text) {
  std::string const what = "[compare] --row " + graft::printable(text);
  Strategy const asked = parse_strategy(text);
  std::vector<RowSpec> rows{{{asked.name, {}}, std::nullopt, text}};
  for (auto const& [name, values] : asked.settings) {
    std::vector<RowSpec> more;
    for (auto const& row : rows)
      for (auto const& value : expand_values(what, values)) {
        more.push_back(row);
        if (name == "learning_rate")
          more.back().learning_rate = learning_rate_of(what, value);
        else
          more.back().strategy.settings.emplace_back(name, value);
        if (more.size() > most_rows)
          graft::fail<graft::ConfigError>(what, " is more than ", most_rows, " rows; expected fewer");
      }
    rows = std::move(more);
  }
  if (!is_trained(asked.name) && rows.front().learning_rate)
    graft::fail<graft::ConfigError>(what, " has a learning_rate; expected none, for ", asked.name, " is not trained");
  return rows;
}

}  // namespace compare
