// Recorded tokenizations of real and adversarial text, discovered when the test runs: GRAFT_TOKENIZER_CASES names a folder of
// <name>/tokenizer.json with <name>/cases.jsonl, a line {"text", "ids", "decoded"} each. Default: ../shared/fixtures/tokenizers.
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
#include <map>
#include <optional>
#include <string>
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

fs::path root() { return named_folder().value_or(fs::path(GRAFT_SOURCE_DIR) / ".." / "shared" / "fixtures" / "tokenizers"); }

Json read_json(fs::path const& path) {
  std::ifstream in(path);
  return Json::parse(in);
}

/// The kind of tokenizer in a folder: its model's type, "BPE" being the one that is built.
std::string kind(fs::path const& folder) {
  if (!fs::exists(folder / "tokenizer.json")) return "SentencePiece";
  Json const model = read_json(folder / "tokenizer.json").at("model");
  std::string const type = model.value("type", model.contains("merges") ? "BPE" : "WordPiece");
  return type == "BPE" && model.contains("byte_fallback") && model["byte_fallback"] == true ? "BPE with byte fallback" : type;
}

std::vector<Found> discover(bool announce) {
  std::vector<Found> found;
  if (!fs::is_directory(root())) return found;
  std::vector<fs::path> folders;
  for (auto const& entry : fs::directory_iterator(root()))
    if (fs::exists(entry.path() / "cases.jsonl")) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  for (fs::path const& folder : folders) {
    if (std::string const type = kind(folder); type != "BPE") {
      if (announce) std::cout << "[tokenizer] " << folder.filename().string() << ": skipped, " << type << " is not built yet\n";
      continue;
    }
    Found one{folder, {}};
    std::ifstream in(folder / "cases.jsonl");
    for (std::string line; std::getline(in, line);) {
      Json const c = Json::parse(line);
      one.cases.push_back({c.at("text").get<std::string>(), c.at("ids").get<std::vector<Token>>(), c.at("decoded").get<std::string>()});
    }
    found.push_back(std::move(one));
  }
  return found;
}

class TokenizerCases : public testing::Test {
 protected:
  static void SetUpTestSuite() { found_ = new std::vector<Found>(discover(true)); }
  static void TearDownTestSuite() { delete found_; }
  void SetUp() override {
    if (!found_->empty()) return;
    if (named_folder()) FAIL() << "no case of a tokenizer that is built; GRAFT_TOKENIZER_CASES is " << root();
    GTEST_SKIP() << "no recorded tokenizations: " << root() << " is not there; set GRAFT_TOKENIZER_CASES";
  }
  static inline std::vector<Found>* found_ = nullptr;
};

/// Encodes every case and counts those whose ids differ; prints the first few.
int encode_mismatches(Tokenizer const& tokenizer, Found const& found) {
  int mismatches = 0;
  for (Case const& c : found.cases) {
    auto const ids = tokenizer.encode(c.text);
    if (ids != c.ids && mismatches++ < 5)
      std::cout << Json(c.text).dump() << "\n  got      " << Json(ids).dump() << "\n  expected " << Json(c.ids).dump() << '\n';
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
    std::cout << "[tokenizer] " << found.folder.filename().string() << ": " << found.cases.size() << " cases, " << encoded
              << " mismatches in ids, " << decoded << " in decoded text\n";
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

/// Whether the tokenizer splits as GPT-2's own files imply: vocab.json and merges.txt say nothing of splitting.
bool plain_byte_level(Json const& json) {
  Json const& pre = json.at("pre_tokenizer");
  return pre.is_object() && pre.value("type", "") == "ByteLevel" && pre.value("use_regex", true) && !pre.value("add_prefix_space", true) &&
         (!json.contains("normalizer") || json["normalizer"].is_null());
}

std::vector<std::string> merge_lines(Json const& model) {
  std::vector<std::string> lines;
  for (Json const& merge : model.at("merges"))
    lines.push_back(merge.is_string() ? merge.get<std::string>() : merge.at(0).get<std::string>() + " " + merge.at(1).get<std::string>());
  return lines;
}

TEST_F(TokenizerCases, VocabularyAndMergesFilesGiveTheSame) {
  fs::path const folder = fs::temp_directory_path() / ("graft_vocab_merges_" + std::to_string(::getpid()));
  int tried = 0;
  for (Found const& found : *found_) {
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
    std::ofstream(folder / "tokenizer_config.json") << Json{{"tokenizer_class", "GPT2Tokenizer"}, {"added_tokens_decoder", added}};
    Tokenizer const tokenizer = graft::load_tokenizer_files(folder);
    fs::remove_all(folder);
    EXPECT_EQ(encode_mismatches(tokenizer, found), 0) << found.folder;
    EXPECT_EQ(decode_mismatches(tokenizer, found), 0) << found.folder;
    ++tried;
  }
  if (tried == 0) GTEST_SKIP() << "no recorded tokenizer is GPT-2's plain ByteLevel";
}

TEST_F(TokenizerCases, GgufFieldsGiveTheSame) {
  int tried = 0;
  for (Found const& found : *found_) {
    Json const json = read_json(found.folder / "tokenizer.json");
    if (!plain_byte_level(json)) continue;
    graft::GgufTokenizerFields fields;
    fields.file = "derived.gguf", fields.model = "gpt2", fields.pre = tried % 2 == 0 ? "gpt-2" : "smollm";
    std::map<Token, std::string> by_id;
    for (auto const& [token, id] : json["model"]["vocab"].items()) by_id[id.get<Token>()] = token;
    for (Json const& token : json["added_tokens"]) by_id[token["id"].get<Token>()] = token["content"].get<std::string>();
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
