// SentencePiece models and vocab.txt: cut short, contradictory, hostile. Each gives one clear error that names the
// file, or a tokenizer that works.
#include "malformed.hpp"
#include "small_sentencepiece.hpp"
#include "temporary_folder.hpp"

#include <graft/io/sentencepiece_folder.hpp>
#include <graft/io/tokenizer_files.hpp>
#include <graft/io/tokenizer_json.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

graft::Tokenizer make_model(std::string const& bytes) {
  return graft::Tokenizer(graft::make_sentencepiece_parts(graft::parse_sentencepiece(bytes, "test.file")));
}

template <class E>
void expect_error(std::string const& bytes, std::string const& says, std::string const& name) {
  malformed::expect_error<E>(make_model, "test.file", bytes, says, name);
}

struct BadModel {
  std::string name;
  std::function<void(small::Model&)> change;
  std::string says;
};

TEST(MalformedSentencePiece, Contradictions) {
  std::vector<BadModel> const cases{
      {"no pieces", [](auto& m) { m.pieces.clear(); }, "has no pieces"},
      {"no unknown piece", [](auto& m) { m.pieces[2].type = 1; }, "has no unknown piece"},
      {"two unknown pieces", [](auto& m) { m.pieces[5].type = 2; }, "second unknown piece"},
      {"piece twice", [](auto& m) { m.pieces[5].text = "fox"; }, "\"fox\" occurs twice"},
      {"piece and control piece alike", [](auto& m) { m.pieces[5].text = "</s>"; }, "occurs twice"},
      {"empty piece", [](auto& m) { m.pieces[5].text = ""; }, "is empty"},
      {"zero byte in a piece", [](auto& m) { m.pieces[5].text = std::string("a\0b", 3); }, "zero byte"},
      {"piece that is not UTF-8", [](auto& m) { m.pieces[5].text = "\xE2\x96"; }, "is not UTF-8"},
      {"piece too long", [](auto& m) { m.pieces[5].text = std::string(8000, 'x'); }, "is too long"},
      {"score not a number", [](auto& m) { m.pieces[5].score = std::numeric_limits<float>::quiet_NaN(); },
       "is not a finite number"},
      {"score infinite", [](auto& m) { m.pieces[5].score = -std::numeric_limits<float>::infinity(); },
       "is not a finite number"},
      {"control score not a number", [](auto& m) { m.pieces[0].score = std::numeric_limits<float>::quiet_NaN(); },
       "is not a finite number"},
      {"piece type 0", [](auto& m) { m.pieces[5].type = 0; }, "type of piece 5 is unknown; got 0"},
      {"piece type 7", [](auto& m) { m.pieces[5].type = 7; }, "type of piece 5 is unknown; got 7"},
      {"byte without fallback", [](auto& m) { m.pieces.push_back({"<0x41>", 0, 6}); }, "without byte fallback"},
      {"fallback without bytes", [](auto& m) { m.byte_fallback = true; }, "lacks byte pieces; got 0"},
      {"one byte missing",
       [](auto& m) {
         m = small::with_bytes(m);
         m.pieces.pop_back();
       },
       "got 255; expected 256"},
      {"byte misspelt",
       [](auto& m) {
         m = small::with_bytes(m);
         m.pieces.back().text = "<0xff>";
       },
       "is no byte"},
      {"model type 0", [](auto& m) { m.type = 0; }, "model type is unknown; got 0"},
      {"model type 9", [](auto& m) { m.type = 9; }, "model type is unknown; got 9"},
  };
  for (auto const& base : {small::unigram(), small::bpe()}) {
    for (BadModel const& c : cases) {
      small::Model model = base;
      if (base.type == 2) std::swap(model.pieces[0], model.pieces[2]);  // the unknown piece third, as there
      if (base.type == 2) model.pieces[7].text = "fox", model.pieces[1].text = "</s>", model.pieces[0].text = "<s>";
      c.change(model);
      expect_error<graft::FileError>(model.bytes(), c.says, c.name);
    }
  }
}

TEST(MalformedSentencePiece, OtherKindsAreRefusedByName) {
  auto model = small::unigram();
  model.type = 3;
  expect_error<graft::ConfigError>(model.bytes(), "3 (word)", "word model");
  model.type = 4;
  expect_error<graft::ConfigError>(model.bytes(), "4 (characters)", "character model");
  std::string const rules = small::bytes_field(5, small::bytes_field(2, "x"));
  expect_error<graft::ConfigError>(small::unigram().bytes() + rules, "denormalizer", "rules for decoding");
  EXPECT_NO_THROW((void)make_model(small::unigram().bytes() +
                                   small::bytes_field(5, small::bytes_field(2, "") + small::number_field(3, 0))));
}

