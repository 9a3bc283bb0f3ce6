/// @file
/// @brief What happens to rows that the model has too few positions for: said with file and line before anything is
/// computed, and counted.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <graft/data/example.hpp>
#include <graft/data/fit_rows.hpp>
#include <graft/data/template.hpp>
#include <graft/train/progress.hpp>

#include "support/option_group.hpp"

namespace support {

/// One line on standard error, where a maximum length cut anything.
inline void say_cut(graft::Truncation const& cut) {
  if (cut.any())
    std::fprintf(stderr, "cut to the maximum lengths: %s sources, %s targets\n", graft::grouped(cut.sources).c_str(),
                 graft::grouped(cut.targets).c_str());
}

/// The option, and the counts of all lists of rows together.
class Lengths {
 public:
  void add_to(OptionGroup const& option, char const* hint = "", char const* kept = "the source's end is kept") {
    option("--too-long", how_,
           std::string("What happens to rows that are too long for the model, virtual tokens and targets counted: "
                       "refuse (before anything is computed), cut (") +
               kept + "), or skip" + hint,
           CLI::IsMember({"refuse", "cut", "skip"}));
  }
  [[nodiscard]] graft::TooLong how() const {
    return how_ == "cut" ? graft::TooLong::cut : how_ == "skip" ? graft::TooLong::skip : graft::TooLong::refuse;
  }

  /// Holds rows that came from `examples` of `file` against the model's limits.
  graft::FittedRows fit(std::vector<graft::TokenizedExample>& rows, std::vector<graft::Example> const& examples,
                        std::string const& file, graft::RowLimits const& limits, graft::Index kept_end) {
    return count(graft::fit_rows(rows, limits, how(), kept_end,
                                 [&](std::size_t i) { return where(file, examples[i].line, i); }));
  }
  /// The same of rows whose lines are known.
  graft::FittedRows fit(std::vector<graft::TokenizedExample>& rows, std::vector<std::size_t> const& lines,
                        std::string const& file, graft::RowLimits const& limits, graft::Index kept_end) {
    return count(
        graft::fit_rows(rows, limits, how(), kept_end, [&](std::size_t i) { return where(file, lines[i], i); }));
  }
  graft::FittedRows fit_prompts(std::vector<std::vector<graft::Token>>& prompts, std::vector<std::size_t> const& lines,
                                std::string const& file, graft::RowLimits const& limits, graft::Index new_tokens,
                                graft::Index kept_end) {
    return count(graft::fit_prompts(prompts, limits, new_tokens, how(), kept_end,
                                    [&](std::size_t i) { return where(file, lines[i], i); }));
  }
  graft::FittedRows count(graft::FittedRows fitted) {
    cut += fitted.cut, skipped += fitted.skipped;
    return fitted;
  }
  /// One line on standard error, where anything was cut or left out.
  void say() const {
    if (cut + skipped > 0)
      std::fprintf(stderr, "too long for the model: %lld rows cut, %lld left out\n", static_cast<long long>(cut),
                   static_cast<long long>(skipped));
  }

  graft::Index cut = 0, skipped = 0;

 private:
  [[nodiscard]] static std::string where(std::string const& file, std::size_t line, std::size_t index) {
    return line > 0 ? graft::cat("[", file, "] line ", line) : graft::cat("[", file, "] example ", index + 1);
  }

  std::string how_ = "refuse";
};

}  // namespace support
