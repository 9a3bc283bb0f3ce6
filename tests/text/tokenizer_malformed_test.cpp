// Files that are cut short, contradictory, hostile or simply of another kind: each gives one clear error that names the
// file.
#include "malformed.hpp"
#include "small_tokenizer.hpp"

#include <graft/io/tokenizer_json.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace {

using small::Json;

struct Malformed {
  std::string name;
  std::function<void(Json&)> change;
  std::string says;  ///< part of the message
};

template <class E>
void expect_error(std::string const& text, std::string const& says, std::string const& name) {
  auto const make = [](std::string const& json) { return graft::parse_tokenizer(json, "test.json"); };
  malformed::expect_error<E>(make, "test.json", text, says, name);
}

Json split(std::string const& regex, std::string const& behavior) {
  return {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", behavior}, {"invert", false}};
}

std::string const gpt2_regex = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

TEST(MalformedTokenizer, Contradictions) {
  std::vector<Malformed> const cases{
      {"no model", [](Json& j) { j.erase("model"); }, "lacks the key \"model\""},
      {"model is a list", [](Json& j) { j["model"] = Json::array({1}); }, "model is not an object"},
      {"no vocabulary", [](Json& j) { j["model"].erase("vocab"); }, "lacks model.vocab"},
      {"no merges", [](Json& j) { j["model"].erase("merges"); }, "lacks model.merges"},
      {"vocabulary is a number", [](Json& j) { j["model"]["vocab"] = 3; }, "lacks model.vocab"},
      {"id is text", [](Json& j) { j["model"]["vocab"]["a"] = "1"; }, "id of token \"a\" has the wrong type"},
      {"id is a fraction", [](Json& j) { j["model"]["vocab"]["a"] = 1.5; }, "id of token \"a\" has the wrong type"},
      {"id is negative", [](Json& j) { j["model"]["vocab"]["a"] = -1; }, "id of token \"a\""},
      {"id is a list", [](Json& j) { j["model"]["vocab"]["a"] = Json::array(); },
       "id of token \"a\" has the wrong type"},
      {"id is an object", [](Json& j) { j["model"]["vocab"]["a"] = Json::object(); },
       "id of token \"a\" has the wrong type"},
      {"id is huge", [](Json& j) { j["model"]["vocab"]["a"] = 1u << 30; }, "out of range"},
      {"id beyond int64", [](Json& j) { j["model"]["vocab"]["a"] = UINT64_MAX; }, "out of range"},
      {"id twice", [](Json& j) { j["model"]["vocab"]["a"] = 5; }, "is given twice"},
      {"merge of unknown token", [](Json& j) { j["model"]["merges"][0] = {"t", "zz"}; },
       "expected \"zz\" to be a token"},
      {"merge makes unknown token", [](Json& j) { j["model"]["merges"][0] = {"z", "z"}; },
       "expected \"zz\" to be a token"},
      {"merge of three", [](Json& j) { j["model"]["merges"][1] = {"t", "h", "e"}; }, "merge 1 has the wrong type"},
      {"merge of one", [](Json& j) { j["model"]["merges"][1] = {"t"}; }, "merge 1 has the wrong type"},
      {"merge of numbers", [](Json& j) { j["model"]["merges"][1] = {1, 2}; }, "merge 1 has the wrong type"},
      {"merge is an object", [](Json& j) { j["model"]["merges"][1] = Json::object(); }, "merge 1 has the wrong type"},
      {"merge in a deeper list", [](Json& j) { j["model"]["merges"][1] = Json::array({Json::array({"t", "h"}), "e"}); },
       "merge 1 has the wrong type"},
      {"merge line without space", [](Json& j) { j["model"]["merges"][2] = "th"; }, "merge 2 is not a pair"},
      {"merge line with two spaces", [](Json& j) { j["model"]["merges"][2] = "t h e"; }, "merge 2 is not a pair"},
      {"merges is an object", [](Json& j) { j["model"]["merges"] = Json::object(); }, "lacks model.merges"},
      {"unknown token missing", [](Json& j) { j["model"]["unk_token"] = "<unk>"; },
       "unknown token is not in the vocabulary"},
      {"unknown token a number", [](Json& j) { j["model"]["unk_token"] = 3; }, "unk_token"},
      {"ignore_merges a string", [](Json& j) { j["model"]["ignore_merges"] = "yes"; }, "ignore_merges"},
      {"type a number", [](Json& j) { j["model"]["type"] = 1; }, "\"type\""},
      {"added tokens an object", [](Json& j) { j["added_tokens"] = Json::object(); }, "added_tokens is not a list"},
      {"added token without id", [](Json& j) { j["added_tokens"][0].erase("id"); }, "lacks the key \"id\""},
      {"added token without content", [](Json& j) { j["added_tokens"][0].erase("content"); },
       "lacks the key \"content\""},
      {"added token a string", [](Json& j) { j["added_tokens"][0] = "x"; }, "expected an object"},
      {"added token's flag a number", [](Json& j) { j["added_tokens"][0]["lstrip"] = 1; }, "lstrip"},
      {"added token empty", [](Json& j) { j["added_tokens"][0]["content"] = ""; }, "is empty"},
      {"added token elsewhere in the vocabulary", [](Json& j) { j["added_tokens"][0]["id"] = 300; },
       "contradicts the vocabulary"},
      {"added token with another's id", [](Json& j) { j["added_tokens"].push_back(small::added_token("<x>", 5)); },
       "expected a free id"},
      {"added token twice", [](Json& j) { j["added_tokens"].push_back(j["added_tokens"][0]); }, "is listed twice"},
      {"two added tokens with one id",
       [](Json& j) {
         j["added_tokens"].push_back(small::added_token("<x>", 300)),
             j["added_tokens"].push_back(small::added_token("<y>", 300));
       },
       "has the id of another added token"},
      {"added token's id huge", [](Json& j) { j["added_tokens"].push_back(small::added_token("<x>", 1 << 30)); },
       "out of range"},
      {"added token's id negative", [](Json& j) { j["added_tokens"].push_back(small::added_token("<x>", -2)); },
       "out of range"},
      {"pre-tokenizer a string", [](Json& j) { j["pre_tokenizer"] = "ByteLevel"; }, "expected an object"},
      {"pre-tokenizer without type", [](Json& j) { j["pre_tokenizer"] = Json::object(); }, "lacks the key \"type\""},
      {"sequence without members", [](Json& j) { j["pre_tokenizer"] = {{"type", "Sequence"}}; },
       "Sequence has no list"},
      {"split without pattern", [](Json& j) { j["pre_tokenizer"] = {{"type", "Split"}}; }, "Split has no pattern"},
      {"split without behavior",
       [](Json& j) { j["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", gpt2_regex}}}}; }, "\"behavior\""},
  };
  for (Malformed const& c : cases) {
    Json json = small::tokenizer();
    c.change(json);
    expect_error<graft::FileError>(json.dump(), c.says, c.name);
  }
}

