// The models of pieces against their definitions: tries, Viterbi, merging by score, the longest piece first.
#include <graft/text/character_bpe.hpp>
#include <graft/text/piece_trie.hpp>
#include <graft/text/sentencepiece_bpe.hpp>
#include <graft/text/unigram.hpp>
#include <graft/text/word_piece.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using graft::PieceType;
using graft::Token;
using graft::Vocabulary;
using Ids = std::vector<Token>;

Vocabulary make_vocabulary(std::vector<std::string> const& tokens) {
  Vocabulary vocabulary;
  for (auto const& token : tokens) vocabulary.add(token, vocabulary.size(), "test");
  return vocabulary;
}

Ids encode(graft::TokenizerModel const& model, std::string_view word) {
  Ids out;
  model.encode_word(word, out);
  return out;
}

std::string random_word(std::mt19937& random, std::size_t most, unsigned letters = 3) {
  std::string word(random() % (most + 1), ' ');
  for (char& c : word) c = static_cast<char>('a' + random() % letters);
  return word;
}

/// Distinct random words, the single letters a, b, c first.
std::vector<std::string> random_tokens(std::mt19937& random, std::size_t count) {
  std::vector<std::string> tokens{"a", "b", "c"};
  std::set<std::string> seen(tokens.begin(), tokens.end());
  while (tokens.size() < count) {
    std::string word = random_word(random, 6);
    if (!word.empty() && seen.insert(word).second) tokens.push_back(std::move(word));
  }
  return tokens;
}

TEST(PieceTrie, FindsAllPrefixesShortestFirst) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    auto const tokens = random_tokens(random, 4 + random() % 60);
    Vocabulary const vocabulary = make_vocabulary(tokens);
    Ids ids;
    for (Token id = 0; id < vocabulary.size(); ++id)
      if (random() % 4 > 0) ids.push_back(id);
    graft::PieceTrie const trie(vocabulary, ids, "test");
    for (int i = 0; i < 100; ++i) {
      std::string const text = random_word(random, 9, 4);
      std::map<std::size_t, Token> expected;
      for (Token const id : ids)
        if (auto const& token = tokens[static_cast<std::size_t>(id)]; text.rfind(token, 0) == 0)
          expected[token.size()] = id;
      std::vector<std::pair<std::size_t, Token>> found;
      trie.for_each_prefix(vocabulary, text, [&](Token id, std::size_t length) { found.emplace_back(length, id); });
      EXPECT_EQ(found, (std::vector<std::pair<std::size_t, Token>>(expected.begin(), expected.end()))) << text;
    }
  }
}

TEST(PieceTrie, EmptyAndWithBytesBeyondAscii) {
  Vocabulary const vocabulary = make_vocabulary({"", "\xE2\x96\x81", "\xE2\x96\x81x", "\xE2\x96\x82"});
  EXPECT_TRUE(graft::PieceTrie().empty());
  EXPECT_TRUE(graft::PieceTrie(vocabulary, {0}, "test").empty());
  graft::PieceTrie const trie(vocabulary, {0, 1, 2, 3}, "test");
  EXPECT_EQ(trie.longest_prefix(vocabulary, "\xE2\x96\x81xy").id, 2);
  EXPECT_EQ(trie.longest_prefix(vocabulary, "\xE2\x96\x82").id, 3);
  EXPECT_EQ(trie.longest_prefix(vocabulary, "\xE2\x96").length, 0u);
  EXPECT_EQ(trie.longest_prefix(vocabulary, "").length, 0u);
}

/// The best sum of scores of all ways to divide `text`; characters without a piece cost `unknown` each.
double best_score(std::map<std::string, double> const& scores, std::string const& text, double unknown) {
  std::vector<double> best(text.size() + 1, -1e300);
  best[0] = 0;
  for (std::size_t end = 1; end <= text.size(); ++end) {
    for (std::size_t begin = 0; begin < end; ++begin) {
      auto const found = scores.find(text.substr(begin, end - begin));
      if (found != scores.end()) best[end] = std::max(best[end], best[begin] + found->second);
      if (end == begin + 1 && found == scores.end()) best[end] = std::max(best[end], best[begin] + unknown);
    }
  }
  return best[text.size()];
}

