#include "table.hpp"

#include <algorithm>
#include <cmath>

#include <graft/train/progress.hpp>

#include "naming.hpp"
#include "support/text.hpp"

namespace compare {

namespace {

std::size_t width_of(std::string const& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}
std::string padded(std::string const& text, std::size_t width, bool right) {
  std::string const space(width - std::min(width, width_of(text)), ' ');
  return right ? space + text : text + space;
}

/// A number of the runs. Costs have no deviation in the table: it would say more of the machine than of the strategy.
Column number_column(char const* title, char const* unit, char const* help, double Run::* member, int digits, bool high,
                     bool low) {
  return {title,
          unit,
          help,
          high,
          low,
          [member](Row const& row) { return row.spread(member); },
          [member, digits](Row const& row) { return or_dash(row.spread(member).mean, digits); }};
}

Column plain(char const* title, char const* unit, char const* help, std::string (*text)(Row const&)) {
  return {title, unit, help, false, false, [](Row const&) { return Spread{}; }, text};
}

Column score(Metric const& metric, std::size_t number, std::size_t test, std::string const& unit,
             std::string const& where) {
  auto const measure = [test, number](Row const& row) {
    return test < row.measures.size() ? &row.measures[test][number] : nullptr;
  };
  Column column{metric.title,
                unit,
                metric.help + where,
                !metric.low_is_better,
                metric.low_is_better,
                [measure](Row const& row) { return measure(row) ? measure(row)->spread : Spread{}; },
                [measure, digits = metric.digits](Row const& row) {
                  return or_dash(measure(row) ? measure(row)->spread.mean : unknown, digits);
                }};
  column.digits = metric.digits, column.measure = measure;
  return column;
}

Column loss(char const* unit, char const* help, double Run::* member) {
  Column column = number_column("loss", unit, help, member, 3, false, true);
  column.digits = 3;
  return column;
}

std::string where_of(Report const& report, TestSet const& test) {
  bool const generated = report.studies.front().task.data == "generated";
  if (generated && test.name == "seen") return "; domains of the training set";
  if (generated && test.name == "unseen") return "; a domain without training examples";
  return report.tests.size() > 1 ? "; test set " + test.name : "";
}

}  // namespace

std::string or_dash(double value, int digits) { return std::isfinite(value) ? support::fixed(value, digits) : "–"; }

std::string deviation_text(Column const& column, Row const& row) {
  double const deviation = column.digits > 0 ? column.value(row).deviation : unknown;
  return std::isfinite(deviation) ? "±" + support::fixed(deviation, column.digits) : "";
}

std::vector<Column> columns(Report const& report) {
  std::vector<Column> all{
      {"trained", "params", "trained parameters", false, true,
       [](Row const& r) { return spread_of({r.trained() ? static_cast<double>(r.first().trainable) : unknown}); },
       [](Row const& r) { return r.trained() ? graft::grouped(r.first().trainable) : std::string("–"); }},
      plain("share", "%", "of all parameters",
            [](Row const& r) {
              return r.trained() ? support::fixed(r.percent(), r.percent() >= 99.95 ? 0 : 3) : std::string("–");
            }),
      plain("learning", "rate", "peak of the linear schedule",
            [](Row const& r) { return r.trained() ? support::compact(r.learning_rate) : std::string("–"); }),
      number_column("speed", "tokens/s", "source and target tokens trained on in a second", &Run::tokens_per_second, 0,
                    true, false),
      plain("time", "min:s", "of the whole row, all seeds: loading, training, validation, generation",
            [](Row const& r) {
              auto const spread = r.spread(&Run::seconds);
              return graft::clock_time(spread.mean * static_cast<double>(spread.count));
            }),
      number_column(
          "memory", "MiB",
          "peak of the process until the end of training; without training, of generation; of a GPU, what tensors held",
          &Run::peak_memory_mib, 0, false, true),
      loss("train", "mean of the last tenth of the steps", &Run::training_loss),
      loss("valid.", "mean −log p of a target token", &Run::validation_loss),
  };
  for (std::size_t m : report.shown_metrics())
    for (std::size_t t = 0; t < report.tests.size(); ++t) {
      auto const& test = report.tests[t];
      bool const alone = report.metrics[m].key == accuracy && report.tests.size() == 1;
      all.push_back(score(report.metrics[m], m, t, alone ? "%" : test.name, where_of(report, test)));
    }
  return all;
}

bool is_best(Column const& column, Row const& row, std::vector<Row> const& rows) {
  double const own = column.value(row).mean;
  if (!std::isfinite(own) || row.has_no_results() || !row.trained() || !(column.best_is_high || column.best_is_low))
    return false;
  bool better = false, worse = false;  // than this row are some others
  for (auto const& other : rows) {
    double const theirs = other.has_no_results() || !other.trained() ? unknown : column.value(other).mean;
    if (!std::isfinite(theirs)) continue;
    better = better || (column.best_is_high ? theirs > own : theirs < own);
    worse = worse || (column.best_is_high ? theirs < own : theirs > own);
  }
  return worse && !better;
}

std::string plain_table(Report const& report) {
  constexpr std::size_t head_every = 40;
  auto const all = columns(report);
  std::vector<std::vector<std::string>> lines{{"strategy"}, {""}};
  for (auto const& column : all) lines[0].push_back(column.title), lines[1].push_back(column.unit);
  std::string notes;
  std::vector<RowSpec> specs;
  for (auto const& row : report.rows) {
    specs.push_back(row.spec);
    auto const warning = warning_of(row);
    lines.push_back({row.title + (warning.empty() ? "" : " (!)")});
    for (auto const& column : all)
      lines.back().push_back(row.failures() == row.runs.size() ? "–"
                             : row.has_no_results()            ? "n/a"
                                                               : column.text(row) + deviation_text(column, row) +
                                                          (is_best(column, row, report.rows) ? "*" : " "));
    if (!warning.empty()) notes += "(!) " + row.title + ": " + warning + "\n";
  }
  std::vector<std::size_t> widths(all.size() + 1, 0);
  for (auto const& line : lines)
    for (std::size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], width_of(line[c]));
  auto const laid_out = [&](std::vector<std::string> const& cells, bool head) {
    std::string line = padded(cells[0], widths[0], false);
    for (std::size_t c = 1; c < cells.size(); ++c)
      line += "  " + padded(head ? cells[c] + " " : cells[c], widths[c], true);
    return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  std::string text, rule;
  for (std::size_t l = 2; l < lines.size(); ++l) {
    if ((l - 2) % head_every == 0) {
      std::size_t width = widths[0];
      for (std::size_t c = 1; c < widths.size(); ++c) width += 2 + widths[c];
      text += laid_out(lines[0], true) + laid_out(lines[1], true) + std::string(width, '-') + "\n";
    }
    text += laid_out(lines[l], false);
  }
  text += "* best of the trained rows\n";
  auto const seeds = report.seeds();
  if (seeds.size() > 1) text += graft::cat("± standard deviation over ", seeds.size(), " seeds\n");
  for (auto const& shared : shared_settings(specs)) text += "all rows of " + shared + "\n";
  return text + notes;
}

}  // namespace compare
