/// @file
/// @brief What transformers' tokenizer classes make of a tokenizer.json and of the switches beside it.
#pragma once

#include <graft/core/warning.hpp>
#include <graft/io/folder_tokens.hpp>
#include <graft/io/tokenizer_component.hpp>
#include <graft/io/tokenizer_decoder.hpp>
#include <graft/io/tokenizer_json.hpp>
#include <graft/io/tokenizer_normalizer.hpp>
#include <graft/io/tokenizer_pre_tokenizer.hpp>
#include <graft/io/tokenizer_settings.hpp>
#include <graft/text/byte_pieces.hpp>
#include <graft/text/tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace graft::detail {

/// Classes of transformers that build a tokenizer of their own from the tables of a tokenizer.json; all others take the
/// file as it is.
enum class FolderClass : std::uint8_t { file, bert, gpt2, roberta, qwen2, gpt_neox, llama, t5, xlm_roberta };

/// What a class of transformers is by itself.
struct KnownClass {
  std::string_view name;
  FolderClass kind = FolderClass::file;
  bool token_types = false;  ///< its `model_input_names` have token_type_ids
};
inline constexpr KnownClass known_classes[] = {{"BertTokenizer", FolderClass::bert, true},
                                               {"ElectraTokenizer", FolderClass::bert, true},
                                               {"MobileBertTokenizer", FolderClass::bert, true},
                                               {"DistilBertTokenizer", FolderClass::bert},
                                               {"DebertaTokenizer", FolderClass::file, true},
                                               {"DebertaV2Tokenizer", FolderClass::file, true},
                                               {"GPT2Tokenizer", FolderClass::gpt2},
                                               {"RobertaTokenizer", FolderClass::roberta},
                                               {"BartTokenizer", FolderClass::roberta},
                                               {"Qwen2Tokenizer", FolderClass::qwen2},
                                               {"GPTNeoXTokenizer", FolderClass::gpt_neox},
                                               {"LlamaTokenizer", FolderClass::llama},
                                               {"T5Tokenizer", FolderClass::t5},
                                               {"MT5Tokenizer", FolderClass::t5},
                                               {"XLMRobertaTokenizer", FolderClass::xlm_roberta}};

/// The class of that name (without "Fast"); any other takes the file as it is and gives no token types, as
/// transformers' TokenizersBackend.
[[nodiscard]] inline KnownClass known_class(std::string_view name) noexcept {
  for (KnownClass const& known : known_classes)
    if (known.name == name) return known;
  return {name};
}
[[nodiscard]] inline FolderClass class_named(std::string_view name) noexcept { return known_class(name).kind; }

/// The class that transformers' AutoTokenizer registers for a model type (of no name: TokenizersBackend); nothing where
/// it registers none.
[[nodiscard]] inline std::optional<KnownClass> registered(std::string_view model_type) noexcept {
  constexpr std::pair<std::string_view, std::string_view> types[] = {{"bert", "BertTokenizer"},
                                                                     {"distilbert", "BertTokenizer"},
                                                                     {"electra", "ElectraTokenizer"},
                                                                     {"mobilebert", "MobileBertTokenizer"},
                                                                     {"gpt2", "GPT2Tokenizer"},
                                                                     {"gptj", "GPT2Tokenizer"},
                                                                     {"gpt_neo", "GPT2Tokenizer"},
                                                                     {"opt", "GPT2Tokenizer"},
                                                                     {"phi", "GPT2Tokenizer"},
                                                                     {"roberta", "RobertaTokenizer"},
                                                                     {"bart", "BartTokenizer"},
                                                                     {"gpt_neox", "GPTNeoXTokenizer"},
                                                                     {"qwen2", "Qwen2Tokenizer"},
                                                                     {"qwen3", "Qwen2Tokenizer"},
                                                                     {"t5", "T5Tokenizer"},
                                                                     {"mt5", "MT5Tokenizer"},
                                                                     {"xlm-roberta", "XLMRobertaTokenizer"},
                                                                     {"mistral", ""},
                                                                     {"mixtral", ""},
                                                                     {"phi3", ""},
                                                                     {"umt5", ""}};
  for (auto const& [type, name] : types)
    if (type == model_type) return known_class(name);
  return std::nullopt;
}
[[nodiscard]] inline std::optional<FolderClass> registered_class(std::string_view model_type) noexcept {
  auto const known = registered(model_type);
  return known ? std::optional(known->kind) : std::nullopt;
}

