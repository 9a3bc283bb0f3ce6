// A tokenizer.json small enough to read: every byte, a few merges, one special token. The tests change single parts of
// it.
#pragma once

#include <graft/text/byte_alphabet.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace small {

using Json = nlohmann::json;

inline std::vector<std::pair<std::string, std::string>> const merges{
    {"t", "h"}, {"th", "e"}, {"Ġ", "the"}, {"a", "b"}, {"ab", "ab"}, {"Ġ", "Ġ"}, {"x", "x"}, {"xx", "xx"}};

inline Json vocabulary() {
  Json tokens = Json::object();
  int next = 0;
  for (int byte = 0; byte < 256; ++byte) {
    char const raw = static_cast<char>(static_cast<unsigned char>(byte));
    tokens[graft::spell_bytes({&raw, 1})] = next++;
  }
  for (auto const& [left, right] : merges) tokens[left + right] = next++;
  tokens["<|endoftext|>"] = next;
  return tokens;
}

inline Json added_token(std::string const& content, int id) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

inline constexpr int end_of_text = 264, first_free = 265;

inline Json tokenizer() {
  Json pairs = Json::array();
  for (auto const& [left, right] : merges) pairs.push_back({left, right});
  Json const byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", Json::array({added_token("<|endoftext|>", end_of_text)})},
          {"normalizer", nullptr},
          {"pre_tokenizer", byte_level},
          {"post_processor", byte_level},
          {"decoder", byte_level},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", vocabulary()},
            {"merges", pairs}}}};
}

}  // namespace small