TEST(MalformedSentencePiece, WireFormat) {
  std::string const good = small::unigram().bytes();
  auto const refuses = [&](std::string const& bytes, std::string const& says) {
    expect_error<graft::FileError>(bytes, says, says);
  };
  refuses(std::string(1, '\0'), "got field 0");
  refuses("\x0B", "wire type 3");
  refuses("\x0F", "wire type 7");
  refuses("{\"model\": 1}", "");
  refuses(good + "\x0A\x7F", "needs 127 bytes");
  refuses(good + "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", "needs 18446744073709551615 bytes");
  refuses(good + "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", "more than 64 bits");
  refuses(good + std::string(12, '\xFF'), "more than 64 bits");
  refuses(good + small::number_field(1, 5), "a piece of the wrong wire type");
  refuses(good + small::number_field(2, 5), "trainer_spec of the wrong wire type");
  refuses(good + small::float_field(3, 5), "normalizer_spec of the wrong wire type");
  refuses(good + small::bytes_field(1, small::number_field(1, 5)), "a piece's text of the wrong wire type");
  refuses(good + small::bytes_field(1, small::number_field(2, 5)), "a piece's score of the wrong wire type");
  refuses(good + small::bytes_field(1, small::bytes_field(1, "q") + small::float_field(3, 1)),
          "a piece's type of the wrong wire type");
  refuses(good + small::bytes_field(1, small::bytes_field(1, "q") + "\x15\x01\x02"), "a piece's score needs 4 bytes");
  refuses(good + small::bytes_field(1, "\x0A\x05q"),
          "a piece's text needs 5 bytes");  // it would reach into the next field
  refuses(good + small::bytes_field(2, small::bytes_field(3, "x")), "the model's type of the wrong wire type");
  refuses(good + small::bytes_field(2, small::bytes_field(35, "x")), "byte_fallback of the wrong wire type");
  refuses(good + small::bytes_field(3, small::number_field(2, 1)), "precompiled_charsmap of the wrong wire type");
  refuses(good + small::bytes_field(3, small::bytes_field(4, "x")), "remove_extra_whitespaces of the wrong wire type");
  EXPECT_NO_THROW((void)make_model(good + small::bytes_field(200, "extension") + small::number_field(201, 3) +
                                   small::float_field(202, 1) + small::varint(203 << 3 | 1) + "12345678"));
}

TEST(MalformedSentencePiece, CharsMaps) {
  std::string const good = small::chars_map({{'A', "a"}});
  auto const refuses = [](std::string const& map, std::string const& says) {
    auto model = small::unigram();
    model.chars_map = map;
    expect_error<graft::FileError>(model.bytes(), says, says);
  };
  auto const with_unit = [&](std::size_t unit, std::uint32_t value) {
    std::string map = good;
    return map.replace(4 + 4 * unit, 4, small::fixed(value));
  };
  refuses("abc", "got 3 bytes");
  refuses(small::fixed(0) + "x", "got a trie of 0 bytes");
  refuses(small::fixed(6) + std::string(10, '\0'), "expected a multiple of 4");
  refuses(small::fixed(8) + std::string(8, '\0'), "replacements behind it");
  refuses(small::fixed(0xFFFFFFFC) + std::string(8, '\0'), "got a trie of 4294967292 bytes");
  refuses(good + "x", "without its zero byte");
  refuses(good + "\xFF" + std::string(1, '\0'), "not UTF-8");
  refuses(good + std::string(257, 'x') + std::string(1, '\0'), "got a replacement of 257 bytes");
  refuses(with_unit(5, 0x80000FFF), "got a replacement at byte 4095");
  auto model = small::unigram();
  for (std::uint32_t const offset : {1u, 300u, 0x1FFFFFu}) {  // children and values outside of the table are no rules
    model.chars_map = with_unit(0, offset << 10);
    EXPECT_NO_THROW((void)make_model(model.bytes()).encode("ABC the"));
    model.chars_map = with_unit(256 ^ 'A', offset << 10 | 0x100u | 'A');
    EXPECT_NO_THROW((void)make_model(model.bytes()).encode("ABC the"));
  }
}

TEST(MalformedSentencePiece, CutAtEveryByte) {
  for (auto base : {small::unigram(), small::with_bytes(small::bpe())}) {
    base.chars_map = small::chars_map({{'A', "a"}});
    std::string const good = base.bytes();
    ASSERT_NO_THROW((void)make_model(good));
    for (std::size_t length = 0; length < good.size(); ++length)
      expect_error<graft::FileError>(good.substr(0, length), "", "cut");
  }
}

TEST(MalformedSentencePiece, DamagedBytesGiveTheLibrarysErrorsOrATokenizer) {
  std::mt19937 random(5);
  int refused = 0;
  for (auto base : {small::unigram(), small::with_bytes(small::bpe())}) {
    base.chars_map = small::chars_map({{'A', "a"}, {'B', "b"}});
    base.pieces.push_back({"<sep>", 0, 4});
    std::string const good = base.bytes();
    for (int i = 0; i < 4000; ++i) {
      std::string bytes = good;
      for (auto changes = 1 + random() % 4; changes > 0; --changes)
        bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
      try {
        auto const tokenizer = make_model(bytes);
        (void)tokenizer.decode(tokenizer.encode("the  foxAB<sep> é🙂\xFF"));
      } catch (graft::Error const&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(MalformedSentencePiece, ManyControlPiecesAreBounded) {
  auto model = small::unigram();
  for (int i = 0; i < 70000; ++i) model.pieces.push_back({"<c" + std::to_string(i) + ">", 0, 3});
  expect_error<graft::FileError>(model.bytes(), "one control piece too many", "many control pieces");
}

TEST(MalformedVocabTxt, Contradictions) {
  auto const refuses = [](std::string const& text, std::string const& says) {
    TemporaryFolder const folder;
    folder.write("vocab.txt", text);
    try {
      (void)graft::load_tokenizer_files(folder.path());
      FAIL() << says;
    } catch (graft::FileError const& error) {
      std::string const what = error.what();
      EXPECT_NE(what.find("vocab.txt] "), std::string::npos) << what;
      EXPECT_NE(what.find(says), std::string::npos) << what;
      EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    }
  };
  refuses("", "");
  refuses("a\nb\n", "unknown token is not in the vocabulary");
  refuses("[UNK]\na\na\n", "\"a\" occurs twice");
  refuses("[UNK]\n\n\n", "\"\" occurs twice");
  refuses("[UNK]\n\xFF\n", "is not UTF-8; got an ill-formed character at byte 6");
  refuses(std::string("[UNK]\n\0\n", 8), "zero byte at offset 6");
  refuses("[UNK]\n" + std::string(8000, 'x') + "\n", "is too long");
}

}  // namespace
