// Deterministic changes to inputs: bytes, spans, numbers, and words that JSON and the formats' headers react to.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <graft/core/random.hpp>

namespace fuzz {

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : key_(seed) {}

  // A changed copy of one of `inputs`, with one to eight changes.
  std::string next(std::vector<std::string> const& inputs) {
    std::string text = inputs[below(inputs.size())];
    for (std::size_t changes = 1 + below(8) * below(2); changes > 0; --changes)
      change(text, inputs[below(inputs.size())]);
    return text;
  }

 private:
  std::size_t below(std::size_t bound) {
    return bound == 0 ? 0 : static_cast<std::size_t>(key_.below(counter_++, bound));
  }

  void change(std::string& text, std::string const& other) {
    static constexpr std::array<std::string_view, 26> words{"null",
                                                            "true",
                                                            "false",
                                                            "{}",
                                                            "[]",
                                                            "\"\"",
                                                            "-1",
                                                            "0",
                                                            "1e999",
                                                            "-1e-400",
                                                            "1.5",
                                                            "99999999999999999999",
                                                            "9223372036854775807",
                                                            "-9223372036854775808",
                                                            "4294967296",
                                                            "2147483647",
                                                            "\"\\ud800\"",
                                                            "\"\\u0000\"",
                                                            "[[[[[[[[",
                                                            "\"a\":",
                                                            ",",
                                                            "\xEF\xBB\xBF",
                                                            "\r\n",
                                                            "||",
                                                            "\t",
                                                            "\xFF"};
    static constexpr std::array<std::uint64_t, 8> numbers{
        0, 1, 0x7F, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF};
    std::size_t const at = below(text.size() + 1), rest = text.size() - at;
    switch (below(9)) {
      case 0:
        if (rest > 0) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        return;
      case 1:
        if (rest > 0) text[at] = static_cast<char>(below(256));
        return;
      case 2: text.erase(at, 1 + below(below(2) ? 4 : 64)); return;
      case 3: text.insert(at, text.substr(below(text.size() + 1), below(64))); return;
      case 4: text.insert(at, words[below(words.size())]); return;
      case 5: {  // a number in a header, of one to eight bytes
        std::uint64_t const number = numbers[below(numbers.size())];
        for (std::size_t i = 0, width = std::size_t{1} << below(4); i < width && at + i < text.size(); ++i)
          text[at + i] = static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
        return;
      }
      case 6: return replace_value(text, at, words[below(words.size())]);
      case 7: text = text.substr(0, at) + other.substr(below(other.size() + 1)); return;
      default: text.resize(at); return;
    }
  }
  // A JSON value behind the next colon or comma becomes a word.
  void replace_value(std::string& text, std::size_t at, std::string_view word) {
    std::size_t const begin = text.find_first_of(":,[", at);
    if (begin == std::string::npos) return;
    std::size_t const end = text.find_first_of(",]}", begin + 1);
    text.replace(begin + 1, (end == std::string::npos ? text.size() : end) - begin - 1, word);
  }

  graft::RandomKey key_;
  std::uint64_t counter_ = 0;
};

}  // namespace fuzz
