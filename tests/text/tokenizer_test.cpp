// Whole tokenizers from files that the tests write. Expectations that involve flags of added tokens were recorded with
// Hugging Face tokenizers 0.23 on the same tokenizer.
#include "small_tokenizer.hpp"
#include "temporary_folder.hpp"

#include <graft/io/sentencepiece_folder.hpp>
#include <graft/io/tokenizer_files.hpp>
#include <graft/io/tokenizer_json.hpp>
#include <graft/text/gguf_tokenizer.hpp>
#include <graft/text/stream_decoder.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace {

using graft::Token;
using graft::Tokenizer;
using small::Json;
using Ids = std::vector<Token>;
using Strings = std::vector<std::string>;

Tokenizer make(Json const& json) { return graft::parse_tokenizer(json.dump(), "test.json"); }

Strings tokens(Tokenizer const& tokenizer, std::string const& text) {
  Strings out;
  for (Token const id : tokenizer.encode(text)) out.push_back(*tokenizer.id_to_token(id));
  return out;
}

using Folder = TemporaryFolder;

TEST(Tokenizer, EncodesAndDecodes) {
  Tokenizer const tokenizer = make(small::tokenizer());
  EXPECT_EQ(tokens(tokenizer, "the the  abab<|endoftext|>é"),
            (Strings{"the", "Ġthe", "Ġ", "Ġ", "abab", "<|endoftext|>", "Ã", "©"}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("the the  abab<|endoftext|>é")), "the the  abab<|endoftext|>é");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("a<|endoftext|>b"), true), "ab");
  EXPECT_EQ(tokenizer.vocabulary_size(), 265);
  EXPECT_EQ(tokenizer.token_to_id("<|endoftext|>"), small::end_of_text);
  EXPECT_FALSE(tokenizer.token_to_id("no such token") || tokenizer.id_to_token(265) || tokenizer.id_to_token(-1));
  EXPECT_EQ(tokenizer.special_tokens().eos, small::end_of_text);
  EXPECT_TRUE(tokenizer.encode("").empty());
  EXPECT_EQ(tokenizer.decode(Ids{264, 1000000}), "<|endoftext|>");
  EXPECT_THROW((void)tokenizer.decode(Ids{-1}), graft::ConfigError);
}

TEST(Tokenizer, ReadsMergesAsLinesAndAsPairs) {
  Json json = small::tokenizer();
  for (Json& pair : json["model"]["merges"]) pair = pair[0].get<std::string>() + " " + pair[1].get<std::string>();
  json["model"].erase("type");  // files of old leave it out
  EXPECT_EQ(make(json).encode("the abab xxxxx"), make(small::tokenizer()).encode("the abab xxxxx"));
}

TEST(Tokenizer, IllFormedTextIsReadAsReplacementCharacters) {
  Tokenizer const tokenizer = make(small::tokenizer());
  EXPECT_EQ(tokenizer.encode("a\xFF\xE2\x82z"), tokenizer.encode("a\uFFFD\uFFFDz"));
}

TEST(Tokenizer, FlagsOfAddedTokens) {
  Json json = small::tokenizer();
  auto const add = [&](std::string const& content, std::vector<std::string> const& flags) {
    Json token = small::added_token(content, small::first_free + static_cast<int>(json["added_tokens"].size()) - 1);
    for (auto const& flag : flags) token[flag] = true;
    json["added_tokens"].push_back(token);
  };
  add("<left>", {"lstrip"}), add("<right>", {"rstrip"}), add("word", {"single_word"}), add("<b", {}), add("<b>", {}),
      add("é!", {"normalized"});
  json["normalizer"] = {{"type", "NFC"}};
  Tokenizer const tokenizer = make(json);
  EXPECT_EQ(tokens(tokenizer, "a \n<left> b"), (Strings{"a", "<left>", "Ġ", "b"}));
  EXPECT_EQ(tokens(tokenizer, "a <right> \tb"), (Strings{"a", "Ġ", "<right>", "b"}));
  EXPECT_EQ(tokens(tokenizer, "word, words"), (Strings{"word", ",", "Ġ", "w", "o", "r", "d", "s"}));
  EXPECT_EQ(tokens(tokenizer, "<b<b>>"), (Strings{"<b", "<b>", ">"}));  // the longest, leftmost
  EXPECT_EQ(tokens(tokenizer, "ae\u0301!"), (Strings{"a", "é!"}));      // found after normalization
  EXPECT_EQ(tokenizer.decode(Ids{265, *tokenizer.token_to_id("a")}, true), "a");
}