TEST(MalformedTokenizer, OtherKindsAreRefusedByName) {
  Json const byte_level = small::tokenizer()["pre_tokenizer"];
  auto const sequence = [](std::vector<Json> members) {
    return Json{{"type", "Sequence"}, {"pretokenizers", members}};
  };
  std::vector<Malformed> const cases{
      {"WordLevel", [](Json& j) { j["model"]["type"] = "WordLevel"; }, "got \"WordLevel\""},
      {"WordPiece of bytes", [](Json& j) { j["model"]["type"] = "WordPiece"; },
       "after ByteLevel is not supported; got \"WordPiece\""},
      {"Unigram of bytes",
       [](Json& j) { j["model"] = {{"type", "Unigram"}, {"vocab", Json::array({Json::array({"<unk>", 0.0})})}}; },
       "got \"Unigram\""},
      {"Unigram of bytes without type",
       [](Json& j) { j["model"] = {{"vocab", Json::array({Json::array({"<unk>", 0.0})})}}; }, "got \"Unigram\""},
      {"dropout", [](Json& j) { j["model"]["dropout"] = 0.1; }, "dropout"},
      {"byte fallback", [](Json& j) { j["model"]["byte_fallback"] = true; }, "byte_fallback"},
      {"suffix", [](Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }, "end_of_word_suffix"},
      {"normalizer", [](Json& j) { j["normalizer"] = {{"type", "Nmt"}}; }, "got \"Nmt\""},
      {"no pre-tokenizer", [](Json& j) { j["pre_tokenizer"] = nullptr; }, "pre-tokenizer"},
      {"Metaspace", [](Json& j) { j["pre_tokenizer"] = {{"type", "Metaspace"}}; }, "without ByteLevel"},
      {"Whitespace", [](Json& j) { j["pre_tokenizer"] = {{"type", "Whitespace"}}; }, "got \"Whitespace\""},
      {"split only", [&](Json& j) { j["pre_tokenizer"] = sequence({split(gpt2_regex, "Isolated")}); },
       "without ByteLevel"},
      {"digits after bytes", [&](Json& j) { j["pre_tokenizer"] = sequence({byte_level, {{"type", "Digits"}}}); },
       "after ByteLevel"},
      {"unknown pattern", [&](Json& j) { j["pre_tokenizer"] = sequence({split("(a+)+$", "Isolated"), byte_level}); },
       "got \"(a+)+$\""},
      {"unknown behavior",
       [&](Json& j) { j["pre_tokenizer"] = sequence({split(gpt2_regex, "MergedWithNext"), byte_level}); },
       "got \"MergedWithNext\""},
      {"decoder", [](Json& j) { j["decoder"] = {{"type", "CTC"}}; }, "got \"CTC\""},
      {"post-processor", [](Json& j) { j["post_processor"] = {{"type", "Unheard"}}; }, "got \"Unheard\""},
      {"two post-processors",
       [](Json& j) {
         Json const bert = {{"type", "BertProcessing"}, {"sep", {"a", 1}}, {"cls", {"b", 2}}};
         j["post_processor"] = {{"type", "Sequence"}, {"processors", {bert, bert}}};
       },
       "a second BertProcessing"},
  };
  for (Malformed const& c : cases) {
    Json json = small::tokenizer();
    c.change(json);
    expect_error<graft::ConfigError>(json.dump(), c.says, c.name);
  }
}

