// The merging of byte-level BPE against the textbook's procedure, and what the model does besides.
#include <graft/text/byte_level_bpe.hpp>
#include <graft/text/word_cache.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using graft::ByteLevelBpe;
using graft::ByteLevelBpeFields;
using graft::Token;

struct RandomBpe {
  ByteLevelBpeFields fields;
  std::map<std::pair<Token, Token>, std::pair<int, Token>> rank;
};

/// Merges of random pairs of earlier tokens over the letters a, b, c; several pairs may make the same token.
RandomBpe make_random(std::mt19937& random) {
  RandomBpe out;
  std::vector<std::string> tokens{"a", "b", "c"};
  for (std::size_t i = 0; i < tokens.size(); ++i) out.fields.vocabulary.add(tokens[i], static_cast<Token>(i), "test");
  auto const pick = [&] { return random() % tokens.size(); };
  for (int made = 0; made < 25;) {
    std::size_t const a = pick(), b = pick();
    std::string const merged = tokens[a] + tokens[b];
    if (out.rank.count({static_cast<Token>(a), static_cast<Token>(b)}) > 0) continue;
    if (!out.fields.vocabulary.find(merged)) {
      out.fields.vocabulary.add(merged, static_cast<Token>(tokens.size()), "test");
      tokens.push_back(merged);
    }
    out.fields.merges.add(tokens[a], tokens[b]);
    out.rank[{static_cast<Token>(a), static_cast<Token>(b)}] = {made++, *out.fields.vocabulary.find(merged)};
  }
  return out;
}

/// The definition: as long as any adjacent pair has a merge, apply the earliest-learned one at its leftmost place.
std::vector<Token> by_definition(RandomBpe const& bpe, std::string const& word) {
  std::vector<Token> symbols;
  for (char const c : word) symbols.push_back(c - 'a');
  for (;;) {
    std::size_t best = symbols.size();
    std::pair<int, Token> merge{1 << 30, 0};
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      auto const found = bpe.rank.find({symbols[i], symbols[i + 1]});
      if (found != bpe.rank.end() && found->second.first < merge.first) best = i, merge = found->second;
    }
    if (best == symbols.size()) return symbols;
    symbols[best] = merge.second;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

std::vector<Token> encode(graft::TokenizerModel const& model, std::string_view word) {
  std::vector<Token> out;
  model.encode_word(word, out);
  return out;
}

TEST(ByteLevelBpe, MergesAsDefinedWhateverTheLengthOfTheWord) {
  std::mt19937 random(7);
  for (int model_number = 0; model_number < 40; ++model_number) {
    RandomBpe const bpe = make_random(random);
    ByteLevelBpe const model(bpe.fields);
    for (int i = 0; i < 60; ++i) {
      std::string word(random() % (i % 2 == 0 ? 33 : 150), ' ');
      for (char& c : word) c = static_cast<char>('a' + random() % (1 + random() % 3));
      EXPECT_EQ(encode(model, word), by_definition(bpe, word)) << word;
    }
  }
}

TEST(ByteLevelBpe, LongWordsTakeNoQuadraticTime) {
  ByteLevelBpeFields fields;
  std::string token = "x";
  fields.vocabulary.add(token, 0, "test");
  for (int i = 1; i < 8; ++i, token += token) {
    fields.vocabulary.add(token + token, i, "test");
    fields.merges.add(token, token);
  }
  ByteLevelBpe const model(std::move(fields));
  auto const start = std::chrono::steady_clock::now();
  auto const ids = encode(model, std::string(1'000'000, 'x'));
  EXPECT_EQ(ids.size(), 1'000'000u / 128 + 1);  // 7812 of 128, one of 64
  EXPECT_TRUE(std::all_of(ids.begin(), ids.end() - 1, [](Token id) { return id == 7; }));
  EXPECT_EQ(ids.back(), 6);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));  // a quadratic procedure takes hours
}

ByteLevelBpeFields two_letters() {
  ByteLevelBpeFields fields;
  for (char const* token : {"<unk>", "a", "b", "ab", "ba", "Ġa"})
    fields.vocabulary.add(token, fields.vocabulary.size(), "test");
  fields.merges.add("a", "b");
  return fields;
}

