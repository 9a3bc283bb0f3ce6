/// @file
/// @brief Byte-level BPE from vocab.json and merges.txt.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/json.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/tokenizer_sax.hpp>
#include <graft/io/tokenizer_settings.hpp>
#include <graft/text/byte_level_bpe.hpp>
#include <graft/text/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::detail {

/// The lines of merges.txt, but for its heading.
[[nodiscard]] inline MergeList read_merges(std::string_view text, std::string const& source) {
  MergeList merges;
  while (!text.empty()) {
    std::size_t const end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version")) merges.add_line(line, source);
  }
  return merges;
}

/// Where RoBERTa's and BART's settings are silent: special tokens of the usual names, `<mask>` taking the space before it along, and the
/// template `<s> a </s></s> b </s>`.
inline void add_roberta_tokens(TokenizerParts& parts, TokenizerSettings const& settings) {
  auto usual = special_tokens_named({"<s>", "</s>", "<pad>", "<unk>", "<mask>"});
  usual.back().lstrip = true;
  add_folder_tokens(parts, settings, usual);
  SpecialTokens& special = parts.special_tokens;
  auto const role = [&](char const* name, char const* usual_name) { return find_token(parts, settings.name_of(name).value_or(usual_name)); };
  special = {role("bos", "<s>"),  role("eos", "</s>"), role("pad", "<pad>"), role("unk", "<unk>"),
             role("sep", "</s>"), role("cls", "<s>"),  role("mask", "<mask>")};
  if (special.cls && special.sep) parts.text_template = TextTemplate::roberta(*special.cls, *special.sep);
}

/// vocab.json and merges.txt: GPT-2's splitting, or Qwen 2's if tokenizer_config.json says so; special tokens of RoBERTa and BART if it or
/// config.json says so.
[[nodiscard]] inline TokenizerParts read_vocabulary_and_merges(std::filesystem::path const& folder, TokenizerSettings const& settings) {
  auto const vocabulary = MappedFile::open(folder / "vocab.json"), merges = MappedFile::open(folder / "merges.txt");
  ByteLevelBpeFields fields;
  fields.vocabulary = parse_tokenizer_json(vocabulary->text(), vocabulary->path(), TokenizerFile::vocab_json).vocabulary;
  fields.merges = read_merges(merges->text(), merges->path());
  fields.source = merges->path();
  TokenizerParts parts;
  parts.source = folder.string();
  parts.model = std::make_shared<ByteLevelBpe const>(std::move(fields));

  auto const& [source, config] = settings.tokenizer_config();
  std::string name = settings.tokenizer_class();
  if (std::string usual = settings.usual_class(); name.empty() && (usual == "RobertaTokenizer" || usual == "BartTokenizer")) name = usual;
  bool const qwen2 = name == "Qwen2Tokenizer", roberta = name == "RobertaTokenizer" || name == "BartTokenizer";
  if (!qwen2 && !roberta && !name.empty() && name != "GPT2Tokenizer" && name != "PreTrainedTokenizer") {
    unsupported(source, "tokenizer_class with vocab.json and merges.txt", name,
                "GPT2Tokenizer, RobertaTokenizer, BartTokenizer or Qwen2Tokenizer; hint: a tokenizer.json says more");
  }
  std::vector<PreTokenizerStep> steps;
  if (json_or<bool>(source, config, "add_prefix_space", false)) steps.push_back(PreTokenizerStep::prefix_space);
  steps.push_back(qwen2 ? PreTokenizerStep::split_qwen2 : PreTokenizerStep::split_gpt2);
  parts.pre_tokenizer = PreTokenizer(std::move(steps));
  if (qwen2) parts.normalizer = NormalForm::nfc;
  if (roberta) {
    add_roberta_tokens(parts, settings);
  } else {
    add_folder_tokens(parts, settings, special_tokens_named({"<|endoftext|>"}));  // GPT-2's own files name no special token
  }
  return parts;
}

}  // namespace graft::detail