/// The class that AutoTokenizer takes for a folder with a tokenizer.json.
[[nodiscard]] inline FolderClass folder_class(TokenizerSettings const& settings, bool byte_level) {
  FolderClass const named = class_named(settings.tokenizer_class());
  auto const registered = registered_class(settings.model_type());
  if (named == FolderClass::llama && byte_level) return FolderClass::file;
  if (settings.tokenizer_class().empty()) return registered.value_or(FolderClass::file);
  if (registered == FolderClass::file) return FolderClass::file;
  return settings.model_type() == "qwen2" ? FolderClass::qwen2 : named;
}

/// The special tokens that a class has where no file names one.
[[nodiscard]] inline UsualTokens usual_tokens(FolderClass kind) {
  switch (kind) {
    case FolderClass::bert:
      return {{"unk", "[UNK]"}, {"sep", "[SEP]"}, {"pad", "[PAD]"}, {"cls", "[CLS]"}, {"mask", "[MASK]"}};
    case FolderClass::gpt2: return {{"bos", "<|endoftext|>"}, {"eos", "<|endoftext|>"}, {"unk", "<|endoftext|>"}};
    case FolderClass::qwen2: return {{"eos", "<|endoftext|>"}, {"unk", "<|endoftext|>"}, {"pad", "<|endoftext|>"}};
    case FolderClass::gpt_neox:
      return {{"bos", "<|endoftext|>"}, {"eos", "<|endoftext|>"}, {"unk", "<|endoftext|>"}, {"pad", "<|padding|>"}};
    case FolderClass::llama: return {{"bos", "<s>"}, {"eos", "</s>"}, {"unk", "<unk>"}};
    case FolderClass::t5: return {{"eos", "</s>"}, {"unk", "<unk>"}, {"pad", "<pad>"}};
    case FolderClass::roberta:
    case FolderClass::xlm_roberta:
      return {{"bos", "<s>"},   {"eos", "</s>"}, {"unk", "<unk>"},  {"sep", "</s>"},
              {"pad", "<pad>"}, {"cls", "<s>"},  {"mask", "<mask>"}};
    case FolderClass::file: break;
  }
  return {};
}

/// T5's sentinels, which transformers counts upwards where neither vocabulary nor files have them.
[[nodiscard]] inline std::vector<AddedToken> sentinels(FolderClass kind, TokenizerSettings const& settings) {
  std::vector<AddedToken> tokens;
  if (kind != FolderClass::t5) return tokens;
  auto const& [source, config] = settings.tokenizer_config();
  constexpr std::int64_t most = 4096;
  auto const count = json_or<std::int64_t>(source, config, "extra_ids", 100);
  if (count < 0 || count > most)
    fail<FileError>("[", source, "] extra_ids is out of range; got ", count, "; expected 0 to ", most);
  auto const lists = settings.special_lists();
  if (lists.extra) return tokens;
  if (lists.additional)
    for (AddedToken const& token : settings.listed_special_tokens())
      if (token.content.find("<extra_id_") != std::string::npos) return tokens;
  for (std::int64_t i = 0; i < count; ++i) tokens.push_back({cat("<extra_id_", i, ">"), 0, true});
  return tokens;
}

[[nodiscard]] inline ClassTokens class_tokens(FolderClass kind, TokenizerSettings const& settings) {
  return {usual_tokens(kind), sentinels(kind, settings), kind != FolderClass::file, kind == FolderClass::qwen2};
}

