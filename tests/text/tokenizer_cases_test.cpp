// Recorded tokenizations of real and adversarial text, discovered when the test runs: GRAFT_TOKENIZER_CASES names a
// folder of <name>/cases.jsonl, a line {"text", "ids", "decoded"} each, beside a tokenizer.json, spiece.model or
// tokenizer.model. Default:
// ../shared/fixtures/tokenizers. The small tokenizers of tests/text/recorded are always there; some have
// templates.jsonl too, a line
// {"text", "pair", "max_length", "ids", "types"} each.
#include <graft/io/sentencepiece_file.hpp>
#include <graft/io/tokenizer_files.hpp>
#include <graft/text/gguf_tokenizer.hpp>
#include <graft/text/stream_decoder.hpp>

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using graft::Token;
using graft::Tokenizer;
using Json = nlohmann::json;

struct Case {
  std::string text;
  std::vector<Token> ids;
  std::string decoded;
};

struct Found {
  fs::path folder;
  std::vector<Case> cases;
};

std::optional<fs::path> named_folder() {
  char const* const name = std::getenv("GRAFT_TOKENIZER_CASES");
  return name != nullptr && *name != '\0' ? std::optional<fs::path>(name) : std::nullopt;
}

fs::path root() {
  return named_folder().value_or(fs::path(GRAFT_SOURCE_DIR) / ".." / "shared" / "fixtures" / "tokenizers");
}

Json read_json(fs::path const& path) {
  std::ifstream in(path);
  return Json::parse(in);
}