TEST(Tokenizer, StreamsWholeCharacters) {
  Tokenizer const tokenizer = make(small::tokenizer());
  std::string const text = "a é 日本 🙂";
  for (auto const& bytes : {text, text.substr(0, text.size() - 1), std::string("\xE2\x82 x\xF0\x9F")}) {
    Ids ids;  // the tokens of raw bytes, ill-formed ones too
    for (char const byte : bytes) ids.push_back(*tokenizer.token_to_id(graft::spell_bytes({&byte, 1})));
    graft::StreamDecoder stream(tokenizer);
    std::string all;
    for (Token const id : ids) {
      std::string const part = stream.push(id);
      EXPECT_EQ(graft::valid_utf8_prefix(part), part.size());
      all += part;
    }
    EXPECT_EQ(all + stream.finish(), tokenizer.decode(ids));
  }
}

TEST(Tokenizer, CopiesAndThreadsShareOneTokenizer) {
  Tokenizer const tokenizer = make(small::tokenizer());
  std::string text;
  for (int i = 0; i < 2000; ++i) text += " the" + std::to_string(i % 97) + " abab";
  Ids const expected = tokenizer.encode(text);
  std::vector<Ids> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back([copy = tokenizer, &result, &text] { result = copy.encode(text); });
  for (auto& thread : threads) thread.join();
  for (auto const& result : results) EXPECT_EQ(result, expected);
}

TEST(TokenizerFolder, SettingsNameTheSpecialTokens) {
  Folder const folder;
  Json json = small::tokenizer();
  json["added_tokens"].push_back(small::added_token("<pad>", 265));
  folder.write("tokenizer.json", json.dump());
  folder.write("config.json", R"({"bos_token_id": 7, "eos_token_id": [9, 10], "pad_token_id": -1})");
  auto special = graft::load_tokenizer_files(folder.path()).special_tokens();
  EXPECT_EQ(special.bos, 7);
  EXPECT_EQ(special.eos, 9);
  EXPECT_FALSE(special.pad);
  folder.write("special_tokens_map.json",
               R"({"pad_token": {"content": "<pad>", "lstrip": false}, "eos_token": "<pad>"})");
  folder.write("tokenizer_config.json", R"({"eos_token": "<|endoftext|>", "bos_token": null})");
  special = graft::load_tokenizer_files(folder.path()).special_tokens();
  EXPECT_EQ(special.bos, 7);
  EXPECT_EQ(special.eos, 265);  // special_tokens_map.json has the last word
  EXPECT_EQ(special.pad, 265);
  folder.write("tokenizer_config.json", R"({"eos_token": "<|endoftext|>", "added_tokens_decoder": {}})");
  special = graft::load_tokenizer_files(folder.path()).special_tokens();
  EXPECT_EQ(special.eos, small::end_of_text);  // and is not read where the added tokens are listed
  EXPECT_FALSE(special.pad && *special.pad != 265);
}

TEST(TokenizerFolder, VocabularyAndMerges) {
  Folder const folder;
  folder.write("vocab.json", small::vocabulary().dump());
  std::string merges = "#version: 0.2\r\n";
  for (auto const& [left, right] : small::merges) merges += left + " " + right + "\r\n";
  folder.write("merges.txt", merges);
  Tokenizer tokenizer = graft::load_tokenizer_files(folder.path());
  std::string const text = "the  abab 12<|endoftext|> xxxx";
  EXPECT_EQ(tokenizer.encode(text), make(small::tokenizer()).encode(text));
  EXPECT_EQ(tokenizer.special_tokens().eos, small::end_of_text);

  folder.write(
      "tokenizer_config.json",
      R"({"tokenizer_class": "Qwen2TokenizerFast", "eos_token": "<|endoftext|>", "additional_special_tokens": ["abab"],
      "added_tokens_decoder": {"264": {"content": "<|endoftext|>", "special": true}, "265": {"content": "<new>", "special": false}}})");
  tokenizer = graft::load_tokenizer_files(folder.path());
  EXPECT_EQ(tokens(tokenizer, "the\tthe<new>abab"), (Strings{"the", "ĉ", "the", "<new>", "abab"}));
  EXPECT_TRUE(tokenizer.is_special(*tokenizer.token_to_id("abab")));
  EXPECT_FALSE(tokenizer.is_special(265));

  folder.write("tokenizer_config.json", R"({"tokenizer_class": "CLIPTokenizer"})");
  EXPECT_THROW((void)graft::load_tokenizer_files(folder.path()), graft::ConfigError);
}