/// LLaMA's decoder: `▁` is a space, bytes are bytes, and the text loses the space that encoding put before it.
[[nodiscard]] inline decoding::Pieces llama_decoder(bool prefix) {
  decoding::Pieces decoder;
  decoder.replacements = {{std::string(metaspace), " "}};
  decoder.byte_runs = decoding::ByteRuns::whole;
  if (prefix) decoder.strip = " ", decoder.strip_most = 1;
  return decoder;
}

/// Makes of a tokenizer.json what a class makes of it. A switch that tokenizer_config.json has is honoured. Where the
/// class by itself would replace something that tokenizer.json says, the file counts, and a warning says so.
class FolderClassReader {
 public:
  FolderClassReader(TokenizerParts& parts, nlohmann::json& root, TokenizerSettings const& settings, FolderClass kind)
      : parts_(parts), root_(root), settings_(settings), kind_(kind) {}

  /// What comes before added tokens are added, which may be looked for in normalized text.
  void use_switches() {
    switch (kind_) {
      case FolderClass::file: break;
      case FolderClass::bert: use_bert(); break;
      case FolderClass::gpt2:
      case FolderClass::roberta:
      case FolderClass::qwen2:
      case FolderClass::gpt_neox: use_byte_level(); break;
      case FolderClass::llama: use_llama(); break;
      case FolderClass::t5:
      case FolderClass::xlm_roberta: use_metaspace(); break;
    }
  }

  /// What stands around texts, once all tokens have their ids.
  void use_template() {
    if (kind_ == FolderClass::bert) {
      auto const cls = token("cls", "[CLS]"), sep = token("sep", "[SEP]");
      if (cls && sep) put_template(TextTemplate::bert(*cls, *sep), {"cls_token", "sep_token"});
    } else if (kind_ == FolderClass::roberta) {
      auto const cls = token("cls", "<s>"), sep = token("sep", "</s>");
      if (cls && sep) put_template(TextTemplate::roberta(*cls, *sep), {"cls_token", "sep_token"});
    } else if (kind_ == FolderClass::t5) {
      if (auto const eos = token("eos", "</s>")) put_template(TextTemplate::trailing(*eos), {"eos_token"});
    } else if (kind_ == FolderClass::xlm_roberta) {
      auto const bos = token("bos", "<s>"), eos = token("eos", "</s>");
      if (bos && eos) put_template(TextTemplate::roberta(*bos, *eos), {"bos_token", "eos_token"});
    } else if (kind_ == FolderClass::gpt_neox) {
      put_template(TextTemplate(), {});
    }
  }

 private:
  [[nodiscard]] std::optional<Token> token(char const* role, char const* usual) const {
    return find_token(parts_, settings_.name_of(role).value_or(usual));
  }

  void keep(char const* component) const {
    warn("[", settings_.tokenizer_class().empty() ? settings_.config().first : settings_.tokenizer_config().first, "] ",
         settings_.tokenizer_class().empty() ? "model_type " + printable(settings_.model_type())
                                             : "tokenizer_class " + printable(settings_.tokenizer_class()),
         " has another ", component,
         " in transformers than tokenizer.json; the one of tokenizer.json is used; hint: tokenizer_class ",
         "\"TokenizersBackend\" makes transformers use it, too");
  }

  void put_template(TextTemplate const& made, std::vector<char const*> const& keys) {
    if (parts_.text_template == made) return;
    bool const said =
        std::any_of(keys.begin(), keys.end(), [&](char const* key) { return settings_.entry(key) != nullptr; });
    if (!said && !is_absent(root_, "post_processor")) return keep("post-processor");
    parts_.text_template = made;
  }

  void check_steps(std::vector<PreTokenizerStep> const& steps) const {
    if (parts_.pre_tokenizer.steps() != steps) keep("pre-tokenizer");
  }

