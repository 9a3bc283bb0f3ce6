/// @file
/// @brief Byte-level BPE from vocab.json and merges.txt.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/folder_class.hpp>
#include <graft/io/folder_switches.hpp>
#include <graft/io/folder_tokens.hpp>
#include <graft/io/json.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/tokenizer_sax.hpp>
#include <graft/io/tokenizer_settings.hpp>
#include <graft/text/byte_level_bpe.hpp>
#include <graft/text/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
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

/// The roles of RoBERTa's and BART's tokens, of the usual names where settings are silent, and the template `<s> a
/// </s></s> b </s>`.
inline void use_roberta_tokens(TokenizerParts& parts, TokenizerSettings const& settings) {
  SpecialTokens& special = parts.special_tokens;
  auto const role = [&](char const* name, char const* usual_name) {
    return find_token(parts, settings.name_of(name).value_or(usual_name));
  };
  special = {role("bos", "<s>"),  role("eos", "</s>"), role("pad", "<pad>"),  role("unk", "<unk>"),
             role("sep", "</s>"), role("cls", "<s>"),  role("mask", "<mask>")};
  if (special.cls && special.sep) parts.text_template = TextTemplate::roberta(*special.cls, *special.sep);
}

/// The class of vocab.json and merges.txt, which do not say how text is split: that of tokenizer_config.json or of
/// config.json's model type, as for a tokenizer.json; GPT-2's where they name none.
[[nodiscard]] inline FolderClass byte_level_class(TokenizerSettings const& settings) {
  std::string const name = settings.tokenizer_class();
  constexpr FolderClass kinds[] = {FolderClass::gpt2, FolderClass::roberta, FolderClass::qwen2, FolderClass::gpt_neox};
  for (FolderClass const kind : {folder_class(settings, true), class_named(name)})
    if (std::find(std::begin(kinds), std::end(kinds), kind) != std::end(kinds)) return kind;
  std::string const& source = settings.tokenizer_config().first;
  if (!name.empty() && name != "PreTrainedTokenizer") {
    unsupported(source, "tokenizer_class with vocab.json and merges.txt", name,
                "GPT2Tokenizer, RobertaTokenizer, BartTokenizer, Qwen2Tokenizer or GPTNeoXTokenizer; hint: a "
                "tokenizer.json says more");
  }
  if (name.empty() && (settings.any() || !settings.model_type().empty())) {
    warn("[", source,
         "] names no tokenizer_class, and vocab.json and merges.txt do not say how text is split; it is split as GPT-2 "
         "does; ",
         "hint: a tokenizer.json says more");
  }
  return FolderClass::gpt2;
}

/// vocab.json and merges.txt: GPT-2's splitting and special tokens, or those of another class if tokenizer_config.json
/// or config.json says so.
[[nodiscard]] inline TokenizerParts read_vocabulary_and_merges(std::filesystem::path const& folder,
                                                               TokenizerSettings const& settings) {
  auto const vocabulary = MappedFile::open(folder / "vocab.json"), merges = MappedFile::open(folder / "merges.txt");
  ByteLevelBpeFields fields;
  fields.vocabulary =
      parse_tokenizer_json(vocabulary->text(), vocabulary->path(), TokenizerFile::vocab_json).vocabulary;
  fields.merges = read_merges(merges->text(), merges->path());
  fields.source = merges->path();
  TokenizerParts parts;
  parts.source = folder.string();
  parts.model = std::make_shared<ByteLevelBpe const>(std::move(fields));

  FolderClass const kind = byte_level_class(settings);
  bool const qwen2 = kind == FolderClass::qwen2, roberta = kind == FolderClass::roberta;
  std::vector<PreTokenizerStep> steps{qwen2 ? PreTokenizerStep::split_qwen2 : PreTokenizerStep::split_gpt2};
  if (settings.flag("add_prefix_space", false))
    steps.insert(qwen2 ? steps.end() : steps.begin(), PreTokenizerStep::prefix_space);
  parts.pre_tokenizer = PreTokenizer(std::move(steps));
  if (qwen2 || kind == FolderClass::gpt_neox) parts.normalizer = NormalForm::nfc;
  add_folder_tokens(parts, settings, class_tokens(kind, settings));
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
