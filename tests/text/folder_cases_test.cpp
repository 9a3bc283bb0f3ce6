// Small folders with files beside the tokenizer, and what transformers' AutoTokenizer made of texts with them
// (make_folder_cases.py). A folder whose ids or texts differ must have made a warning when it was loaded.
#include <graft/core/warning.hpp>
#include <graft/io/tokenizer_files.hpp>
#include <graft/text/stream_decoder.hpp>

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "text/temporary_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using graft::Token;
using graft::Tokenizer;
using Ids = std::vector<Token>;
using Json = nlohmann::ordered_json;  // transformers numbers tokens in the order of a file

fs::path recorded() { return fs::path(GRAFT_SOURCE_DIR) / "tests" / "text" / "recorded"; }

Json parse(fs::path const& path) {
  std::ifstream in(path);
  return Json::parse(in);
}

void write_files(fs::path const& folder, Json const& files, Json const& bases) {
  for (auto const& [name, content] : files.items()) {
    if (content.contains("copy")) {
      fs::copy_file(recorded() / content["copy"].get<std::string>(), folder / name);
    } else if (content.contains("text")) {
      std::ofstream(folder / name) << content["text"].get<std::string>();
    } else if (content.contains("base")) {
      Json whole = bases.at(content["base"].get<std::string>());
      for (auto const& [key, value] : content.items())
        if (key != "base") whole[key] = value;
      std::ofstream(folder / name) << whole;
    } else {
      std::ofstream(folder / name) << content;
    }
  }
}

std::string streamed(Tokenizer const& tokenizer, Ids const& ids, bool skip) {
  graft::StreamDecoder stream(tokenizer, skip);
  std::string text;
  for (Token const id : ids) text += stream.push(id);
  return text + stream.finish();
}

/// What differs, a line each; empty if all is as recorded.
std::vector<std::string> differences(Tokenizer const& tokenizer, Json const& folder) {
  std::vector<std::string> found;
  auto const ids = [&](char const* what, Json const& text, Ids const& got, Json const& expected) {
    if (got != expected.get<Ids>())
      found.push_back(std::string(what) + ' ' + text.dump() + " got " + Json(got).dump() + " expected " +
                      expected.dump());
  };
  Json const& encoded = folder["encoded"];
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    Json const& c = encoded[i];
    auto const text = c[0].get<std::string>(), pair = encoded[(i + 1) % encoded.size()][0].get<std::string>();
    ids("ids", c[0], tokenizer.encode(text), c[1]);
    ids("template", c[0], tokenizer.encode_with_template(text).ids, c[2]);
    ids("pair", c[0], tokenizer.encode_with_template(text, pair).ids, c[3]);
  }
  for (Json const& c : folder["decoded"]) {
    auto const tokens = c[0].get<Ids>();
    for (bool const skip : {false, true}) {
      auto const text = tokenizer.decode(tokens, skip), expected = c[skip ? 2 : 1].get<std::string>();
      if (text != expected)
        found.push_back("decoded " + c[0].dump() + " got " + Json(text).dump() + " expected " + Json(expected).dump());
      EXPECT_EQ(streamed(tokenizer, tokens, skip), text) << folder["name"];
    }
  }
  return found;
}

TEST(FolderCases, AreAsAutoTokenizerHasThemOrSaid) {
  Json const bases = parse(recorded() / "folders" / "bases.json");
  std::ifstream in(recorded() / "folders" / "folders.jsonl");
  bool const verbose = std::getenv("GRAFT_VERBOSE") != nullptr;
  int folders = 0, equal = 0, silent = 0;
  for (std::string line; std::getline(in, line); ++folders) {
    Json const folder = Json::parse(line);
    TemporaryFolder const place;
    write_files(place.path(), folder["files"], bases);
    std::vector<std::string> warnings;
    auto const before = graft::set_warning_handler([&](std::string const& sentence) { warnings.push_back(sentence); });
    Tokenizer const tokenizer = graft::load_tokenizer_files(place.path());
    graft::set_warning_handler(before);
    auto const found = differences(tokenizer, folder);
    equal += found.empty();
    silent += !found.empty() && warnings.empty();
    if (verbose || (!found.empty() && warnings.empty())) {
      std::cout << folder["name"].get<std::string>() << ": " << found.size() << " differences, " << warnings.size()
                << " warnings\n";
      for (std::size_t i = 0; i < found.size() && i < 4; ++i) std::cout << "  " << found[i] << '\n';
      for (auto const& warning : warnings) std::cout << "  warning: " << warning << '\n';
      if (!found.empty() && warnings.empty())
        ADD_FAILURE() << folder["name"] << ' ' << folder["files"].dump().substr(0, 1500);
    }
  }
  std::cout << "[tokenizer] " << folders << " folders, " << equal << " as recorded, " << folders - equal
            << " others, all but " << silent << " said\n";
  EXPECT_EQ(silent, 0);
  EXPECT_GE(folders, 60);
  EXPECT_GE(equal * 5, folders * 4);
}

}  // namespace
