/// @file
/// @brief The options of a search, and their defaults from a checkpoint's generation configuration, as transformers'
/// `generate` takes them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "option_group.hpp"
#include "program.hpp"
#include "search.hpp"

namespace support {

struct SearchOptions {
  bool greedy = false, sample = false;
  std::optional<Index> beams, sequences, top_k, max_new, min_new, no_repeat_ngram;
  std::optional<double> temperature, top_p, min_p, length_penalty, repetition_penalty;
  std::optional<std::string> early_stopping;
  std::optional<std::uint64_t> seed;
  std::string defaults = "on";
  Index usual_max_new = 60;
  bool one_text = false;  ///< the program uses one text of each prompt

  /// Those of beam search and the limits.
  void add_to(CLI::App& app, char const* title) {
    OptionGroup const option(app, title);
    auto const positive = positive_number();
    auto const not_negative = number_from_zero();
    option("--beams", beams,
           "Beam search with so many beams; 1 is greedy (default: as the model's generation_config.json has it, else "
           "none)",
           positive);
    option("--length-penalty", length_penalty,
           "Beam search: score = log-probability / length^penalty (default: generation_config.json's, else 1)");
    option("--early-stopping", early_stopping,
           "Beam search ends when the texts found are probably (false) or surely (never) the best, or are as many as "
           "the beams (true) "
           "(default: generation_config.json's, else false)",
           CLI::IsMember({"false", "true", "never"}));
    option("--max-new", max_new,
           "Most new tokens (default: generation_config.json's max_new_tokens or max_length, else the number shown)",
           positive)
        ->default_str(std::to_string(usual_max_new));
    option("--min-new", min_new, "No end before so many new tokens (default: generation_config.json's, else 0)",
           not_negative);
    option("--repetition-penalty", repetition_penalty,
           "Above 1 discourages tokens that occurred (default: generation_config.json's, else 1)", positive);
    option("--no-repeat-ngram", no_repeat_ngram,
           "N-grams of this size occur once; 0: no limit (default: generation_config.json's, else 0)", not_negative);
    option("--generation-defaults", defaults,
           "Whether the model's generation_config.json gives the defaults; off: only its end tokens and forced tokens "
           "hold",
           CLI::IsMember({"on", "off"}));
  }
  void add_sampling_to(CLI::App& app, char const* title) {
    OptionGroup const option(app, title);
    auto const not_negative = number_from_zero();
    option
        .flag("--greedy", greedy,
              "Always the most probable token; the default where the model's generation_config.json names no other "
              "search")
        ->excludes("--beams");
    option.flag("--sample", sample, "Draw tokens at random")->excludes("--greedy")->excludes("--beams");
    option("--temperature", temperature, "Divides the logits when sampling (default: generation_config.json's, else 1)",
           positive_number());
    option("--top-k", top_k,
           "Sample from the k most probable tokens; 0: all (default: generation_config.json's, else 0)", not_negative);
    option("--top-p", top_p,
           "Sample from the most probable tokens of this mass (default: generation_config.json's, else 1)",
           share_of_one());
    option("--min-p", min_p,
           "Sample from tokens at least so probable, relative to the best (default: generation_config.json's, else 0)",
           share_of_one());
    option("--seed", seed, "Addresses the random numbers (default: 0)");
    option("--sequences", sequences,
           "Texts for each prompt, when sampling or with beams (default: generation_config.json's, else 1)",
           positive_number());
  }

  /// The search for a checkpoint with this configuration. Refuses what cannot be followed before anything is loaded.
  [[nodiscard]] Search search(graft::GenerationConfig const& file) const;

 private:
  enum class Kind { greedy, sample, beams };
  [[nodiscard]] Kind kind(graft::GenerationConfig const& file) const;
  void check_options(Kind kind) const;
  void check_file(Kind kind, graft::GenerationConfig const& file) const;
  void check_sequences(graft::BeamSearch const& settings, graft::GenerationConfig const& file) const;
  template <class Settings>
  void set_common(Search& search, Settings& settings, graft::GenerationConfig const& file) const;

