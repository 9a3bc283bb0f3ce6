/// @file
/// @brief The normalizer of tokenizer.json.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/base64.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tokenizer_component.hpp>
#include <graft/text/normalizer.hpp>

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace graft::detail {

[[nodiscard]] inline normalizing::Precompiled read_precompiled(std::string const& source, nlohmann::json const& step) {
  auto const blob = decode_base64(json_at<std::string>(source, step, "precompiled_charsmap"));
  if (!blob) fail<FileError>("[", source, "] precompiled_charsmap is broken; got a text that is not base64");
  return {std::make_shared<CharsMap const>(*blob, source)};
}

[[nodiscard]] inline BertNormalizer read_bert_normalizer(std::string const& source, nlohmann::json const& step) {
  BertNormalizer bert;
  bert.clean_text = json_or<bool>(source, step, "clean_text", true);
  bert.handle_chinese_chars = json_or<bool>(source, step, "handle_chinese_chars", true);
  if (!is_absent(step, "strip_accents")) bert.strip_accents = json_at<bool>(source, step, "strip_accents");
  bert.lowercase = json_or<bool>(source, step, "lowercase", true);
  return bert;
}

/// Of regular expressions only the one that conversions of SentencePiece models write.
[[nodiscard]] inline normalizing::Step read_replace(std::string const& source, nlohmann::json const& step) {
  auto [pattern, regex] = read_replace_pattern(source, step);
  std::string content = read_short_text(source, step, "content");
  if (!regex) return normalizing::Replace{std::move(pattern), std::move(content)};
  if (pattern != " {2,}") unsupported(source, "regular expression of Replace", pattern, "\" {2,}\"");
  return normalizing::ReplaceSpaceRuns{std::move(content)};
}

[[nodiscard]] inline normalizing::Step read_normalizer_step(std::string const& source, nlohmann::json const& step) {
  std::string const type = component_type(source, step);
  if (type == "NFC") return NormalForm::nfc;
  if (type == "NFD") return NormalForm::nfd;
  if (type == "NFKC") return NormalForm::nfkc;
  if (type == "NFKD") return NormalForm::nfkd;
  if (type == "Lowercase") return normalizing::Lowercase{};
  if (type == "StripAccents") return normalizing::StripAccents{};
  if (type == "Strip")
    return normalizing::Strip{json_or<bool>(source, step, "strip_left", true),
                              json_or<bool>(source, step, "strip_right", true)};
  if (type == "Prepend") return normalizing::Prepend{read_short_text(source, step, "prepend")};
  if (type == "Replace") return read_replace(source, step);
  if (type == "Precompiled") return read_precompiled(source, step);
  if (type == "BertNormalizer") return read_bert_normalizer(source, step);
  unsupported(source, "normalizer", type,
              "NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace, Precompiled or BertNormalizer");
}

[[nodiscard]] inline Normalizer read_normalizer(std::string const& source, nlohmann::json const& root) {
  if (is_absent(root, "normalizer")) return {};
  constexpr std::size_t most = 16;  // each may make a text longer
  auto const members = flattened(source, root["normalizer"], "normalizers");
  if (members.size() > most)
    unsupported(source, "normalizer", "a Sequence of " + std::to_string(members.size()), "at most 16 steps");
  std::vector<normalizing::Step> steps;
  for (auto const* const member : members) steps.push_back(read_normalizer_step(source, *member));
  return Normalizer(std::move(steps));
}

}  // namespace graft::detail