std::vector<Found> discover() {
  std::vector<Found> found;
  std::vector<fs::path> folders;
  for (fs::path const& parent : {fs::path(GRAFT_SOURCE_DIR) / "tests" / "text" / "recorded", root()}) {
    if (!fs::is_directory(parent)) continue;
    for (auto const& entry : fs::directory_iterator(parent))
      if (fs::exists(entry.path() / "cases.jsonl")) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  for (fs::path const& folder : folders) {
    Found one{folder, {}};
    std::ifstream in(folder / "cases.jsonl");
    for (std::string line; std::getline(in, line);) {
      Json const c = Json::parse(line);
      one.cases.push_back(
          {c.at("text").get<std::string>(), c.at("ids").get<std::vector<Token>>(), c.at("decoded").get<std::string>()});
    }
    found.push_back(std::move(one));
  }
  return found;
}

class TokenizerCases : public testing::Test {
 protected:
  static void SetUpTestSuite() { found_ = new std::vector<Found>(discover()); }
  static void TearDownTestSuite() { delete found_; }
  void SetUp() override {
    ASSERT_FALSE(found_->empty());
    auto const named = [](Found const& found) { return found.folder.parent_path() == root(); };
    if (named_folder() && std::none_of(found_->begin(), found_->end(), named))
      FAIL() << "no cases; GRAFT_TOKENIZER_CASES is " << root();
  }
  static inline std::vector<Found>* found_ = nullptr;
};

/// Encodes every case and counts those whose ids differ; prints the first few.
int encode_mismatches(Tokenizer const& tokenizer, Found const& found) {
  int mismatches = 0;
  for (Case const& c : found.cases) {
    auto const ids = tokenizer.encode(c.text);
    if (ids != c.ids && mismatches++ < 5)
      std::cout << Json(c.text).dump() << "\n  got      " << Json(ids).dump() << "\n  expected " << Json(c.ids).dump()
                << '\n';
  }
  return mismatches;
}

int decode_mismatches(Tokenizer const& tokenizer, Found const& found) {
  int mismatches = 0;
  for (Case const& c : found.cases) {
    std::string const text = tokenizer.decode(c.ids);
    if (text != c.decoded && mismatches++ < 5)
      std::cout << "  got      " << Json(text).dump() << "\n  expected " << Json(c.decoded).dump() << '\n';
  }
  return mismatches;
}

TEST_F(TokenizerCases, EveryRecordedTokenization) {
  for (Found const& found : *found_) {
    ASSERT_FALSE(found.cases.empty()) << found.folder;
    Tokenizer const tokenizer = graft::load_tokenizer_files(found.folder);
    int const encoded = encode_mismatches(tokenizer, found), decoded = decode_mismatches(tokenizer, found);
    std::cout << "[tokenizer] " << found.folder.filename().string() << ": " << found.cases.size() << " cases, "
              << encoded << " mismatches in ids, " << decoded << " in decoded text\n";
    EXPECT_EQ(encoded, 0) << found.folder;
    EXPECT_EQ(decoded, 0) << found.folder;
  }
}

TEST_F(TokenizerCases, StreamedDecodingIsTheSame) {
  for (Found const& found : *found_) {
    Tokenizer const tokenizer = graft::load_tokenizer_files(found.folder);
    for (Case const& c : found.cases) {
      graft::StreamDecoder stream(tokenizer);
      std::string text;
      for (Token const id : c.ids) text += stream.push(id);
      EXPECT_EQ(text + stream.finish(), c.decoded);
    }
  }
}

/// A text cut where a word begins: its parts are together the whole, where the tokenizer puts spaces of its own before
/// a text too.
TEST_F(TokenizerCases, PartsOfATextGiveTheIdsOfTheWhole) {
  auto const letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  int with_space = 0, without = 0;
  for (Found const& found : *found_) {
    Tokenizer const tokenizer = graft::load_tokenizer_files(found.folder);
    for (Case const& c : found.cases) {
      std::string_view const text = c.text;
      for (std::size_t at = text.find(' '); at != std::string_view::npos && at + 1 < text.size();
           at = text.find(' ', at + 1)) {
        if (at == 0 || !letter(text[at - 1]) || !letter(text[at + 1])) continue;
        auto ids = tokenizer.encode_part(text.substr(0, at), true);
        auto const rest = tokenizer.encode_part(text.substr(at), false);
        ids.insert(ids.end(), rest.begin(), rest.end());
        EXPECT_EQ(ids, c.ids) << found.folder << ' ' << text << ' ' << at;
        ++(tokenizer.puts_space_before() ? with_space : without);
      }
    }
  }
  EXPECT_GT(with_space, 100);
  EXPECT_GT(without, 20);
}

TEST_F(TokenizerCases, SpecialTokensAroundTextsAndPairs) {
  int lines = 0;
  for (Found const& found : *found_) {
    std::ifstream in(found.folder / "templates.jsonl");
    if (!in) continue;
    Tokenizer const tokenizer = graft::load_tokenizer_files(found.folder);
    for (std::string line; std::getline(in, line); ++lines) {
      Json const c = Json::parse(line);
      std::string const text = c["text"].get<std::string>(),
                        second = c["pair"].is_null() ? "" : c["pair"].get<std::string>();
      std::optional<std::string_view> pair;
      if (!c["pair"].is_null()) pair = second;
      auto const got = tokenizer.encode_with_template(text, pair, c["max_length"].get<std::size_t>());
      auto const all = tokenizer.encode_with_template(text, pair);
      EXPECT_EQ(got.ids, c["ids"].get<std::vector<Token>>()) << found.folder << line;
      EXPECT_EQ(got.token_types, c["types"].get<std::vector<Token>>()) << found.folder << line;
      EXPECT_EQ(got.ids.size() + got.cut_tokens, all.ids.size());
    }
  }
  EXPECT_GT(lines, 40);
}

/// Whether the tokenizer splits as GPT-2's own files imply: vocab.json and merges.txt say nothing of splitting.
bool plain_byte_level(Json const& json) {
  Json const& pre = json.at("pre_tokenizer");
  return json.at("model").contains("merges") && pre.is_object() && pre.value("type", "") == "ByteLevel" &&
         pre.value("use_regex", true) && !pre.value("add_prefix_space", true) &&
         (!json.contains("normalizer") || json["normalizer"].is_null());
}

std::vector<std::string> merge_lines(Json const& model) {
  std::vector<std::string> lines;
  for (Json const& merge : model.at("merges"))
    lines.push_back(merge.is_string() ? merge.get<std::string>()
                                      : merge.at(0).get<std::string>() + " " + merge.at(1).get<std::string>());
  return lines;
}

TEST_F(TokenizerCases, VocabularyAndMergesFilesGiveTheSame) {
  fs::path const folder = fs::temp_directory_path() / ("graft_vocab_merges_" + std::to_string(::getpid()));
  int tried = 0;
  for (Found const& found : *found_) {
    if (!fs::exists(found.folder / "tokenizer.json")) continue;
    Json const json = read_json(found.folder / "tokenizer.json");
    if (!plain_byte_level(json)) continue;
    fs::create_directories(folder);
    std::ofstream(folder / "vocab.json") << json["model"]["vocab"];
    std::ofstream merges(folder / "merges.txt");
    merges << "#version: 0.2\n";
    for (auto const& line : merge_lines(json["model"])) merges << line << '\n';
    merges.close();
    Json added = Json::object();
    for (Json const& token : json["added_tokens"]) added[std::to_string(token["id"].get<int>())] = token;
    std::ofstream(folder / "tokenizer_config.json")
        << Json{{"tokenizer_class", "GPT2Tokenizer"}, {"added_tokens_decoder", added}};
    Tokenizer const tokenizer = graft::load_tokenizer_files(folder);
    fs::remove_all(folder);
    EXPECT_EQ(encode_mismatches(tokenizer, found), 0) << found.folder;
    EXPECT_EQ(decode_mismatches(tokenizer, found), 0) << found.folder;
    ++tried;
  }
  if (tried == 0) GTEST_SKIP() << "no recorded tokenizer is GPT-2's plain ByteLevel";
}

/// The same tokenizer as a vocab.txt with the settings of its normalizer.
TEST_F(TokenizerCases, VocabTxtGivesTheSame) {
  fs::path const folder = fs::temp_directory_path() / ("graft_vocab_txt_" + std::to_string(::getpid()));
  int tried = 0;
  for (Found const& found : *found_) {
    if (!fs::exists(found.folder / "tokenizer.json")) continue;
    Json const json = read_json(found.folder / "tokenizer.json");
    auto const is = [&](char const* part, char const* type) {
      return json.contains(part) && json[part].is_object() && json[part].value("type", "") == type;
    };
    if (!is("normalizer", "BertNormalizer") || !is("decoder", "WordPiece")) continue;
    if (json["model"].value("max_input_chars_per_word", 100) != 100) continue;  // a vocab.txt says nothing of it
    std::map<Token, std::string> by_id;
    for (auto const& [token, id] : json["model"]["vocab"].items()) by_id[id.get<Token>()] = token;
    fs::create_directories(folder);
    std::ofstream file(folder / "vocab.txt");
    Token next = 0;
    for (auto const& [id, token] : by_id) {
      ASSERT_EQ(id, next++) << "ids with gaps are no vocab.txt";
      file << token << '\n';
    }
    file.close();
    Json const& normalizer = json["normalizer"];
    std::ofstream(folder / "tokenizer_config.json")
        << Json{{"do_lower_case", normalizer["lowercase"]},
                {"strip_accents", normalizer["strip_accents"]},
                {"tokenize_chinese_chars", normalizer["handle_chinese_chars"]}};
    Tokenizer const tokenizer = graft::load_tokenizer_files(folder),
                    original = graft::load_tokenizer_files(found.folder);
    fs::remove_all(folder);
    EXPECT_EQ(encode_mismatches(tokenizer, found), 0) << found.folder;
    EXPECT_EQ(decode_mismatches(tokenizer, found), 0) << found.folder;
    for (Case const& c : found.cases)
      EXPECT_EQ(tokenizer.encode_with_template(c.text, c.decoded).ids,
                original.encode_with_template(c.text, c.decoded).ids);
    ++tried;
  }
  if (tried == 0) GTEST_SKIP() << "no recorded tokenizer is BERT's";
}

/// LLaMA's kind of SentencePiece model as GGUF has it: no normalization but for spaces.
TEST_F(TokenizerCases, GgufSentencePieceFieldsGiveTheSame) {
  int tried = 0;
  for (Found const& found : *found_) {
    fs::path const file = found.folder / "tokenizer.model";
    if (!fs::exists(file)) continue;
    std::ifstream in(file, std::ios::binary);
    std::string const bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    auto const model = graft::parse_sentencepiece(bytes, file.string());
    if (model.kind != graft::SentencePieceFields::Kind::bpe || !model.chars_map.empty() ||
        model.remove_extra_whitespaces)
      continue;
    graft::GgufTokenizerFields fields;
    fields.file = "derived.gguf", fields.model = "llama", fields.scores = model.scores;
    for (Token id = 0; id < model.vocabulary.size(); ++id) fields.tokens.emplace_back(*model.vocabulary.token(id));
    for (auto const type : model.types) fields.token_types.push_back(static_cast<std::int32_t>(type));
    Tokenizer const tokenizer = graft::make_gguf_tokenizer(fields);
    for (Case const& c : found.cases) {
      // Special tokens are found in text here, as llama.cpp's own conversions want it, and every part begins with a
      // space then.
      if (c.text.find('<') != std::string::npos) continue;
      EXPECT_EQ(tokenizer.encode(c.text), c.ids) << c.text;
      EXPECT_EQ(tokenizer.decode(c.ids), c.decoded);
    }
    ++tried;
  }
  EXPECT_GT(tried, 0);
}

TEST_F(TokenizerCases, GgufFieldsGiveTheSame) {
  int tried = 0;
  for (Found const& found : *found_) {
    if (!fs::exists(found.folder / "tokenizer.json")) continue;
    Json const json = read_json(found.folder / "tokenizer.json");
    if (!plain_byte_level(json)) continue;
    graft::GgufTokenizerFields fields;
    fields.file = "derived.gguf", fields.model = "gpt2", fields.pre = tried % 2 == 0 ? "gpt-2" : "smollm";
    std::map<Token, std::string> by_id;
    for (auto const& [token, id] : json["model"]["vocab"].items()) by_id[id.get<Token>()] = token;
    for (Json const& token : json["added_tokens"])
      by_id[token["id"].get<Token>()] = token["content"].get<std::string>();
    for (auto const& [id, token] : by_id) {
      ASSERT_EQ(static_cast<std::size_t>(id), fields.tokens.size()) << "ids with gaps are no GGUF vocabulary";
      fields.tokens.push_back(token);
    }
    fields.token_types.assign(fields.tokens.size(), 1);
    for (Json const& token : json["added_tokens"])
      fields.token_types[token["id"].get<std::size_t>()] = token["special"].get<bool>() ? 3 : 4;
    fields.merges = merge_lines(json["model"]);
    Tokenizer const tokenizer = graft::make_gguf_tokenizer(fields);
    EXPECT_EQ(encode_mismatches(tokenizer, found), 0) << found.folder;
    EXPECT_EQ(decode_mismatches(tokenizer, found), 0) << found.folder;
    ++tried;
  }
  if (tried == 0) GTEST_SKIP() << "no recorded tokenizer is GPT-2's plain ByteLevel";
}

}  // namespace