TEST(TokenizerFolder, RobertasVocabularyAndMerges) {
  Folder const folder;
  Json vocabulary = small::vocabulary();
  for (char const* const token : {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}) vocabulary[token] = vocabulary.size();
  folder.write("vocab.json", vocabulary.dump());
  folder.write("merges.txt", "t h\nth e\n");
  folder.write("config.json", R"({"model_type": "roberta", "bos_token_id": 265, "eos_token_id": 267})");
  Tokenizer const tokenizer = graft::load_tokenizer_files(folder.path());
  EXPECT_EQ(tokens(tokenizer, "the <mask> x</s>"), (Strings{"the", "Ġ", "<mask>", "Ġ", "x", "</s>"}));
  auto const special = tokenizer.special_tokens();
  EXPECT_TRUE(special.bos == 265 && special.cls == 265 && special.eos == 267 && special.sep == 267 &&
              special.mask == 269);
  auto const x = *tokenizer.token_to_id("x");
  EXPECT_EQ(tokenizer.encode_with_template("x", "xx").ids, (Ids{265, x, 267, 267, x, x, 267}));
  EXPECT_EQ(tokenizer.encode_with_template("x", "xx").token_types, Ids(7, 0));
}

TEST(TokenizerFolder, VocabTxt) {
  Folder const folder;
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nfox\n##es\n,\n\xC3\xA9\r\nT\n##he\n");
  Tokenizer tokenizer = graft::load_tokenizer_files(folder.path());
  EXPECT_EQ(tokens(tokenizer, "The FOXES, [MASK]zz \u00e9"),
            (Strings{"the", "fox", "##es", ",", "[MASK]", "[UNK]", "[UNK]"}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("The foxes, the")), "the foxes, the");
  auto const pair = tokenizer.encode_with_template("the", "fox the");
  EXPECT_EQ(pair.ids, (Ids{2, 5, 3, 6, 5, 3}));
  EXPECT_EQ(pair.token_types, (Ids{0, 0, 0, 1, 1, 1}));
  auto const special = tokenizer.special_tokens();
  EXPECT_TRUE(special.cls == 2 && special.sep == 3 && special.mask == 4 && special.pad == 0 && special.unk == 1 &&
              !special.eos);
  EXPECT_EQ(tokenizer.decode(pair.ids, true), "the fox the");

  folder.write("tokenizer_config.json", R"({"do_lower_case": false, "tokenizer_class": "BertTokenizer"})");
  tokenizer = graft::load_tokenizer_files(folder.path());
  EXPECT_EQ(tokens(tokenizer, "The \u00e9"), (Strings{"T", "##he", "\u00e9"}));
  folder.write("tokenizer_config.json", R"({"strip_accents": false})");
  EXPECT_EQ(tokens(graft::load_tokenizer_files(folder.path()), "\u00c9"), (Strings{"\u00e9"}));
  EXPECT_EQ(tokens(graft::load_tokenizer_files(folder.path() / "vocab.txt"), "\u00c9"), (Strings{"\u00e9"}));
  folder.write("tokenizer_config.json", R"({"do_basic_tokenize": false})");
  EXPECT_EQ(tokens(graft::load_tokenizer_files(folder.path()), "The"),
            (Strings{"the"}));  // transformers 5 ignores it, too; a warning says so
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "MPNetTokenizer"})");
  EXPECT_THROW((void)graft::load_tokenizer_files(folder.path()), graft::ConfigError);
}

TEST(Tokenizer, PostProcessors) {
  Json json = small::tokenizer();
  json["added_tokens"].push_back(small::added_token("<s>", 265)),
      json["added_tokens"].push_back(small::added_token("</s>", 266));
  Token const x = *make(json).token_to_id("x");
  EXPECT_EQ(make(json).encode_with_template("x", "x").ids, (Ids{x, x}));
  EXPECT_EQ(make(json).encode_with_template("x", "x").token_types, (Ids{0, 1}));
  json["post_processor"] = {{"type", "RobertaProcessing"},
                            {"sep", {"</s>", 266}},
                            {"cls", {"<s>", 265}},
                            {"trim_offsets", true},
                            {"add_prefix_space", false}};
  EXPECT_EQ(make(json).encode_with_template("x", "x").ids, (Ids{265, x, 266, 266, x, 266}));
  EXPECT_EQ(make(json).special_tokens().cls, 265);
  json["post_processor"] = {{"type", "BertProcessing"}, {"sep", {"</s>", 266}}, {"cls", {"<s>", 265}}};
  EXPECT_EQ(make(json).encode_with_template("x", "x").token_types, (Ids{0, 0, 0, 1, 1}));
  Json const a = {{"Sequence", {{"id", "A"}, {"type_id", 2}}}}, b = {{"Sequence", {{"id", "B"}, {"type_id", 0}}}};
  Json const twice = {{"SpecialToken", {{"id", "two"}, {"type_id", 1}}}};
  json["post_processor"] = {
      {"type", "Sequence"},
      {"processors",
       {small::tokenizer()["post_processor"],
        {{"type", "TemplateProcessing"},
         {"single", {twice, a}},
         {"pair", {b, twice, a}},
         {"special_tokens", {{"two", {{"id", "two"}, {"ids", {265, 266}}, {"tokens", {"<s>", "</s>"}}}}}}}}}};
  EXPECT_EQ(make(json).encode_with_template("x").ids, (Ids{265, 266, x}));
  EXPECT_EQ(make(json).encode_with_template("x").token_types, (Ids{1, 1, 2}));
  auto const cut = make(json).encode_with_template("xyz", "thaa", 5);
  EXPECT_EQ(cut.ids.size(), 5u);
  EXPECT_EQ(cut.token_types, (Ids{0, 0, 1, 1, 2}));  // the second text, which comes first here, keeps one more
  EXPECT_EQ(cut.cut_tokens, 3u);
  EXPECT_THROW((void)make(json).encode_with_template("x", std::nullopt, 1), graft::ConfigError);
}

