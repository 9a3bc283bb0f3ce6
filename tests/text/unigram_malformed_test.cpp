// A tokenizer.json of the kinds that SentencePiece models give: cut short, contradictory, hostile. Each gives one clear
// error that names the file, or a tokenizer that works.
#include "malformed.hpp"

#include <graft/io/sentencepiece_folder.hpp>
#include <graft/io/tokenizer_files.hpp>
#include <graft/io/tokenizer_json.hpp>

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace {

using Json = nlohmann::json;

graft::Tokenizer make_json(std::string const& text) { return graft::parse_tokenizer(text, "test.file"); }

template <class E>
void expect_error(std::string const& text, std::string const& says, std::string const& name) {
  malformed::expect_error<E>(make_json, "test.file", text, says, name);
}

/// A unigram tokenizer.json with all of its components.
Json unigram_json() {
  Json const metaspace = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}, {"split", true}};
  Json const a = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}, b = {{"Sequence", {{"id", "B"}, {"type_id", 0}}}},
             end = {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}};
  return {{"added_tokens", Json::array({{{"id", 0}, {"content", "<unk>"}, {"special", true}}})},
          {"normalizer",
           {{"type", "Sequence"},
            {"normalizers",
             {{{"type", "Precompiled"}, {"precompiled_charsmap", "CAAAAAAAAAAAAAAAAA=="}},
              {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", "▁"}},
              {{"type", "Prepend"}, {"prepend", " "}},
              {{"type", "BertNormalizer"}}}}}},
          {"pre_tokenizer", metaspace},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", {a, end}},
            {"pair", {a, end, b, end}},
            {"special_tokens", {{"</s>", {{"id", "</s>"}, {"ids", {1}}, {"tokens", {"</s>"}}}}}}}},
          {"decoder",
           {{"type", "Sequence"},
            {"decoders",
             {{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
              {{"type", "ByteFallback"}},
              {{"type", "Fuse"}},
              {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}}},
          {"model",
           {{"type", "Unigram"},
            {"unk_id", 0},
            {"vocab", Json::array({Json::array({"<unk>", 0}), Json::array({"</s>", 0}), Json::array({"▁the", -1.5}),
                                   Json::array({"▁", -2.5})})}}}};
}

struct BadJson {
  std::string name;
  std::function<void(Json&)> change;
  std::string says;
};

TEST(MalformedUnigramJson, Contradictions) {
  std::vector<BadJson> const cases{
      {"no pieces", [](Json& j) { j["model"].erase("vocab"); }, "lacks model.vocab"},
      {"empty pieces", [](Json& j) { j["model"]["vocab"] = Json::array(); }, "is empty"},
      {"table of ids", [](Json& j) { j["model"]["vocab"] = {{"a", 0}}; }, "lacks model.vocab"},
      {"piece alone", [](Json& j) { j["model"]["vocab"][2] = "a"; }, "piece 2 has the wrong type"},
      {"piece without score", [](Json& j) { j["model"]["vocab"][2] = {"a"}; }, "piece 2 has the wrong type"},
      {"score first", [](Json& j) { j["model"]["vocab"][2] = Json::array({1.0, "a"}); }, "piece 2 has the wrong type"},
      {"score as text", [](Json& j) { j["model"]["vocab"][2] = Json::array({"a", "1"}); },
       "piece 2 has the wrong type"},
      {"three values", [](Json& j) { j["model"]["vocab"][2] = Json::array({"a", 1.0, 2.0}); }, "has the wrong type"},
      {"null score", [](Json& j) { j["model"]["vocab"][2] = Json::array({"a", nullptr}); },
       "piece 2 has the wrong type"},
      {"nested", [](Json& j) { j["model"]["vocab"][2] = Json::array({Json::array({"a", 1.0}), 1.0}); },
       "piece 2 has the wrong type"},
      {"object", [](Json& j) { j["model"]["vocab"][2] = Json::object(); }, "piece 2 has the wrong type"},
      {"piece twice", [](Json& j) { j["model"]["vocab"][2] = Json::array({"▁", 1.0}); }, "occurs twice"},
      {"unknown id too large", [](Json& j) { j["model"]["unk_id"] = 4; }, "unk_id is out of range; got 4"},
      {"unknown id negative", [](Json& j) { j["model"]["unk_id"] = -1; }, "unk_id"},
      {"unknown id a string", [](Json& j) { j["model"]["unk_id"] = "0"; }, "unk_id"},
      {"piece too long", [](Json& j) { j["model"]["vocab"][2] = Json::array({std::string(9000, 'x'), 1.0}); },
       "is too long"},
      {"charsmap not base64", [](Json& j) { j["normalizer"]["normalizers"][0]["precompiled_charsmap"] = "$$$$"; },
       "not base64"},
      {"charsmap short", [](Json& j) { j["normalizer"]["normalizers"][0]["precompiled_charsmap"] = "AAA="; },
       "got 2 bytes"},
      {"charsmap a number", [](Json& j) { j["normalizer"]["normalizers"][0]["precompiled_charsmap"] = 3; },
       "precompiled_charsmap"},
      {"charsmap missing", [](Json& j) { j["normalizer"]["normalizers"][0].erase("precompiled_charsmap"); },
       "precompiled_charsmap"},
      {"replacement missing", [](Json& j) { j["normalizer"]["normalizers"][1].erase("content"); }, "content"},
      {"pattern missing", [](Json& j) { j["normalizer"]["normalizers"][1].erase("pattern"); },
       "Replace has no pattern"},
      {"pattern empty", [](Json& j) { j["normalizer"]["normalizers"][1]["pattern"] = {{"String", ""}}; },
       "empty pattern"},
      {"replacement long", [](Json& j) { j["normalizer"]["normalizers"][1]["content"] = std::string(257, 'x'); },
       "content is too long"},
      {"prefix long", [](Json& j) { j["normalizer"]["normalizers"][2]["prepend"] = std::string(300, 'x'); },
       "prepend is too long"},
      {"lowercase a number", [](Json& j) { j["normalizer"]["normalizers"][3]["lowercase"] = 1; }, "lowercase"},
      {"Metaspace contradicts itself", [](Json& j) { j["pre_tokenizer"]["add_prefix_space"] = false; },
       "contradicts itself"},
      {"template names no text", [](Json& j) { j["post_processor"]["single"].erase(0); },
       "does not name each text once; got 0 of A"},
      {"template names a text twice", [](Json& j) { j["post_processor"]["pair"][2] = j["post_processor"]["pair"][0]; },
       "got 2 of A and 0 of B"},
      {"template names C", [](Json& j) { j["post_processor"]["single"][0]["Sequence"]["id"] = "C"; },
       "unknown text; got \"C\""},
      {"template a string", [](Json& j) { j["post_processor"]["single"] = "$A </s>"; }, "single is not a list"},
      {"template of nothing known", [](Json& j) { j["post_processor"]["single"][0] = {{"x", 1}}; },
       "lacks the key \"Sequence\""},
      {"template's token unnamed", [](Json& j) { j["post_processor"]["special_tokens"] = Json::object(); },
       "lacks the key \"</s>\""},
      {"template's id out of range", [](Json& j) { j["post_processor"]["special_tokens"]["</s>"]["ids"][0] = 77; },
       "template's token is out of range; got id 77"},
      {"template's id negative", [](Json& j) { j["post_processor"]["special_tokens"]["</s>"]["ids"][0] = -1; },
       "id out of range; got -1"},
      {"template's id huge", [](Json& j) { j["post_processor"]["special_tokens"]["</s>"]["ids"][0] = UINT64_MAX; },
       "ids"},
      {"template too long",
       [](Json& j) { j["post_processor"]["special_tokens"]["</s>"]["ids"] = std::vector<int>(300, 1); }, "is too long"},
      {"BERT's sep missing", [](Json& j) { j["post_processor"] = {{"type", "BertProcessing"}, {"cls", {"a", 1}}}; },
       "sep has the wrong type"},
      {"BERT's sep a string",
       [](Json& j) { j["post_processor"] = {{"type", "BertProcessing"}, {"cls", {"a", 1}}, {"sep", "a"}}; },
       "sep has the wrong type"},
      {"BERT's sep out of range",
       [](Json& j) {
         j["post_processor"] = {{"type", "BertProcessing"}, {"cls", {"a", 1}}, {"sep", {"a", UINT64_MAX}}};
       },
       "out of range"},
      {"strip without start", [](Json& j) { j["decoder"]["decoders"][3].erase("start"); }, "start"},
      {"strip's start negative", [](Json& j) { j["decoder"]["decoders"][3]["start"] = -1; }, "start"},
  };
  for (BadJson const& c : cases) {
    Json json = unigram_json();
    c.change(json);
    expect_error<graft::FileError>(json.dump(), c.says, c.name);
  }
}

TEST(MalformedUnigramJson, WhatIsNotSupportedIsNamed) {
  std::vector<BadJson> const cases{
      {"regular expression", [](Json& j) { j["normalizer"]["normalizers"][1]["pattern"] = {{"Regex", "(a+)+$"}}; },
       "got \"(a+)+$\""},
      {"many normalizers",
       [](Json& j) { j["normalizer"]["normalizers"] = Json(std::vector<Json>(17, {{"type", "NFC"}})); }, "at most 16"},
      {"other replacement", [](Json& j) { j["pre_tokenizer"]["replacement"] = "_"; }, "got \"_\""},
      {"other scheme", [](Json& j) { j["pre_tokenizer"]["prepend_scheme"] = "last"; }, "got \"last\""},
      {"strip without fuse", [](Json& j) { j["decoder"]["decoders"].erase(2); }, "got \"Strip\""},
      {"strip at the end", [](Json& j) { j["decoder"]["decoders"][3]["stop"] = 1; }, "stop of Strip"},
      {"strip of two characters", [](Json& j) { j["decoder"]["decoders"][3]["content"] = "ab"; }, "content of Strip"},
      {"order", [](Json& j) { std::swap(j["decoder"]["decoders"][0], j["decoder"]["decoders"][1]); },
       "got \"Replace\""},
      {"pattern of a decoder", [](Json& j) { j["decoder"]["decoders"][0]["pattern"] = {{"Regex", "a"}}; },
       "decoder's Replace"},
      {"two decoders", [](Json& j) { j["decoder"]["decoders"] = {{{"type", "WordPiece"}}, {{"type", "Fuse"}}}; },
       "one WordPiece"},
      {"no decoder", [](Json& j) { j["decoder"]["decoders"] = Json::array(); }, "an empty Sequence"},
      {"bytes", [](Json& j) { j["decoder"] = {{"type", "ByteLevel"}}; }, "without ByteLevel"},
      {"WordLevel", [](Json& j) { j["model"]["type"] = "WordLevel"; }, "got \"WordLevel\""},
  };
  for (BadJson const& c : cases) {
    Json json = unigram_json();
    c.change(json);
    expect_error<graft::ConfigError>(json.dump(), c.says, c.name);
  }
}

TEST(MalformedUnigramJson, CutOrDamaged) {
  std::string const good = unigram_json().dump();
  ASSERT_NO_THROW((void)make_json(good).encode("the  THE é"));
  for (std::size_t length = 0; length < good.size(); ++length)
    expect_error<graft::FileError>(good.substr(0, length), "", "cut");
  std::mt19937 random(6);
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string text = good;
    for (auto changes = 1 + random() % 3; changes > 0; --changes)
      text[random() % text.size()] = static_cast<char>(random() % 128);
    try {
      auto const tokenizer = make_json(text);
      (void)tokenizer.decode(tokenizer.encode_with_template("the  <unk> THE é", "x", 9).ids);
    } catch (graft::Error const&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
