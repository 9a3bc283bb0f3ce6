// SentencePiece models from files that the tests write, by themselves and in Hugging Face folders.
#include "small_sentencepiece.hpp"
#include "temporary_folder.hpp"

#include <graft/io/load_tokenizer.hpp>
#include <graft/io/sentencepiece_folder.hpp>
#include <graft/text/gguf_tokenizer.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using graft::Token;
using graft::Tokenizer;
using Ids = std::vector<Token>;
using Strings = std::vector<std::string>;

Tokenizer make(small::Model const& model) {
  return Tokenizer(graft::make_sentencepiece_parts(graft::parse_sentencepiece(model.bytes(), "test.model")));
}

Strings tokens(Tokenizer const& tokenizer, Ids const& ids) {
  Strings out;
  for (Token const id : ids) out.push_back(*tokenizer.id_to_token(id));
  return out;
}
Strings tokens(Tokenizer const& tokenizer, std::string const& text) {
  return tokens(tokenizer, tokenizer.encode(text));
}

TEST(SentencePiece, Unigram) {
  Tokenizer const tokenizer = make(small::unigram());
  EXPECT_EQ(tokens(tokenizer, " the  fox the"), (Strings{"▁the", "▁fox", "▁the"}));
  EXPECT_EQ(tokens(tokenizer, "thefox"), (Strings{"▁the", "fox"}));
  EXPECT_EQ(tokens(tokenizer, "zz fox"), (Strings{"▁", "<unk>", "▁fox"}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("the zz fox")), "the  \u2047  fox");
  EXPECT_EQ(tokenizer.special_tokens().eos, 1);
  EXPECT_EQ(tokenizer.special_tokens().pad, 0);
  EXPECT_EQ(tokenizer.special_tokens().unk, 2);
  EXPECT_FALSE(tokenizer.special_tokens().bos);
  EXPECT_TRUE(tokenizer.encode("  ").empty());
}

TEST(SentencePiece, SpecialPiecesAreNoText) {
  Tokenizer const tokenizer = make(small::unigram());
  EXPECT_EQ(tokens(tokenizer, "</s>"), (Strings{"▁", "<unk>"}));
  EXPECT_EQ(tokenizer.decode(Ids{3, 7, 1, 2}), "the fox \u2047 ");
  EXPECT_EQ(tokenizer.decode(Ids{3, 7, 1, 2}, true), "the fox");
  EXPECT_TRUE(tokenizer.is_special(1) && tokenizer.is_special(2));
  EXPECT_FALSE(tokenizer.is_special(3));
}

TEST(SentencePiece, BpeWithByteFallback) {
  auto model = small::with_bytes(small::bpe());
  model.remove_extra_whitespaces = false;
  Tokenizer const tokenizer = make(model);
  EXPECT_EQ(tokens(tokenizer, "the fox"), (Strings{"▁the", "▁fox"}));
  EXPECT_EQ(tokens(tokenizer, "the  foxé"), (Strings{"▁the", "▁", "▁fox", "<0xC3>", "<0xA9>"}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(" the  foxé🙂")), " the  foxé🙂");
  EXPECT_EQ(tokenizer.encode("a\xFF"), tokenizer.encode("a\uFFFD"));
}

TEST(SentencePiece, RulesAndUserDefinedPieces) {
  auto model = small::unigram();
  model.chars_map = small::chars_map({{'F', "f"}, {'\t', " "}});
  model.pieces.push_back({"<sep>", 0, 4});
  model.dummy_prefix = false;
  Tokenizer const tokenizer = make(model);
  EXPECT_EQ(tokens(tokenizer, "\tthe<sep>Fox<sep\t\tfox"),
            (Strings{"the", "<sep>", "fox", "<unk>", "e", "<unk>", "▁fox"}));
}