TEST(MalformedTokenizer, TextsThatAreNoJson) {
  std::string const good = small::tokenizer().dump();
  expect_error<graft::FileError>("", "", "empty");
  expect_error<graft::FileError>("[1, 2]", "is not a JSON object", "list");
  expect_error<graft::FileError>("\"x\"", "is not a JSON object", "string");
  expect_error<graft::FileError>(good + "x", "malformed JSON", "something after the end");
  expect_error<graft::FileError>(good + std::string(1, '\0') + "{}", "zero byte", "zero byte");
  expect_error<graft::FileError>("{\"a\": \"\xFF\"}", "malformed JSON", "ill-formed UTF-8");
  expect_error<graft::FileError>(R"({"a": "\ud800"})", "malformed JSON", "lone surrogate");
  expect_error<graft::FileError>(R"({"version": 1, "version": 2})", "occurs twice", "key twice");
  expect_error<graft::FileError>(R"({"model": {"vocab": {"a": 0}, "vocab": {"b": 1}}})", "occurs twice",
                                 "vocabulary twice");
  expect_error<graft::FileError>(R"({"model": {"merges": [], "merges": []}})", "occurs twice", "merges twice");
  expect_error<graft::FileError>(R"({"model": {"vocab": {"a": 0, "a": 1}}})", "occurs twice", "token twice");
}

TEST(MalformedTokenizer, DepthAndSizeAreBounded) {
  for (char const* const prefix : {"", R"({"added_tokens": )", R"({"model": {"merges": )", R"({"model": {"vocab": )"}) {
    expect_error<graft::FileError>(prefix + std::string(100000, '['), "", "deep");
  }
  expect_error<graft::FileError>(std::string(65, '['), "nested too deeply", "65 levels");
  expect_error<graft::FileError>(R"({"model": {"other": )" + std::string(100000, '['), "nested too deeply",
                                 "deep in what is passed over");
  std::string many = R"({"version": [)";
  for (int i = 0; i < 300000; ++i) many += "0,";
  expect_error<graft::FileError>(many + "0]}", "is too large", "many values");
}

TEST(MalformedTokenizer, CutAtEveryByte) {
  std::string const good = small::tokenizer().dump();
  ASSERT_NO_THROW((void)graft::parse_tokenizer(good));
  for (std::size_t length = 0; length < good.size(); ++length)
    expect_error<graft::FileError>(good.substr(0, length), "", "cut");
}

TEST(MalformedTokenizer, DamagedBytesGiveTheLibrarysErrorsOrATokenizer) {
  std::string const good = small::tokenizer().dump();
  std::mt19937 random(3);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text = good;
    for (auto changes = 1 + random() % 3; changes > 0; --changes)
      text[random() % text.size()] = static_cast<char>(random() % 128);
    try {
      auto const tokenizer = graft::parse_tokenizer(text);
      (void)tokenizer.decode(tokenizer.encode("the <|endoftext|>  abab 12 é"));
    } catch (graft::Error const&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
