/// @file
/// @brief Tokenizers from the SentencePiece models of Hugging Face folders.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/folder_switches.hpp>
#include <graft/io/folder_tokens.hpp>
#include <graft/io/json.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/sentencepiece_file.hpp>
#include <graft/io/tokenizer_pre_tokenizer.hpp>
#include <graft/io/tokenizer_settings.hpp>
#include <graft/text/sentencepiece_tokenizer.hpp>
#include <graft/text/tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace graft::detail {

/// XLM-R counts as fairseq does: `<s>`, `<pad>`, `</s>`, `<unk>`, then the model's pieces from the fourth on, and
/// `<mask>` last.
[[nodiscard]] inline SentencePieceFields with_fairseq_ids(SentencePieceFields fields) {
  Vocabulary const old = std::exchange(fields.vocabulary, Vocabulary());
  auto const scores = std::exchange(fields.scores, {});
  auto const types = std::exchange(fields.types, {});
  auto const add = [&](std::string_view piece, float score, PieceType type) {
    fields.vocabulary.add(piece, fields.vocabulary.size(), fields.file);
    fields.scores.push_back(score);
    fields.types.push_back(type);
  };
  add("<s>", 0, PieceType::control), add("<pad>", 0, PieceType::control), add("</s>", 0, PieceType::control);
  add("<unk>", 0, PieceType::unknown);
  for (Token id = 3; id < old.size(); ++id)
    add(*old.token(id), scores[static_cast<std::size_t>(id)], types[static_cast<std::size_t>(id)]);
  add("<mask>", 0, PieceType::control);
  return fields;
}

/// T5's sentinels `<extra_id_0>`, … behind the pieces, the last one first, unless the settings list them.
inline void add_extra_ids(TokenizerParts& parts, TokenizerSettings const& settings) {
  auto const& [source, config] = settings.tokenizer_config();
  constexpr std::int64_t most = 4096;
  auto const count = json_or<std::int64_t>(source, config, "extra_ids", 100);
  if (count < 0 || count > most)
    fail<FileError>("[", source, "] extra_ids is out of range; got ", count, "; expected 0 to ", most);
  for (AddedToken const& token : parts.added_tokens)
    if (token.content.starts_with("<extra_id_")) return;
  Token const size = parts.model->vocabulary().size();
  for (std::int64_t i = 0; i < count; ++i)
    parts.added_tokens.push_back({cat("<extra_id_", i, ">"), size + static_cast<Token>(count - 1 - i), true});
}

/// Lets special tokens be found in text and seen when decoded, as Hugging Face's tokenizers do: those of the model,
/// with the flags that the settings give them, and those that the settings add.
inline void use_folder_tokens(TokenizerParts& parts, TokenizerSettings const& settings) {
  std::vector<AddedToken> const of_model = std::exchange(parts.added_tokens, {});
  add_folder_tokens(parts, settings, {});
  std::unordered_set<Token> given;
  for (AddedToken& token : parts.added_tokens) {
    token.normalized = false;  // looked for in the text as given: normalized, it would begin with `▁`
    given.insert(token.id);
  }
  for (AddedToken token : of_model) {
    if (given.contains(token.id)) continue;
    token.in_text = true;
    parts.added_tokens.push_back(std::move(token));
  }
  if (auto* const pieces = std::get_if<decoding::Pieces>(&parts.decoder)) pieces->surfaces = nullptr;
}

/// LLaMA's class in place of SentencePiece's normalizer: a text that begins with a space gets no other.
inline void use_metaspace(TokenizerParts& parts, PrefixSpace prefix) {
  std::vector<PreTokenizerStep> steps;
  add_metaspace_steps({prefix, false}, steps);
  parts.normalizer = Normalizer();
  parts.pre_tokenizer = PreTokenizer(std::move(steps));
}

/// T5's class in place of SentencePiece's normalizer: the model's rules, then the words between white space, each with
/// `▁`.
inline void use_words(TokenizerParts& parts, std::shared_ptr<CharsMap const> chars_map) {
  std::vector<PreTokenizerStep> steps{PreTokenizerStep::whitespace};
  add_metaspace_steps({}, steps);
  parts.normalizer = chars_map != nullptr ? Normalizer({normalizing::Precompiled{std::move(chars_map)}}) : Normalizer();
  parts.pre_tokenizer = PreTokenizer(std::move(steps));
  decoding::Pieces decoder;
  decoder.metaspaces = true;
  decoder.leading = decoding::LeadingSpaces::drop_in_first;
  parts.decoder = std::move(decoder);
}

