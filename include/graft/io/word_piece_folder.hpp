/// @file
/// @brief BERT's WordPiece from vocab.txt.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/folder_switches.hpp>
#include <graft/io/folder_tokens.hpp>
#include <graft/io/json.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/tokenizer_settings.hpp>
#include <graft/text/normalizer.hpp>
#include <graft/text/tokenizer.hpp>
#include <graft/text/unicode_class.hpp>
#include <graft/text/utf8.hpp>
#include <graft/text/word_piece.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace graft {

namespace detail {

/// A line of a vocab.txt without white space behind its token, as Hugging Face's tokenizers read it; nothing but white
/// space stays.
[[nodiscard]] inline std::string_view vocabulary_token(std::string_view line) {
  std::size_t end = line.size();
  while (end > 0) {
    Utf8Char const last = utf8_before(line, end);
    if (char_class(last.code) != CharClass::space) break;
    end -= last.bytes;
  }
  return end == 0 ? line : line.substr(0, end);
}

}  // namespace detail

/// The vocabulary in the text of a vocab.txt: a token a line, whose number from 0 on is its id; white space behind it
/// is none of it. `source` names the file in errors.
/// @throws FileError for an empty file, a token twice, or text that is not UTF-8
[[nodiscard]] inline Vocabulary parse_vocab_txt(std::string_view text, std::string const& source) {
  if (text.empty()) fail<FileError>("[", source, "] is empty; expected a token a line");
  if (std::size_t const good = valid_utf8_prefix(text); good != text.size())
    fail<FileError>("[", source, "] is not UTF-8; got an ill-formed character at byte ", good);
  if (std::size_t const zero = text.find('\0'); zero != std::string_view::npos)
    fail<FileError>("[", source, "] is not a vocabulary; got a zero byte at offset ", zero);
  Vocabulary vocabulary;
  while (!text.empty()) {
    std::size_t const end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    vocabulary.add(detail::vocabulary_token(line), vocabulary.size(), source);
  }
  return vocabulary;
}

namespace detail {

[[nodiscard]] inline BertNormalizer bert_settings(std::string const& source, nlohmann::json const& config) {
  BertNormalizer bert;
  bert.lowercase = json_or<bool>(source, config, "do_lower_case", true);
  bert.handle_chinese_chars = json_or<bool>(source, config, "tokenize_chinese_chars", true);
  if (!is_absent(config, "strip_accents")) bert.strip_accents = json_at<bool>(source, config, "strip_accents");
  return bert;
}

/// vocab.txt: BERT's normalizer, pre-tokenizer, template and decoder, with the settings of tokenizer_config.json.
[[nodiscard]] inline TokenizerParts read_word_piece_folder(std::filesystem::path const& folder,
                                                           TokenizerSettings const& settings) {
  auto const& [source, config] = settings.tokenizer_config();
  std::string const name = settings.tokenizer_class();
  if (!name.empty() && name != "BertTokenizer" && name != "DistilBertTokenizer" && name != "ElectraTokenizer" &&
      name != "MobileBertTokenizer" && name != "PreTrainedTokenizer") {
    unsupported(source, "tokenizer_class with vocab.txt", name,
                "BertTokenizer, DistilBertTokenizer, ElectraTokenizer or MobileBertTokenizer; hint: a tokenizer.json "
                "says more");
  }
  auto const file = MappedFile::open(folder / "vocab.txt");
  WordPieceFields fields;
  fields.vocabulary = parse_vocab_txt(file->text(), file->path());
  fields.unknown = settings.name_of("unk").value_or("[UNK]");
  fields.source = file->path();

  TokenizerParts parts;
  parts.source = file->path();
  parts.normalizer = Normalizer({bert_settings(source, config)});
  parts.pre_tokenizer = PreTokenizer({PreTokenizerStep::bert});
  parts.decoder = decoding::WordPiece{};
  parts.model = std::make_shared<WordPiece const>(std::move(fields));
  add_folder_tokens(parts, settings, class_tokens(FolderClass::bert, settings));
  use_common_switches(parts, settings, false);
  auto const role = [&](char const* key, char const* usual) {
    return find_token(parts, settings.name_of(key).value_or(usual));
  };
  SpecialTokens& special = parts.special_tokens;
  special.unk = parts.model->unknown();
  special.cls = role("cls", "[CLS]"), special.sep = role("sep", "[SEP]");
  special.pad = role("pad", "[PAD]"), special.mask = role("mask", "[MASK]");
  if (special.cls && special.sep) parts.text_template = TextTemplate::bert(*special.cls, *special.sep);
  return parts;
}

}  // namespace detail

}  // namespace graft