  [[nodiscard]] std::vector<std::string> normalizer_types() const {
    std::vector<std::string> types;
    if (is_absent(root_, "normalizer")) return types;
    for (auto const* const step : flattened(parts_.source, root_["normalizer"], "normalizers"))
      types.push_back(component_type(parts_.source, *step));
    return types;
  }

  void use_bert() {
    BertNormalizer made;
    made.lowercase = settings_.flag("do_lower_case", true);
    made.handle_chinese_chars = settings_.flag("tokenize_chinese_chars", true);
    if (settings_.says("strip_accents")) made.strip_accents = settings_.flag("strip_accents", false);
    bool const said =
        settings_.says("do_lower_case") || settings_.says("tokenize_chinese_chars") || settings_.says("strip_accents");
    bool same = normalizer_types() == std::vector<std::string>{"BertNormalizer"};
    if (same)
      same = read_bert_normalizer(parts_.source,
                                  *flattened(parts_.source, root_["normalizer"], "normalizers").front()) == made;
    if (!same && said) parts_.normalizer = Normalizer({made});
    if (!same && !said) keep("normalizer");
    check_steps({PreTokenizerStep::bert});
    nlohmann::json const& model = model_settings();
    std::string const unknown = settings_.name_of("unk").value_or("[UNK]");
    if (!model_is("WordPiece") || json_or<std::string>(parts_.source, model, "unk_token", "[UNK]") != unknown)
      keep("model or unk_token");
    else if (json_or<std::string>(parts_.source, model, "continuing_subword_prefix", "##") != "##" ||
             json_or<std::uint64_t>(parts_.source, model, "max_input_chars_per_word", 100) != 100)
      keep("continuing_subword_prefix or max_input_chars_per_word");
    auto const* const decoder = std::get_if<decoding::WordPiece>(&parts_.decoder);
    if (decoder == nullptr || decoder->prefix != "##" || !decoder->cleanup) keep("decoder");
  }

  void use_byte_level() {
    bool const prefix = settings_.flag("add_prefix_space", false);
    if (settings_.says("add_prefix_space"))
      set_prefix_space(root_.contains("pre_tokenizer") ? root_["pre_tokenizer"] : root_, prefix);
    auto read = read_pre_tokenizer(parts_.source, root_);
    if (!read.byte_level) return keep("pre-tokenizer");
    parts_.pre_tokenizer = std::move(read.steps);
    std::vector<PreTokenizerStep> made{kind_ == FolderClass::qwen2 ? PreTokenizerStep::split_qwen2
                                                                   : PreTokenizerStep::split_gpt2};
    if (prefix) made.insert(kind_ == FolderClass::qwen2 ? made.end() : made.begin(), PreTokenizerStep::prefix_space);
    check_steps(made);
    bool const composes = kind_ == FolderClass::qwen2 || kind_ == FolderClass::gpt_neox;
    if (normalizer_types() != (composes ? std::vector<std::string>{"NFC"} : std::vector<std::string>{}))
      keep("normalizer");
    if (!std::holds_alternative<decoding::ByteLevel>(parts_.decoder)) keep("decoder");
    nlohmann::json const& model = model_settings();
    if (json_or<bool>(parts_.source, model, "ignore_merges", false) || !is_absent(model, "unk_token"))
      keep("setting of ignore_merges or unk_token");
  }

  static void set_prefix_space(nlohmann::json& component, bool prefix) {
    if (component.is_object() && component.contains("type") && component["type"] == "ByteLevel")
      component["add_prefix_space"] = prefix;
    if (component.is_object() && component.contains("pretokenizers") && component["pretokenizers"].is_array())
      for (auto& inner : component["pretokenizers"]) set_prefix_space(inner, prefix);
  }