  /// The option, else the file's value, which is noted, else the usual one.
  template <class T>
  static T take(Search& search, char const* name, std::optional<T> const& option, std::optional<T> const& file,
                T usual) {
    if (option) return *option;
    if (!file) return usual;
    if (*file != usual) search.note(std::string(name) + " " + graft::cat(*file));
    return *file;
  }
};

inline SearchOptions::Kind SearchOptions::kind(graft::GenerationConfig const& file) const {
  if (greedy) return Kind::greedy;
  if (sample) return Kind::sample;
  if (beams) return Kind::beams;
  bool const several = file.beams.value_or(1) > 1, drawn = file.do_sample.value_or(false);
  if (several && drawn)
    graft::fail<graft::ConfigError>(
        "[", file.where, "] asks for num_beams ", *file.beams,
        " and do_sample, a beam search that draws; expected one of them; hint: --beams, or --generation-defaults off");
  return several ? Kind::beams : drawn ? Kind::sample : Kind::greedy;
}

inline void SearchOptions::check_options(Kind kind) const {
  auto const refuse = [](bool given, char const* name, char const* needed) {
    if (given) throw UsageError(std::string(name) + " needs " + needed);
  };
  bool const sampling = kind == Kind::sample, beam_search = kind == Kind::beams;
  refuse(temperature && !sampling, "--temperature", "--sample"), refuse(top_k && !sampling, "--top-k", "--sample");
  refuse(top_p && !sampling, "--top-p", "--sample"), refuse(min_p && !sampling, "--min-p", "--sample"),
      refuse(seed && !sampling && !one_text, "--seed", "--sample");
  bool const single = beams && *beams == 1;
  refuse(length_penalty && single, "--length-penalty", "more than one beam"),
      refuse(early_stopping && single, "--early-stopping", "more than one beam");
  refuse(length_penalty && !beam_search, "--length-penalty", "--beams"),
      refuse(early_stopping && !beam_search, "--early-stopping", "--beams");
  refuse(sequences.value_or(1) > 1 && kind == Kind::greedy, "--sequences", "--sample or --beams");
}

inline void SearchOptions::check_file(Kind kind, graft::GenerationConfig const& file) const {
  using graft::detail::Matters;
  for (auto const& key : file.unknown)
    graft::warn("[", file.where, "] has the key ", graft::printable(key),
                ", which is unknown and left out; hint: compare the spelling with transformers' GenerationConfig");
  auto const refuse = [&](char const* key, auto const&... sentence) {
    graft::fail<graft::ConfigError>("[", file.where, "] has ", key, sentence...,
                                    "; hint: --generation-defaults off takes nothing from ",
                                    "the file but end tokens and forced tokens");
  };
  auto const at_least = [&](char const* key, std::optional<Index> const& count, Index least) {
    if (count && *count < least) refuse(key, " ", *count, "; expected at least ", least);
  };
  at_least("num_beams", file.beams, 1), at_least("no_repeat_ngram_size", file.no_repeat_ngram, 0);
  at_least("max_length", file.max_length, 1), at_least("max_new_tokens", file.max_new_tokens, 1);
  at_least("min_length", file.min_length, 0), at_least("min_new_tokens", file.min_new_tokens, 0);
  if (!one_text) at_least("num_return_sequences", file.sequences, 1);
  if (kind == Kind::sample) at_least("top_k", file.top_k, 0);
  for (auto const& word : file.bad_words)
    if (word.empty()) refuse("bad_words_ids", " with an empty word; expected the ids of each");
  for (auto const& [key, value, matters] : file.refused) {
    if ((matters == Matters::sampling && kind != Kind::sample) || (matters == Matters::beams && kind != Kind::beams))
      continue;
    if (matters == Matters::greedy && !(kind == Kind::greedy && file.top_k.value_or(50) > 1)) continue;
    refuse(key.c_str(), " ", value, ", which graft cannot follow; expected a file without it");
  }
}

/// Says where the two numbers come from: an option or the file.
inline void SearchOptions::check_sequences(graft::BeamSearch const& settings,
                                           graft::GenerationConfig const& file) const {
  if (settings.sequences <= settings.beams) return;
  if (sequences)
    throw UsageError(graft::cat("--sequences got ", settings.sequences, ", more than the ", settings.beams,
                                " beams of ", beams ? std::string("--beams") : graft::cat("num_beams in ", file.where),
                                "; expected at most as many texts as beams"));
  graft::fail<graft::ConfigError>("[", file.where, "] has num_return_sequences ", settings.sequences, ", more than ",
                                  beams ? "--beams" : "num_beams", " ", settings.beams,
                                  "; expected at most as many texts as beams; hint: --sequences");
}

template <class Settings>
void SearchOptions::set_common(Search& search, Settings& settings, graft::GenerationConfig const& file) const {
  settings.repetition_penalty = take(search, "repetition-penalty", repetition_penalty, file.repetition_penalty, 1.0);
  settings.no_repeat_ngram = take(search, "no-repeat-ngram", no_repeat_ngram, file.no_repeat_ngram, Index{0});
  settings.bad_words = file.bad_words;
  if (!file.bad_words.empty()) search.note(graft::cat(file.bad_words.size(), " bad_words_ids"));
  if (!file.suppressed.empty()) settings.processors.push_back(graft::suppress(file.suppressed));
  if (!file.first_suppressed.empty())
    settings.processors.push_back(graft::suppress_first(file.first_suppressed, file.forced_bos.has_value()));
  search.suppressed = file.suppressed, search.first_suppressed = file.first_suppressed;
  if (file.renormalise) settings.processors.push_back(graft::renormalise()), search.note("renormalize_logits");
}

inline Search SearchOptions::search(graft::GenerationConfig const& whole) const {
  graft::GenerationConfig file = whole;
  if (defaults == "off") {
    file = {};
    file.where = whole.where, file.forced_bos = whole.forced_bos;
  }
  auto const chosen = kind(file);
  check_options(chosen), check_file(chosen, file);
  Search search;
  search.where = file.where, search.usual_max_new = usual_max_new;
  std::optional<Index> const file_sequences = one_text ? std::nullopt : file.sequences;
  if (one_text && file.sequences.value_or(1) > 1)
    graft::warn("[", file.where, "] has num_return_sequences ", *file.sequences,
                ", which is not followed; got a program that writes and scores the best text of each source alone; "
                "hint: generate --sequences");
  if (chosen == Kind::greedy) {
    if (!greedy && !sequences && file_sequences.value_or(1) > 1)
      graft::fail<graft::ConfigError>(
          "[", file.where, "] has num_return_sequences ", *file_sequences,
          " without num_beams or do_sample; expected 1 for greedy search; hint: --sequences 1");
    graft::Greedy settings;
    set_common(search, settings, file);
    search.settings = settings;
  } else if (chosen == Kind::sample) {
    graft::Sampling settings;
    if (!sample) search.note("do_sample");
    settings.temperature = take(search, "temperature", temperature, file.temperature, 1.0);
    auto const file_top_k = file.top_k ? file.top_k
                            : sample   ? std::nullopt
                                       : std::optional<Index>(50);  // transformers' own default
    settings.top_k = take(search, "top-k", top_k, file_top_k, Index{0});
    settings.top_p = take(search, "top-p", top_p, file.top_p, 1.0),
    settings.min_p = take(search, "min-p", min_p, file.min_p, 0.0);
    settings.sequences = take(search, "sequences", sequences, file_sequences, Index{1});
    settings.seed = seed.value_or(0);
    set_common(search, settings, file);
    search.settings = settings;
  } else {
    graft::BeamSearch settings;
    settings.beams = take(search, "beams", beams, file.beams, Index{1});
    settings.length_penalty = take(search, "length-penalty", length_penalty, file.length_penalty, 1.0);
    auto const stop = take(search, "early-stopping", early_stopping, file.early_stopping, std::string("false"));
    settings.early_stopping = stop == "true"    ? graft::EarlyStopping::when_full
                              : stop == "never" ? graft::EarlyStopping::never
                                                : graft::EarlyStopping::heuristic;
    settings.sequences = take(search, "sequences", sequences, file_sequences, Index{1});
    check_sequences(settings, file);
    set_common(search, settings, file);
    search.settings = settings;
  }
  search.max_new = max_new ? max_new : file.max_new_tokens, search.min_new = min_new ? min_new : file.min_new_tokens,
  search.least_asked = min_new.has_value();
  if (!max_new && file.max_new_tokens) search.note(graft::cat("max-new ", *file.max_new_tokens));
  if (!min_new && file.min_new_tokens.value_or(0) > 0) search.note(graft::cat("min-new ", *file.min_new_tokens));
  if (!search.max_new && file.max_length)
    search.max_length = file.max_length, search.note(graft::cat("max_length ", *file.max_length));
  if (!search.min_new && file.min_length.value_or(0) > 0)
    search.min_length = file.min_length, search.note(graft::cat("min_length ", *file.min_length));
  std::visit([](auto const& settings) { graft::detail::check(settings); }, search.settings);
  return search;
}

/// Says on standard error what the generation configuration gave.
inline void say_taken(char const* program, Search const& search) {
  if (!search.taken.empty())
    std::fprintf(stderr, "%s: [%s] gives %s\n", program, search.where.c_str(), search.taken.c_str());
}

}  // namespace support
