/// @file
/// @brief What the metrics of texts count in outputs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/metrics/bleu.hpp>
#include <graft/metrics/chrf.hpp>
#include <graft/metrics/cider.hpp>
#include <graft/metrics/nist.hpp>
#include <graft/metrics/rouge.hpp>
#include <graft/metrics/rouge_e2e.hpp>
#include <graft/metrics/ter.hpp>
#ifdef GRAFT_METEOR
#include <graft/metrics/meteor.hpp>
#endif

#include "support/text_metrics.hpp"

namespace support {
namespace detail {

inline void add_bleu_and_nist(Measured& measured, MetricSettings const& settings,
                              std::vector<std::string> const& outputs, References const& references) {
  graft::Tokenization const tokenization = graft::parse_tokenization(settings.tokenization);
  if (wanted(settings, "bleu")) {
    graft::BleuOptions options;
    options.tokenization = tokenization;
    options.lowercase = settings.lowercase;
    options.smoothing = graft::parse_bleu_smoothing(settings.smoothing);
    bool const multi_bleu = tokenization == graft::Tokenization::none;
    measured.metrics.push_back(
        {"bleu", graft::bleu_metric(outputs, multi_bleu ? references.with_empty : references.lists, options)});
  }
  if (wanted(settings, "nist")) {
    graft::NistOptions options;
    options.tokenization = tokenization;
    options.lowercase = settings.lowercase;
    options.length =
        settings.nist_length == "corpus" ? graft::NistLength::corpus_average : graft::NistLength::average_per_item;
    measured.metrics.push_back({"nist", graft::nist_metric(outputs, references.lists, options)});
  }
}

#ifdef GRAFT_METEOR
inline void add_meteor(Measured& measured, MetricSettings const& settings, std::vector<std::string> const& outputs,
                       graft::ReferenceLists const& references) {
  auto const tokens = settings.meteor_tokens == "plain" ? graft::MeteorTokens::plain : graft::MeteorTokens::treebank;
  bool const data = !settings.meteor_data.empty();
  if (wanted(settings, "meteor") && data)
    measured.metrics.push_back({"meteor", graft::meteor_metric(outputs, references, {settings.meteor_data, tokens})});
  if (wanted(settings, "meteor") && !data)
    measured.left_out.emplace_back("meteor",
                                   "its word lists and paraphrases are not there; --meteor-data names their folder");
  bool const asked = !settings.metrics.empty() && wanted(settings, "meteor_exact_stem");
  if (asked) measured.metrics.push_back({"meteor_exact_stem", graft::meteor_metric(outputs, references, {"", tokens})});
}
#else
inline void add_meteor(Measured& measured, MetricSettings const& settings, std::vector<std::string> const&,
                       graft::ReferenceLists const&) {
  for (char const* name : {"meteor", "meteor_exact_stem"})
    if (wanted(settings, name) && (!settings.metrics.empty() || std::string(name) == "meteor"))
      measured.left_out.emplace_back(name, "this build has no graft::meteor, which needs libstemmer and zlib");
}
#endif

inline void add_rouge(Measured& measured, MetricSettings const& settings, std::vector<std::string> const& outputs,
                      graft::ReferenceLists const& references) {
  if (wanted(settings, "rouge")) {
    auto rouge = graft::rouge_metrics(outputs, references);
    for (std::size_t i = 0; i < 3; ++i)
      measured.metrics.push_back({i == 0 ? "rouge1" : i == 1 ? "rouge2" : "rougeL", std::move(rouge[i])});
  }
  if (wanted(settings, "e2e_rouge"))
    measured.metrics.push_back({"e2e_rougeL", graft::e2e_rouge_l_metric(outputs, references)});
}

inline void add_chrf(Measured& measured, MetricSettings const& settings, std::vector<std::string> const& outputs,
                     graft::ReferenceLists const& references) {
  if (wanted(settings, "chrf")) measured.metrics.push_back({"chrf", graft::chrf_metric(outputs, references)});
  if (!wanted(settings, "chrf++")) return;
  graft::ChrfOptions options;
  options.word_order = 2;
  measured.metrics.push_back({"chrf++", graft::chrf_metric(outputs, references, options)});
}

}  // namespace detail

/// What the metrics count, in the order of `text_metrics`.
/// @throws ConfigError for METEOR that is asked for in a build without its libraries, or without its word lists
[[nodiscard]] inline Measured measure(MetricSettings const& settings, std::vector<std::string> const& outputs,
                                      References const& given) {
  graft::ReferenceLists const& references = given.lists;
  Measured measured;
  detail::add_bleu_and_nist(measured, settings, outputs, given);
  detail::add_meteor(measured, settings, outputs, references);
  if (!settings.metrics.empty() && !measured.left_out.empty())
    graft::fail<graft::ConfigError>("[metrics] got ", measured.left_out[0].first, "; ", measured.left_out[0].second);
  detail::add_rouge(measured, settings, outputs, references);
  if (wanted(settings, "cider")) {
    graft::CiderOptions options;
    options.tokens =
        settings.cider_tokens == "treebank" ? graft::CaptionTokens::treebank : graft::CaptionTokens::white_space;
    measured.metrics.push_back({"cider", graft::cider_metric(outputs, references, options)});
  }
  if (wanted(settings, "ter")) {
    graft::TerOptions options;
    options.normalized = settings.ter_normalize;
    options.no_punctuation = settings.ter_no_punctuation;
    options.case_sensitive = settings.ter_case;
    measured.metrics.push_back({"ter", graft::ter_metric(outputs, references, options)});
  }
  detail::add_chrf(measured, settings, outputs, references);
  return measured;
}

}  // namespace support
