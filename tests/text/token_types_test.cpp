// Whether a folder's tokenizer gives the model token types: model_input_names, else the class, as transformers 5.23 had
// it for each of these.
#include <gtest/gtest.h>

#include <graft/io/load_tokenizer.hpp>

#include <string>
#include <vector>

#include "temporary_folder.hpp"

namespace {

using Ids = std::vector<graft::Token>;

/// BERT's template around a vocabulary of two words.
char const* const components =
    R"({"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "BertPreTokenizer"},
  "post_processor": {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
    "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
             {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
    "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
  "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
  "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "the": 5, "fox": 6}}})";
char const* const words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nfox\n";

/// @param file tokenizer.json or vocab.txt, which alone is loaded where `alone`
bool gives_types(std::string const& file, std::string const& name, std::string const& type,
                 std::string const& inputs = "", bool alone = false) {
  TemporaryFolder const folder;
  folder.write(file, file == "vocab.txt" ? words : components);
  std::string config = R"({"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]")";
  if (!name.empty()) config += R"(, "tokenizer_class": ")" + name + "\"";
  if (!inputs.empty()) config += R"(, "model_input_names": )" + inputs;
  folder.write("tokenizer_config.json", config + "}");
  if (!type.empty()) folder.write("config.json", R"({"model_type": ")" + type + "\"}");
  auto const encoded =
      graft::load_tokenizer(alone ? folder.path() / file : folder.path()).encode_with_template("the", "fox");
  EXPECT_EQ(encoded.ids, (Ids{2, 5, 3, 6, 3})) << name;
  return encoded.token_types == Ids{0, 0, 0, 1, 1};
}

TEST(TokenTypes, AreThoseOfTheClass) {
  for (char const* name : {"BertTokenizer", "BertTokenizerFast", "ElectraTokenizer", "MobileBertTokenizer"})
    EXPECT_TRUE(gives_types("tokenizer.json", name, "")) << name;
  for (char const* name :
       {"", "DistilBertTokenizer", "DistilBertTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend"})
    EXPECT_FALSE(gives_types("tokenizer.json", name, "")) << name;
  for (char const* type : {"bert", "distilbert", "electra"}) {
    EXPECT_TRUE(gives_types("tokenizer.json", "", type)) << type;
    EXPECT_FALSE(gives_types("tokenizer.json", "PreTrainedTokenizerFast", type)) << type;
  }
  EXPECT_FALSE(gives_types("tokenizer.json", "BertTokenizer", "mistral"));
}

TEST(TokenTypes, AreWhatTheSettingsName) {
  for (char const* name : {"", "BertTokenizer", "DistilBertTokenizer", "PreTrainedTokenizerFast"}) {
    EXPECT_TRUE(gives_types("tokenizer.json", name, "bert", R"(["input_ids", "token_type_ids"])")) << name;
    EXPECT_FALSE(gives_types("tokenizer.json", name, "bert", R"(["input_ids", "attention_mask"])")) << name;
  }
}

TEST(TokenTypes, OfAVocabularyAlone) {
  for (bool const alone : {false, true}) {
    EXPECT_TRUE(gives_types("vocab.txt", "", "", "", alone));
    EXPECT_TRUE(gives_types("vocab.txt", "BertTokenizer", "", "", alone));
    EXPECT_FALSE(gives_types("vocab.txt", "DistilBertTokenizer", "", "", alone));
    EXPECT_FALSE(gives_types("vocab.txt", "BertTokenizer", "", R"(["input_ids"])", alone));
  }
}

}  // namespace