TEST(ByteLevelBpe, BytesThatTheVocabularyLacks) {
  EXPECT_EQ(encode(ByteLevelBpe(two_letters()), "abzzb"), (std::vector<Token>{3, 2}));  // no unknown token: they vanish
  ByteLevelBpeFields fields = two_letters();
  fields.unknown = "<unk>";
  EXPECT_EQ(encode(ByteLevelBpe(fields), "zzabzb"), (std::vector<Token>{0, 0, 3, 0, 2}));
  fields.fuse_unknown = true;
  EXPECT_EQ(encode(ByteLevelBpe(fields), "zzabzb"), (std::vector<Token>{0, 3, 0, 2}));
  fields.unknown = "<none>";
  EXPECT_THROW(ByteLevelBpe{fields}, graft::FileError);
}

TEST(ByteLevelBpe, IgnoreMergesTakesAWordThatIsAToken) {
  ByteLevelBpeFields fields = two_letters();
  EXPECT_EQ(encode(ByteLevelBpe(fields), "ba"), (std::vector<Token>{2, 1}));
  fields.ignore_merges = true;
  EXPECT_EQ(encode(ByteLevelBpe(fields), "ba"), (std::vector<Token>{4}));
  EXPECT_EQ(encode(ByteLevelBpe(fields), " a"), (std::vector<Token>{5}));  // looked up as the vocabulary spells it
}

TEST(MergeList, GivesBackTextsOfAnyLength) {
  graft::MergeList merges;
  std::vector<std::pair<std::string, std::string>> given, got;
  for (std::size_t const length :
       {std::size_t{0}, std::size_t{1}, std::size_t{127}, std::size_t{128}, std::size_t{300}, std::size_t{70000}}) {
    given.emplace_back(std::string(length, 'x'), std::string(length / 2, '\xff'));
    merges.add(given.back().first, given.back().second);
  }
  merges.for_each([&](std::string_view left, std::string_view right) { got.emplace_back(left, right); });
  EXPECT_EQ(got, given);
  EXPECT_EQ(merges.size(), given.size());
}

TEST(Vocabulary, RefusesWhatIsTwiceOrOutOfRange) {
  graft::Vocabulary vocabulary;
  vocabulary.add("a", 5, "test");
  EXPECT_THROW(vocabulary.add("a", 6, "test"), graft::FileError);
  EXPECT_THROW(vocabulary.add("b", 5, "test"), graft::FileError);
  EXPECT_THROW(vocabulary.add("b", -1, "test"), graft::FileError);
  EXPECT_THROW(vocabulary.add("b", graft::Vocabulary::id_limit, "test"), graft::FileError);
  EXPECT_EQ(vocabulary.size(), 6);
  EXPECT_FALSE(vocabulary.token(4) || vocabulary.token(6) || vocabulary.token(-1) || vocabulary.find("b"));
  for (int i = 0; i < 5000; ++i) vocabulary.add("token" + std::to_string(i), 10 + i, "test");
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(vocabulary.find("token" + std::to_string(i)), 10 + i);
    ASSERT_EQ(vocabulary.token(10 + i), "token" + std::to_string(i));
  }
}

TEST(WordCache, GivesBackWhatItWasGivenAndNothingElse) {
  graft::WordCache cache;
  for (int i = 0; i < 100000; ++i) {  // more words than slots: later ones displace earlier ones
    std::string const word = "w" + std::to_string(i);
    std::vector<Token> const tokens(static_cast<std::size_t>(i % 10), i);
    auto const hash = graft::detail::hash_bytes(word);
    std::vector<Token> out;
    ASSERT_FALSE(cache.append(word, hash, out));
    cache.remember(word, hash, tokens);
    ASSERT_EQ(cache.append(word, hash, out), tokens.size() <= graft::WordCache::most_tokens);
    ASSERT_TRUE(out.empty() || out == tokens);
  }
}

}  // namespace