TEST(Unigram, TakesTheMostProbableDivision) {
  std::mt19937 random(2);
  for (int round = 0; round < 40; ++round) {
    auto tokens = random_tokens(random, 4 + random() % 40);
    graft::UnigramFields fields;
    std::map<std::string, double> scores;
    double lowest = 0;
    for (auto const& token : tokens) {
      fields.scores.push_back(-static_cast<double>(random() % 1000) / 64);  // exact in either precision
      scores[token] = fields.scores.back();
      lowest = std::min(lowest, fields.scores.back());
    }
    tokens.push_back("<unk>");
    fields.vocabulary = make_vocabulary(tokens);
    fields.scores.push_back(0);
    fields.unknown = fields.vocabulary.size() - 1;
    fields.rule = round % 2 == 0 ? graft::UnigramRule::sentencepiece : graft::UnigramRule::hugging_face;
    graft::Unigram const model(fields);
    for (int i = 0; i < 60; ++i) {
      std::string const text = random_word(random, 40, 4);  // d has no piece
      double sum = 0;
      std::string back;
      std::size_t at = 0;
      for (Token const id : encode(model, text)) {
        if (id != *fields.unknown) {
          sum += scores.at(tokens[static_cast<std::size_t>(id)]);
          at += tokens[static_cast<std::size_t>(id)].size();
          continue;
        }
        ASSERT_EQ(text[at], 'd');
        for (; at < text.size() && text[at] == 'd'; ++at)
          sum += lowest - 10;  // a run of unknown characters is one token
      }
      EXPECT_EQ(at, text.size());
      EXPECT_DOUBLE_EQ(sum, best_score(scores, text, lowest - 10)) << text;
    }
  }
}

graft::UnigramFields small_unigram(graft::UnigramRule rule) {
  graft::UnigramFields fields;
  fields.vocabulary = make_vocabulary({"<unk>", "a", "b", "ab", "<0xC3>", "<0xA9>", "<c>", "zz"});
  fields.scores = {0, -1, -1, -3, 0, 0, 0, 0};
  fields.unknown = 0;
  fields.rule = rule;
  return fields;
}

TEST(Unigram, UnknownCharacters) {
  auto fields = small_unigram(graft::UnigramRule::hugging_face);
  EXPECT_EQ(encode(graft::Unigram(fields), "abéda"), (Ids{1, 2, 0, 1}));
  EXPECT_EQ(encode(graft::Unigram(fields), "<unk>"), (Ids{0}));
  fields.byte_fallback = true;
  EXPECT_EQ(encode(graft::Unigram(fields), "aéb"), (Ids{1, 4, 5, 2}));
  EXPECT_EQ(encode(graft::Unigram(fields), "aédb"), (Ids{1, 0, 2}));  // d has no byte token: the whole run is unknown
  fields.unknown.reset();
  EXPECT_EQ(encode(graft::Unigram(fields), "adb"), (Ids{1, 2}));
  EXPECT_TRUE(encode(graft::Unigram(fields), "").empty());
}

TEST(Unigram, SentencePieceFindsOnlyWhatIsForText) {
  auto fields = small_unigram(graft::UnigramRule::sentencepiece);
  using enum PieceType;
  fields.types = {unknown, normal, normal, user_defined, byte, byte, control, unused};
  graft::Unigram const model(fields);
  EXPECT_EQ(encode(model, "abab"), (Ids{3, 3}));         // user-defined pieces always win
  EXPECT_EQ(encode(model, "<c>a"), (Ids{0, 1}));         // control pieces are not in text
  EXPECT_EQ(encode(model, "zza<unk>"), (Ids{0, 1, 0}));  // nor unused ones, nor <unk>
}