TEST(SentencePieceFolder, ByItselfTheModelIsSentencePieces) {
  TemporaryFolder const folder;
  folder.write("spiece.model", small::unigram().bytes());
  Tokenizer tokenizer = graft::load_tokenizer(folder.path());
  EXPECT_EQ(tokens(tokenizer, "the</s>"), (Strings{"▁the", "<unk>"}));
  EXPECT_EQ(tokenizer.encode_with_template("the").ids, (Ids{3, 1}));
  EXPECT_EQ(tokenizer.encode_with_template("the", "fox").ids, (Ids{3, 1, 7, 1}));
  EXPECT_EQ(tokenizer.vocabulary_size(), 14);
  EXPECT_EQ(graft::load_tokenizer(folder.path() / "spiece.model").encode_with_template("the").ids, (Ids{3, 1}));
}

TEST(SentencePieceFolder, T5) {
  TemporaryFolder const folder;
  folder.write("spiece.model", small::unigram().bytes());
  folder.write("config.json", R"({"model_type": "t5", "eos_token_id": 1, "pad_token_id": 0})");
  Tokenizer tokenizer = graft::load_tokenizer(folder.path());
  EXPECT_EQ(tokenizer.vocabulary_size(), 114);
  EXPECT_EQ(tokenizer.token_to_id("<extra_id_0>"), 113);
  EXPECT_EQ(tokenizer.token_to_id("<extra_id_99>"), 14);
  EXPECT_EQ(tokens(tokenizer, "the<extra_id_1>fox</s>"), (Strings{"▁the", "<extra_id_1>", "▁fox", "</s>"}));
  EXPECT_EQ(tokenizer.decode(Ids{3, 113, 7, 1}), "the<extra_id_0> fox</s>");
  EXPECT_EQ(tokenizer.decode(Ids{3, 113, 7, 1}, true), "the fox");
  EXPECT_EQ(tokenizer.encode_with_template("the", std::nullopt, 1).ids, (Ids{1}));
  EXPECT_EQ(tokenizer.special_tokens().eos, 1);
  EXPECT_EQ(tokenizer.special_tokens().pad, 0);

  folder.write("tokenizer_config.json",
               R"({"tokenizer_class": "T5TokenizerFast", "extra_ids": 2, "legacy": false, "eos_token": "</s>"})");
  tokenizer = graft::load_tokenizer(folder.path());
  EXPECT_EQ(tokenizer.vocabulary_size(), 16);
  EXPECT_EQ(tokens(tokenizer, "the<extra_id_1>fox"),
            (Strings{"▁the", "<extra_id_1>", "▁fox"}));  // as in transformers 5

  folder.write("tokenizer_config.json",
               R"({"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "added_tokens_decoder":
      {"1": {"content": "</s>", "special": true}, "14": {"content": "<extra_id_0>", "special": true, "lstrip": true}}})");
  tokenizer = graft::load_tokenizer(folder.path());
  EXPECT_EQ(tokenizer.vocabulary_size(), 15);
  EXPECT_EQ(tokens(tokenizer, "the <extra_id_0>"), (Strings{"▁the", "<extra_id_0>"}));
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "T5Tokenizer", "extra_ids": -1})");
  EXPECT_THROW((void)graft::load_tokenizer(folder.path()), graft::FileError);
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "AlbertTokenizer"})");
  EXPECT_THROW((void)graft::load_tokenizer(folder.path()), graft::ConfigError);
}

TEST(SentencePieceFolder, Llama) {
  TemporaryFolder const folder;
  folder.write("tokenizer.model", small::with_bytes(small::bpe()).bytes());
  EXPECT_EQ(graft::load_tokenizer(folder.path()).encode_with_template("the fox").ids, (Ids{1, 6, 8}));
  folder.write(
      "tokenizer_config.json",
      R"({"tokenizer_class": "LlamaTokenizer", "legacy": true, "add_eos_token": true, "bos_token": {"content": "<s>"},
      "eos_token": {"content": "</s>"}, "unk_token": "<unk>"})");
  folder.write("added_tokens.json", R"({"<pad>": 272})");
  Tokenizer const tokenizer = graft::load_tokenizer(folder.path());
  EXPECT_EQ(tokens(tokenizer, "<s>the</s>fox<pad>"), (Strings{"<s>", "▁the", "</s>", "▁fox", "<pad>"}));
  EXPECT_EQ(tokenizer.encode_with_template("the", "fox").ids, (Ids{1, 6, 2, 1, 8, 2}));
  EXPECT_EQ(tokenizer.encode_with_template("the", "fox").token_types, Ids(6, 0));
  EXPECT_EQ(tokenizer.special_tokens().bos, 1);
  EXPECT_EQ(tokenizer.special_tokens().eos, 2);
  EXPECT_EQ(tokenizer.decode(Ids{1, 6, 8, 2}), "<s> the fox</s>");
  EXPECT_EQ(tokenizer.decode(Ids{1, 6, 8, 2}, true), "the fox");
}

