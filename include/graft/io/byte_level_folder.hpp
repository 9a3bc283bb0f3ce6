/// @file
/// @brief Byte-level BPE from vocab.json and merges.txt.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/json.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/tokenizer_sax.hpp>
#include <graft/io/folder_switches.hpp>
#include <graft/io/folder_tokens.hpp>
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

/// The roles of RoBERTa's and BART's tokens, of the usual names where settings are silent, and the template `<s> a </s></s> b </s>`.
inline void use_roberta_tokens(TokenizerParts& parts, TokenizerSettings const& settings) {
  SpecialTokens& special = parts.special_tokens;
  auto const role = [&](char const* name, char const* usual_name) {
    return find_token(parts, settings.name_of(name).value_or(usual_name));
  };
  special = {role("bos", "<s>"),  role("eos", "</s>"), role("pad", "<pad>"),  role("unk", "<unk>"),
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

  std::string const& source = settings.tokenizer_config().first;
  std::string name = settings.tokenizer_class();
  if (std::string usual = settings.usual_class(); name.empty() && (usual == "RobertaTokenizer" || usual == "BartTokenizer")) name = usual;
  bool const qwen2 = name == "Qwen2Tokenizer", roberta = name == "RobertaTokenizer" || name == "BartTokenizer";
  if (!qwen2 && !roberta && !name.empty() && name != "GPT2Tokenizer" && name != "PreTrainedTokenizer") {
    unsupported(source, "tokenizer_class with vocab.json and merges.txt", name,
                "GPT2Tokenizer, RobertaTokenizer, BartTokenizer or Qwen2Tokenizer; hint: a tokenizer.json says more");
  }
  std::vector<PreTokenizerStep> steps{qwen2 ? PreTokenizerStep::split_qwen2 : PreTokenizerStep::split_gpt2};
  if (settings.flag("add_prefix_space", false)) steps.insert(qwen2 ? steps.end() : steps.begin(), PreTokenizerStep::prefix_space);
  parts.pre_tokenizer = PreTokenizer(std::move(steps));
  if (qwen2) parts.normalizer = NormalForm::nfc;
  add_folder_tokens(parts, settings, usual_tokens(qwen2 ? FolderClass::qwen2 : roberta ? FolderClass::roberta : FolderClass::gpt2));
  if (roberta) {
    use_roberta_tokens(parts, settings);
  } else {
    auto const around = [&](char const* key, char const* role) {
      bool const named = settings.entry(std::string(role) + "_token") != nullptr;
      std::optional<std::string> content = settings.name_of(role);
      if (!named && !(qwen2 && role == std::string_view("bos"))) content = "<|endoftext|>";
      return settings.flag(key, false) && content ? find_token(parts, *content) : std::nullopt;
    };
    parts.text_template = TextTemplate::around(around("add_bos_token", "bos"), around("add_eos_token", "eos"));
  }
  use_common_switches(parts, settings, true);
  return parts;
}

}  // namespace graft::detail
