#include "table.hpp"

#include <algorithm>
#include <cmath>

#include <graft/train/progress.hpp>

#include "support/text.hpp"

namespace compare {

namespace {

std::string or_dash(double value, int digits) { return std::isfinite(value) ? support::fixed(value, digits) : "–"; }

std::size_t width_of(std::string const& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}
std::string padded(std::string const& text, std::size_t width, bool right) {
  std::string const space(width - std::min(width, width_of(text)), ' ');
  return right ? space + text : text + space;
}

template <double Row::* member, int digits>
Column number(char const* title, char const* unit, char const* help, bool high, bool low) {
  return {title,
          unit,
          help,
          high,
          low,
          [](Row const& r) { return r.*member; },
          [](Row const& r) { return or_dash(r.*member, digits); }};
}
template <Scores Row::* part, double Scores::* member>
Column score(char const* title, char const* unit, char const* help) {
  return {title,
          unit,
          help,
          true,
          false,
          [](Row const& r) { return r.*part.*member; },
          [](Row const& r) { return or_dash(r.*part.*member, 1); }};
}

}  // namespace

std::vector<Column> columns(Test test) {
  std::vector<Column> all{
      {"trained", "params", "trained parameters", false, true,
       [](Row const& r) { return is_trained(r.method) ? static_cast<double>(r.trainable) : unknown; },
       [](Row const& r) { return is_trained(r.method) ? graft::grouped(r.trainable) : std::string("–"); }},
      {"share", "%", "of all parameters", false, false, [](Row const&) { return unknown; },
       [](Row const& r) {
         return is_trained(r.method) ? support::fixed(r.percent(), r.percent() >= 99.95 ? 0 : 3) : std::string("–");
       }},
      {"learning", "rate", "peak of the linear schedule", false, false, [](Row const&) { return unknown; },
       [](Row const& r) { return is_trained(r.method) ? support::compact(r.learning_rate) : std::string("–"); }},
      number<&Row::tokens_per_second, 0>("speed", "tokens/s", "source and target tokens trained on in a second", true,
                                         false),
      {"time", "min:s", "of the whole row: loading, training, validation, generation", false, false,
       [](Row const&) { return unknown; }, [](Row const& r) { return graft::clock_time(r.seconds); }},
      number<&Row::peak_memory_mib, 0>("memory", "MiB",
                                       "peak of the process until the end of training; without training, of generation",
                                       false, true),
      number<&Row::training_loss, 3>("loss", "train", "mean of the last tenth of the steps", false, true),
      number<&Row::validation_loss, 3>("loss", "valid.", "mean −log p of a target token", false, true),
  };
  if (test.classes) {
    all.push_back(
        score<&Row::together, &Scores::accuracy>("accuracy", "%", "share of the test's sources whose class was found"));
    return all;
  }
  if (!test.unseen) {
    all.push_back(score<&Row::together, &Scores::bleu>("BLEU", "test", "sacreBLEU's tokenization, lower-cased"));
    all.push_back(score<&Row::together, &Scores::rouge_l>("ROUGE-L", "test", "F1"));
    return all;
  }
  all.push_back(score<&Row::seen, &Scores::bleu>("BLEU", "seen",
                                                 "domains of the training set; sacreBLEU's tokenization, lower-cased"));
  all.push_back(score<&Row::unseen, &Scores::bleu>("BLEU", "unseen", "a domain without training examples"));
  all.push_back(score<&Row::seen, &Scores::rouge_l>("ROUGE-L", "seen", "F1, domains of the training set"));
  all.push_back(score<&Row::unseen, &Scores::rouge_l>("ROUGE-L", "unseen", "F1, a domain without training examples"));
  return all;
}

bool is_best(Column const& column, Row const& row, std::vector<Row> const& rows) {
  double const own = column.value(row);
  if (!std::isfinite(own) || row.has_no_results() || !is_trained(row.method) ||
      !(column.best_is_high || column.best_is_low))
    return false;
  bool better = false, worse = false;  // than this row are some others
  for (auto const& other : rows) {
    double const theirs = column.value(other);
    if (!is_trained(other.method) || other.has_no_results() || !std::isfinite(theirs)) continue;
    better = better || (column.best_is_high ? theirs > own : theirs < own);
    worse = worse || (column.best_is_high ? theirs < own : theirs > own);
  }
  return worse && !better;
}

std::string warning_of(Row const& row) {
  if (row.failed()) return "failed: " + row.error;
  if (!row.not_applicable.empty()) return "n/a: " + row.not_applicable;
  if (row.above_none)
    return "trained, but its validation loss is not below that of the untrained model: try another learning rate "
           "(--tune) or more steps";
  return "";
}

std::string plain_table(std::vector<Row> const& rows, Test test) {
  auto const all = columns(test);
  std::vector<std::vector<std::string>> lines{{"strategy"}, {""}};
  for (auto const& column : all) lines[0].push_back(column.title), lines[1].push_back(column.unit);
  std::string notes;
  for (auto const& row : rows) {
    auto const warning = warning_of(row);
    lines.push_back({title_of(row.method) + (warning.empty() ? "" : " (!)")});
    for (auto const& column : all)
      lines.back().push_back(row.failed()           ? "–"
                             : row.has_no_results() ? "n/a"
                                                    : column.text(row) + (is_best(column, row, rows) ? "*" : " "));
    if (!warning.empty()) notes += "(!) " + title_of(row.method) + ": " + warning + "\n";
  }
  std::vector<std::size_t> widths(all.size() + 1, 0);
  for (auto const& line : lines)
    for (std::size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], width_of(line[c]));
  std::string text;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    std::string line = padded(lines[l][0], widths[0], false);
    for (std::size_t c = 1; c < lines[l].size(); ++c)
      line += "  " + padded(l < 2 ? lines[l][c] + " " : lines[l][c], widths[c], true);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    if (l == 1) text += std::string(width_of(line), '-') + "\n";
  }
  return text + "* best of the trained rows\n" + notes;
}

}  // namespace compare