TEST(SentencePieceFolder, XlmRoberta) {
  TemporaryFolder const folder;
  auto model = small::unigram();
  model.pieces[0] = {"<unk>", 0, 2}, model.pieces[1] = {"<s>", 0, 3}, model.pieces[2] = {"</s>", 0, 3};
  folder.write("sentencepiece.bpe.model", model.bytes());
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "XLMRobertaTokenizer"})");
  Tokenizer const tokenizer = graft::load_tokenizer(folder.path());
  EXPECT_EQ(tokenizer.encode_with_template("the zz", "fox").ids, (Ids{0, 4, 5, 3, 2, 2, 8, 2}));
  EXPECT_EQ(tokenizer.special_tokens().mask, 15);
  EXPECT_EQ(tokenizer.special_tokens().cls, 0);
  EXPECT_EQ(tokenizer.special_tokens().sep, 2);
  EXPECT_EQ(tokens(tokenizer, "<mask>the"), (Strings{"<mask>", "▁the"}));
}

graft::GgufTokenizerFields gguf_fields() {
  graft::GgufTokenizerFields fields;
  fields.file = "test.gguf", fields.model = "llama";
  for (auto const& piece : small::with_bytes(small::bpe()).pieces) {
    fields.tokens.push_back(piece.text);
    fields.scores.push_back(piece.score);
    fields.token_types.push_back(static_cast<std::int32_t>(piece.type));
  }
  fields.bos_id = 1, fields.eos_id = 2, fields.unk_id = 0;
  return fields;
}

TEST(GgufSentencePiece, ReadsLlamasVocabulary) {
  auto fields = gguf_fields();
  Tokenizer const tokenizer = graft::make_gguf_tokenizer(fields);
  EXPECT_EQ(tokens(tokenizer, "the  fox<s>the"), (Strings{"▁the", "▁", "▁fox", "<s>", "▁the"}));
  EXPECT_EQ(tokenizer.encode_with_template("the").ids, (Ids{1, 6}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("the foxé")), "the foxé");
  EXPECT_EQ(tokenizer.decode(Ids{1, 6}, true), "the");
  fields.add_space_prefix = false, fields.add_bos = false, fields.add_eos = true;
  EXPECT_EQ(graft::make_gguf_tokenizer(fields).encode_with_template("the fox").ids, (Ids{5, 8, 2}));
}

TEST(GgufSentencePiece, RefusesContradictions) {
  auto const refuses = [](auto change) {
    auto fields = gguf_fields();
    change(fields);
    EXPECT_THROW((void)graft::make_gguf_tokenizer(fields), graft::FileError);
  };
  refuses([](auto& fields) { fields.scores.pop_back(); });
  refuses([](auto& fields) { fields.token_types.clear(); });
  refuses([](auto& fields) { fields.token_types[3] = 7; });
  refuses([](auto& fields) { fields.token_types[0] = 1; });
  refuses([](auto& fields) { fields.tokens[20] = "<0xZZ>"; });
  refuses([](auto& fields) { fields.tokens[5] = fields.tokens[4]; });
  refuses([](auto& fields) { fields.eos_id = 5000; });
  refuses([](auto& fields) { fields.tokens.clear(), fields.scores.clear(), fields.token_types.clear(); });
}

}  // namespace