  /// LLaMA's class has `Metaspace` and no normalizer; a text begins with `▁`, and what follows an added token if
  /// `legacy` says so.
  void use_llama() {
    bool const prefix = settings_.flag("add_prefix_space", true), legacy = settings_.flag("legacy", false);
    bool const said = settings_.says("add_prefix_space") || settings_.says("legacy");
    std::vector<PreTokenizerStep> steps{PreTokenizerStep::metaspaces};
    if (prefix) steps.push_back(legacy ? PreTokenizerStep::metaspace_prefix : PreTokenizerStep::metaspace_prefix_first);
    auto const types = normalizer_types();
    bool const plain = types.empty() || types == std::vector<std::string>{"Prepend", "Replace"} ||
                       types == std::vector<std::string>{"Replace"};
    bool const fits = plain && (parts_.pre_tokenizer.steps().empty() || types.empty());
    bool const same = types.empty() && parts_.pre_tokenizer.steps() == steps;
    check_llama_model();
    if (!same && said && fits) {
      parts_.normalizer = Normalizer();
      parts_.pre_tokenizer = PreTokenizer(std::move(steps));
      parts_.decoder = llama_decoder(prefix);
      return;
    }
    if (!same) keep("normalizer or pre-tokenizer");
    check_decoder(llama_decoder(prefix));
  }

  /// Its BPE spells what the vocabulary lacks in bytes, and has no other token for the unknown.
  void check_llama_model() const {
    nlohmann::json const& model = model_settings();
    auto const on = [&](char const* key) { return json_or<bool>(parts_.source, model, key, false); };
    bool spelled = true;  // whether bytes spell any text
    for (int byte = 0; byte < 256; ++byte)
      spelled =
          spelled && parts_.model->vocabulary().find(spell_byte_piece(static_cast<unsigned char>(byte))).has_value();
    if (!model_is("BPE") || !on("byte_fallback") || on("ignore_merges") || (!spelled && !is_absent(model, "unk_token")))
      keep("model (byte_fallback, ignore_merges or unk_token)");
  }

  void use_metaspace() {
    bool const xlmr = kind_ == FolderClass::xlm_roberta, prefix = !xlmr || settings_.flag("add_prefix_space", true);
    std::vector<PreTokenizerStep> made{PreTokenizerStep::whitespace, PreTokenizerStep::metaspaces};
    if (prefix) made.push_back(PreTokenizerStep::metaspace_prefix);
    made.push_back(PreTokenizerStep::split_metaspace);
    auto const types = normalizer_types();
    if (!types.empty() && types != std::vector<std::string>{"Precompiled"}) keep("normalizer");
    decoding::Pieces decoder;
    decoder.metaspaces = true;
    decoder.leading = prefix ? decoding::LeadingSpaces::drop_in_first : decoding::LeadingSpaces::keep;
    if (xlmr && settings_.says("add_prefix_space") && parts_.pre_tokenizer.steps() != made) {
      parts_.pre_tokenizer = PreTokenizer(made);
      parts_.decoder = decoder;
    }
    check_steps(made);
    check_decoder(decoder);
    nlohmann::json const& model = model_settings();
    auto const unknown = is_absent(model, "unk_id") ? -1 : json_at<std::int64_t>(parts_.source, model, "unk_id");
    if (!model_is("Unigram") || json_or<bool>(parts_.source, model, "byte_fallback", false) ||
        unknown != (xlmr ? 3 : 2))
      keep("model (byte_fallback or unk_id)");
  }

  void check_decoder(decoding::Pieces const& made) const {
    auto const* const own = std::get_if<decoding::Pieces>(&parts_.decoder);
    if (own == nullptr || *own != made) keep("decoder");
  }

  [[nodiscard]] nlohmann::json const& model_settings() const {
    static auto const& none =
        *new nlohmann::json(nlohmann::json::object());  // never destroyed: a thread may read while the process ends
    auto const model = root_.find("model");
    return model == root_.end() ? none : *model;
  }
  /// Whether the model is of that type; old files do not say.
  [[nodiscard]] bool model_is(char const* type) const {
    return json_or<std::string>(parts_.source, model_settings(), "type", type) == type;
  }

  TokenizerParts& parts_;
  nlohmann::json& root_;
  TokenizerSettings const& settings_;
  FolderClass kind_;
};

}  // namespace graft::detail