TEST(Unigram, LongTextsTakeLinearTimeAndStayPrecise) {
  auto fields = small_unigram(graft::UnigramRule::sentencepiece);
  fields.scores[3] = -2.006F;  // hardly worse than a, b
  graft::Unigram const model(fields);
  std::string text;
  Ids expected;
  for (int i = 0; i < 500'000; ++i) text += "ab", expected.push_back(1), expected.push_back(2);
  auto const start = std::chrono::steady_clock::now();
  EXPECT_EQ(encode(model, text), expected);  // a sum of a million in single precision could not tell
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(Unigram, RefusesTablesThatDisagree) {
  auto const refuses = [](auto change) {
    auto fields = small_unigram(graft::UnigramRule::sentencepiece);
    change(fields);
    EXPECT_THROW(graft::Unigram{fields}, graft::FileError);
  };
  refuses([](auto& fields) { fields.scores.pop_back(); });
  refuses([](auto& fields) { fields.types = {PieceType::normal}; });
  refuses([](auto& fields) { fields.unknown = 8; });
  refuses([](auto& fields) { fields.scores[1] = std::nan(""); });
  refuses([](auto& fields) { fields.scores[1] = -HUGE_VAL; });
  refuses([](auto& fields) { fields.vocabulary.add(std::string(8000, 'x'), 8, "test"), fields.scores.push_back(0); });
}

struct RandomPieces {
  graft::SentencePieceBpeFields fields;
  std::vector<std::string> tokens;
};

RandomPieces random_pieces(std::mt19937& random) {
  RandomPieces out;
  out.tokens = random_tokens(random, 5 + random() % 40);
  out.tokens.push_back("<unk>");
  out.fields.vocabulary = make_vocabulary(out.tokens);
  for (std::size_t i = 0; i < out.tokens.size(); ++i) {
    out.fields.scores.push_back(-static_cast<float>(random() % 20));  // several of the same score
    out.fields.types.push_back(i > 3 && random() % 8 == 0   ? PieceType::unused
                               : i > 3 && random() % 8 == 0 ? PieceType::user_defined
                                                            : PieceType::normal);
  }
  out.fields.types.back() = PieceType::unknown;
  out.fields.unknown = static_cast<Token>(out.tokens.size() - 1);
  return out;
}

/// A part of a text and what it was made of, for unused pieces.
struct Part {
  std::string text;
  bool frozen = false;
};

/// The definition, with all pairs looked at anew after each merge.
Ids by_definition(RandomPieces const& pieces, std::string const& text) {
  auto const type = [&](Token id) { return pieces.fields.types[static_cast<std::size_t>(id)]; };
  std::vector<Part> parts;
  for (std::size_t at = 0; at < text.size();) {
    Part part{text.substr(at, 1)};
    for (std::size_t length = 1; at + length <= text.size() && length <= 6; ++length) {
      auto const id = pieces.fields.vocabulary.find(text.substr(at, length));
      if (id && type(*id) == PieceType::user_defined) part = {text.substr(at, length), true};
    }
    at += part.text.size();
    parts.push_back(part);
  }
  std::map<std::string, std::size_t> halves;
  for (;;) {
    std::size_t best = parts.size();
    float score = -1e30F;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      auto const id = pieces.fields.vocabulary.find(parts[i].text + parts[i + 1].text);
      if (!id || parts[i].frozen || parts[i + 1].frozen || type(*id) == PieceType::unknown) continue;
      if (pieces.fields.scores[static_cast<std::size_t>(*id)] > score)
        best = i, score = pieces.fields.scores[static_cast<std::size_t>(*id)];
    }
    if (best == parts.size()) break;
    parts[best].text += parts[best + 1].text;
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  Ids ids;
  bool unknown = false;
  for (Part const& part : parts) {
    auto const id = pieces.fields.vocabulary.find(part.text);
    bool const known = id && type(*id) != PieceType::unknown;
    if (known) ids.push_back(*id);
    if (!known && !unknown) ids.push_back(*pieces.fields.unknown);
    unknown = !known;
  }
  return ids;
}

TEST(SentencePieceBpe, MergesAsDefined) {
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    RandomPieces pieces = random_pieces(random);
    for (auto& type : pieces.fields.types)
      if (type == PieceType::unused) type = PieceType::normal;
    graft::SentencePieceBpe const model(pieces.fields);
    for (int i = 0; i < 60; ++i) {
      std::string const text = random_word(random, 30, 4);
      EXPECT_EQ(encode(model, text), by_definition(pieces, text)) << text;
    }
  }
}

TEST(SentencePieceBpe, UnusedPiecesFallApartIntoWhatTheyWereMadeOf) {
  graft::SentencePieceBpeFields fields;
  fields.vocabulary = make_vocabulary({"<unk>", "a", "b", "ab", "abab", "c"});
  fields.scores = {0, -9, -9, -1, -2, -9};
  fields.types.assign(6, PieceType::normal);
  fields.types[0] = PieceType::unknown;
  fields.unknown = 0;
  EXPECT_EQ(encode(graft::SentencePieceBpe(fields), "ababc"), (Ids{4, 5}));
  fields.types[4] = PieceType::unused;
  EXPECT_EQ(encode(graft::SentencePieceBpe(fields), "ababc"), (Ids{3, 3, 5}));
  fields.types[3] = PieceType::unused;
  EXPECT_EQ(encode(graft::SentencePieceBpe(fields), "ababc"), (Ids{1, 2, 1, 2, 5}));
  fields.types[5] = PieceType::unused;  // made of nothing
  EXPECT_EQ(encode(graft::SentencePieceBpe(fields), "acda"), (Ids{1, 0, 1}));
}

TEST(SentencePieceBpe, LongTextsTakeNoQuadraticTime) {
  graft::SentencePieceBpeFields fields;
  fields.vocabulary = make_vocabulary({"<unk>", "x", "xx", "xxxx", "xxxxxxxx"});
  fields.scores = {0, -4, -1, -2, -3};
  fields.types.assign(5, PieceType::normal);
  auto const start = std::chrono::steady_clock::now();
  EXPECT_EQ(encode(graft::SentencePieceBpe(fields), std::string(800'000, 'x')), Ids(100'000, 4));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(CharacterBpe, SpellsUnknownCharactersInBytes) {
  graft::CharacterBpeFields fields;
  fields.vocabulary = make_vocabulary({"<unk>", "a", "b", "é", "ab", "<0xE2>", "<0x82>", "<0xAC>", "aé"});
  fields.merges.add("a", "b"), fields.merges.add("a", "é");
  fields.unknown = "<unk>";
  EXPECT_EQ(encode(graft::CharacterBpe(fields), "abaé€€"), (Ids{4, 8, 0, 0}));
  fields.fuse_unknown = true;
  EXPECT_EQ(encode(graft::CharacterBpe(fields), "ab€€a"), (Ids{4, 0, 1}));
  fields.byte_fallback = true;
  EXPECT_EQ(encode(graft::CharacterBpe(fields), "ab€a"), (Ids{4, 5, 6, 7, 1}));
  EXPECT_EQ(encode(graft::CharacterBpe(fields), "ñ€a"),
            (Ids{5, 6, 7, 0, 1}));  // recorded: bytes overtake a character held back
  EXPECT_EQ(encode(graft::CharacterBpe(fields), "ba"), (Ids{2, 1}));
  fields.unknown = "<none>";
  EXPECT_THROW(graft::CharacterBpe{fields}, graft::FileError);
}

TEST(CharacterBpe, IgnoreMergesTakesAWordThatIsAToken) {
  graft::CharacterBpeFields fields;
  fields.vocabulary = make_vocabulary({"a", "b", "ab"});
  EXPECT_EQ(encode(graft::CharacterBpe(fields), "ab"), (Ids{0, 1}));
  fields.ignore_merges = true;
  EXPECT_EQ(encode(graft::CharacterBpe(fields), "ab"), (Ids{2}));
}

/// The definition: from the left the longest piece, shortened character by character; nothing found, and the whole word
/// is unknown.
Ids word_piece_by_definition(Vocabulary const& vocabulary, std::string const& word, std::string const& prefix,
                             Token unknown) {
  Ids ids;
  for (std::size_t at = 0; at < word.size();) {
    std::size_t end = word.size();
    for (; end > at; --end) {
      auto const id = vocabulary.find((at > 0 ? prefix : "") + word.substr(at, end - at));
      if (!id) continue;
      ids.push_back(*id);
      break;
    }
    if (end == at) return {unknown};
    at = end;
  }
  return ids;
}

TEST(WordPiece, TakesTheLongestPieceFromTheLeft) {
  std::mt19937 random(4);
  for (int round = 0; round < 60; ++round) {
    auto tokens = random_tokens(random, 3 + random() % 20);
    auto const continuing = random_tokens(random, 2 + random() % 20);
    std::string const prefix = round % 3 == 0 ? "" : round % 3 == 1 ? "##" : "_";
    if (!prefix.empty())
      for (auto const& token : continuing) tokens.push_back(prefix + token);
    tokens.push_back("[UNK]");
    if (round % 2 == 0 && !prefix.empty()) tokens.push_back(prefix);
    graft::WordPieceFields fields;
    fields.vocabulary = make_vocabulary(tokens);
    fields.prefix = prefix;
    graft::WordPiece const model(fields);
    for (int i = 0; i < 60; ++i) {
      std::string const word = random_word(random, 12, 4);
      EXPECT_EQ(encode(model, word), word_piece_by_definition(fields.vocabulary, word, prefix, *model.unknown()))
          << word;
    }
  }
}

TEST(WordPiece, LongWordsAreUnknownAndTakeNoQuadraticTime) {
  graft::WordPieceFields fields;
  fields.vocabulary = make_vocabulary({"[UNK]", "x", "##x", "##xx", "é"});
  fields.longest_word = 3;
  EXPECT_EQ(encode(graft::WordPiece(fields), "xxx"), (Ids{1, 3}));
  EXPECT_EQ(encode(graft::WordPiece(fields), "xxxx"), (Ids{0}));
  EXPECT_EQ(encode(graft::WordPiece(fields), "éxx"), (Ids{4, 3}));  // counted in characters
  fields.longest_word = SIZE_MAX;
  auto const start = std::chrono::steady_clock::now();
  EXPECT_EQ(encode(graft::WordPiece(fields), std::string(1'000'001, 'x')).size(), 500'001u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  fields.unknown = "<none>";
  EXPECT_THROW(graft::WordPiece{fields}, graft::FileError);
}

}  // namespace
