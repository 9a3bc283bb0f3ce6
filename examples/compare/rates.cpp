#include "rates.hpp"

#include <algorithm>
#include <charconv>

#include <graft/core/numbers.hpp>
#include <graft/text/printable.hpp>

#include "support/program.hpp"

namespace compare {

namespace {

[[noreturn]] void refuse(std::string const& option, std::string const& why) {
  throw support::UsageError("--learning-rate: got " + graft::printable(option) + why);
}

double positive_number(std::string const& text, std::string const& option) {
  double value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value > 0 && graft::fits_float(value)) return value;
  refuse(option, "; expected METHOD=VALUE, ROW=VALUE or VALUE with a positive number up to 3.4e38");
}

/// A rate for the rows that have these settings.
struct Rate {
  std::string option;
  std::optional<Strategy> rows;  ///< none: for all
  double value = 0;
  bool used = false;

  [[nodiscard]] bool fits(Strategy const& row) const {
    if (!rows) return true;
    if (rows->name != row.name) return false;
    for (auto const& [name, wanted] : rows->settings)
      if (value_of(row, name) != wanted) return false;
    return true;
  }
  /// Of two that fit, the greater one goes first.
  [[nodiscard]] std::size_t rank() const { return rows ? 1 + rows->settings.size() : 0; }
};

Rate rate_of(std::string const& option) {
  auto const at = option.rfind('=');
  Rate rate{option, std::nullopt, positive_number(at == std::string::npos ? option : option.substr(at + 1), option)};
  if (at == std::string::npos) return rate;
  rate.rows = parse_strategy(option.substr(0, at));
  std::sort(rate.rows->settings.begin(), rate.rows->settings.end());
  return rate;
}

std::vector<Rate> rates_of(CommandLine const& line) {
  std::vector<Rate> rates;
  for (auto const& option : line.learning_rates) {
    Rate const rate = rate_of(option);
    for (auto const& other : rates)
      if (other.rows == rate.rows) refuse(option, " beside " + graft::printable(other.option) + "; expected one rate");
    rates.push_back(rate);
  }
  return rates;
}

}  // namespace

void settle_learning_rates(CommandLine& line) {
  auto& s = line.settings;
  auto rates = rates_of(line);
  s.learning_rates.clear(), s.tuned.clear();
  for (auto const& row : s.rows) {
    bool const trained = is_trained(row.strategy.name);
    Rate* best = nullptr;
    for (Rate& rate : rates) {
      if (!trained || row.learning_rate || !rate.fits(row.strategy)) continue;
      if (best && best->rank() == rate.rank())
        refuse(rate.option, " beside " + graft::printable(best->option) + "; expected one rate for the row " +
                                to_string(row.strategy));
      if (!best || best->rank() < rate.rank()) best = &rate;
    }
    if (best) best->used = true;
    double const own = row.learning_rate ? *row.learning_rate : best ? best->value : 0;
    s.learning_rates.push_back(own > 0 ? own : default_learning_rate(row.strategy.name));
    s.tuned.push_back(trained && line.tune && !row.learning_rate && !best);
  }
  for (auto const& rate : rates)
    if (!rate.used)
      refuse(rate.option,
             rate.rows ? "; expected one of the trained rows in --methods or --row without a rate of its own"
                       : ", which no row would have; expected a trained row in --methods or --row without a rate of "
                         "its own");
}

}  // namespace compare