/// Says where special_tokens_map.json counts more here than in transformers 5, which has the control pieces of a model
/// in its place.
inline void check_model_map(TokenizerSettings const& settings) {
  if (settings.lists_added_tokens()) return;
  auto const& [source, map] = settings.special_tokens_map();
  for (auto const& [key, value] : map.items()) {
    bool const flags =
        value.is_object() && std::any_of(value.begin(), value.end(), [](auto const& flag) { return flag == true; });
    if (flags || (key == "additional_special_tokens" && !value.empty() && !settings.says(key)))
      warn("[", source, "] ", printable(key),
           " is followed; transformers 5 does not follow it beside a SentencePiece model alone");
  }
}

/// The template of a class of Hugging Face's, or of a file's name where no class is known.
inline void set_sentencepiece_template(TokenizerParts& parts, TokenizerSettings const& settings,
                                       std::string const& kind) {
  SpecialTokens& special = parts.special_tokens;
  if (kind == "T5Tokenizer" || kind == "MT5Tokenizer" || kind == "spiece.model") {
    if (special.eos) parts.text_template = TextTemplate::trailing(*special.eos);
  } else if (kind == "XLMRobertaTokenizer" || kind == "sentencepiece.bpe.model") {
    if (!special.bos || !special.eos) return;
    special.cls = special.bos, special.sep = special.eos;
    special.mask = find_token(parts, "<mask>");
    parts.text_template = TextTemplate::roberta(*special.cls, *special.sep);
  } else {
    bool const bos = settings.flag("add_bos_token", true), eos = settings.flag("add_eos_token", false);
    if (kind == "LlamaTokenizer" && special.bos && !settings.says("add_bos_token"))
      warn("[", settings.tokenizer_config().first,
           "] does not say add_bos_token; texts begin with bos here, as LLaMA's do, and without in transformers 5");
    parts.text_template = TextTemplate::around(bos ? special.bos : std::nullopt, eos ? special.eos : std::nullopt);
  }
}

/// A SentencePiece model by itself is SentencePiece's: its special tokens are not found in text. Where settings or
/// config.json name a class of Hugging Face's, they are, and T5's sentinels and XLM-R's ids are added.
[[nodiscard]] inline TokenizerParts read_sentencepiece_folder(std::filesystem::path const& folder,
                                                              std::string const& name,
                                                              TokenizerSettings const& settings) {
  std::string const& source = settings.tokenizer_config().first;
  std::string kind = settings.tokenizer_class();
  if (kind.empty()) kind = settings.usual_class();
  bool const xlmr = kind == "XLMRobertaTokenizer";
  if (!kind.empty() && !xlmr && kind != "T5Tokenizer" && kind != "MT5Tokenizer" && kind != "LlamaTokenizer" &&
      kind != "PreTrainedTokenizer") {
    unsupported(source, "tokenizer_class with " + name, kind,
                "T5Tokenizer, LlamaTokenizer or XLMRobertaTokenizer; hint: a tokenizer.json says more");
  }
  auto const file = MappedFile::open(folder / name);
  SentencePieceFields fields = parse_sentencepiece(file->text(), file->path());
  bool const hugging_face = !kind.empty() || settings.any(), t5 = kind == "T5Tokenizer";
  bool const llama = settings.tokenizer_class() == "LlamaTokenizer";
  bool const legacy = settings.flag("legacy", !llama), prefix = !llama || settings.flag("add_prefix_space", true);
  if (t5 && !legacy) warn("[", source, "] legacy false has no effect with T5Tokenizer, as in transformers 5");
  if (hugging_face && !t5 && !legacy && fields.prefix == PrefixSpace::always) fields.prefix = PrefixSpace::first;
  if (!prefix) fields.prefix = PrefixSpace::never;
  bool const rules = !fields.chars_map.empty() || fields.remove_extra_whitespaces;
  if (llama && rules)
    warn("[", file->path(),
         "] has rules of normalization, which LlamaTokenizer of transformers does not apply; they are applied here");
  auto const chars_map =
      fields.chars_map.empty() ? nullptr : std::make_shared<CharsMap const>(fields.chars_map, fields.file);
  if (xlmr) fields = with_fairseq_ids(std::move(fields));
  bool const bpe = fields.kind == SentencePieceFields::Kind::bpe;
  TokenizerParts parts = make_sentencepiece_parts(std::move(fields));
  if (hugging_face) use_folder_tokens(parts, settings), check_model_map(settings);
  if (llama) {
    if (!rules) use_metaspace(parts, prefix ? (legacy ? PrefixSpace::always : PrefixSpace::first) : PrefixSpace::never);
    parts.decoder = llama_decoder(prefix);
  } else if (t5) {
    use_words(parts, chars_map);
  }
  use_common_switches(parts, settings, bpe);
  if (kind == "T5Tokenizer") add_extra_ids(parts, settings);
  set_sentencepiece_template(parts, settings, kind.empty() || kind == "PreTrainedTokenizer" ? name : kind);
  return parts;
}

}  // namespace graft::detail