TEST(TokenizerFolder, WithoutATokenizer) {
  Folder const folder;
  EXPECT_THROW((void)graft::load_tokenizer_files(folder.path()), graft::FileError);
  EXPECT_THROW((void)graft::load_tokenizer_files(folder.path() / "tokenizer.json"), graft::FileError);
}

graft::GgufTokenizerFields gguf_fields() {
  graft::GgufTokenizerFields fields;
  fields.file = "test.gguf", fields.model = "gpt2", fields.pre = "gpt-2";
  Json const vocabulary = small::vocabulary();
  fields.tokens.resize(vocabulary.size());
  for (auto const& [token, id] : vocabulary.items()) fields.tokens[id.get<std::size_t>()] = token;
  for (auto const& [left, right] : small::merges) fields.merges.push_back(left + " " + right);
  fields.token_types.assign(fields.tokens.size(), 1);
  fields.token_types.back() = 3;
  fields.eos_id = small::end_of_text;
  return fields;
}

TEST(GgufTokenizer, EqualsTheTokenizerOfTheSameTables) {
  Tokenizer const tokenizer = graft::make_gguf_tokenizer(gguf_fields());
  std::string const text = "the  abab  12<|endoftext|> xxxx";
  EXPECT_EQ(tokenizer.encode(text), make(small::tokenizer()).encode(text));
  EXPECT_EQ(tokenizer.special_tokens().eos, small::end_of_text);
  EXPECT_TRUE(tokenizer.is_special(small::end_of_text));
}

TEST(GgufTokenizer, SplitsAsItsNameSays) {
  auto fields = gguf_fields();
  fields.pre = "smollm";
  EXPECT_EQ(tokens(graft::make_gguf_tokenizer(fields), "a  1"), (Strings{"a", "Ġ", "Ġ", "1"}));
  EXPECT_EQ(tokens(graft::make_gguf_tokenizer(fields, {.smollm_digits = true}), "a  1"), (Strings{"a", "ĠĠ", "1"}));
  fields.pre = "llama-bpe";
  EXPECT_EQ(tokens(graft::make_gguf_tokenizer(fields), "\tthe"), (Strings{"ĉ", "the"}));
  fields.pre = "qwen2";
  EXPECT_EQ(tokens(graft::make_gguf_tokenizer(fields), "e\u0301"), (Strings{"Ã", "©"}));
  fields.pre = "unheard-of";
  EXPECT_THROW((void)graft::make_gguf_tokenizer(fields), graft::ConfigError);
}

TEST(GgufTokenizer, RefusesContradictions) {
  auto const refuses = [](auto change) {
    auto fields = gguf_fields();
    change(fields);
    EXPECT_THROW((void)graft::make_gguf_tokenizer(fields), graft::FileError);
  };
  refuses([](auto& fields) { fields.tokens.clear(); });
  refuses([](auto& fields) { fields.tokens[3] = fields.tokens[4]; });
  refuses([](auto& fields) { fields.token_types.pop_back(); });
  refuses([](auto& fields) { fields.token_types[0] = 9; });
  refuses([](auto& fields) { fields.merges[0] = "th"; });
  refuses([](auto& fields) { fields.merges[0] = "t zz"; });
  refuses([](auto& fields) { fields.eos_id = 265; });
  auto fields = gguf_fields();
  fields.model = "llama";  // SentencePiece, whose tokens have scores
  EXPECT_THROW((void)graft::make_gguf_tokenizer(fields), graft::FileError);
  fields.model = "rwkv";
  EXPECT_THROW((void)graft::make_gguf_tokenizer(fields), graft::ConfigError);
}

TEST(Tokenizer, AFolderOfGgufFilesIsRefusedWithTheFirst) {
  Folder const folder;
  folder.write("b-00002-of-00002.gguf", "GGUF");
  folder.write("b-00001-of-00002.gguf", "GGUF");
  try {
    (void)graft::load_tokenizer_files(folder.path());
    FAIL() << "expected an error";
  } catch (graft::FileError const& error) {
    EXPECT_TRUE(std::string(error.what()).ends_with("by its file, here b-00001-of-00002.gguf, the first of its parts"))
        << error.what();
  }
}

}  // namespace
