// From tokens back to text, at once and one by one. The expected texts were recorded with Hugging Face tokenizers 0.23
// and SentencePiece 0.2.3.
#include <graft/text/decoding_state.hpp>
#include <graft/text/text_template.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using graft::Decoder;
using graft::TextTemplate;
using graft::Token;
using Ids = std::vector<Token>;
using Strings = std::vector<std::string>;
namespace decoding = graft::decoding;

std::string decode(Decoder const& decoder, Strings const& tokens) {
  std::string out;
  graft::DecodingState state(decoder);
  for (auto const& token : tokens) state.push(token, out);
  state.finish(out);
  return out;
}

TEST(Decoder, WordPiece) {
  decoding::WordPiece decoder;
  EXPECT_EQ(decode(decoder, {"un", "##believ", "##able", ",", "he", "said", "!", "##"}), "unbelievable, he said!");
  EXPECT_EQ(decode(decoder, {"do", "n", "'", "t", "'", "s"}),
            "do n ' t ' s");  // recorded: cleaning sees one token at a time
  EXPECT_EQ(decode(decoder, {"##ing", "n't", "'s", "do not"}), "##ingn't's don't");
  decoder.cleanup = false;
  EXPECT_EQ(decode(decoder, {"a", ",", "##b"}), "a ,b");
  EXPECT_EQ(decode(decoding::Spaces{}, {"a", "##b"}), "a ##b");
}

/// LLaMA's decoder: Replace, ByteFallback, Fuse, Strip.
decoding::Pieces llama() {
  decoding::Pieces decoder;
  decoder.replacements = {{"▁", " "}};
  decoder.byte_runs = decoding::ByteRuns::whole;
  decoder.strip = " ";
  decoder.strip_most = 1;
  return decoder;
}

TEST(Decoder, ByteFallbackAndStrip) {
  EXPECT_EQ(decode(llama(), {"▁the", "▁fox", "<0xF0>", "<0x9F>", "<0x99>", "<0x82>", "!"}), "the fox🙂!");
  EXPECT_EQ(decode(llama(), {"▁▁", "a"}), " a");
  EXPECT_EQ(decode(llama(), {"", "▁", "▁a"}), " a");
  EXPECT_EQ(decode(llama(), {"<0x41>", "<0xE2>", "<0x82>", "b", "<0xE2>"}),
            "���b�");  // a run that is not UTF-8 is lost as a whole
  EXPECT_EQ(decode(llama(), {"<0x20>", "a"}), "a");
  EXPECT_EQ(decode(llama(), {"<0x4g>", "<0x4>"}), "<0x4g><0x4>");
  EXPECT_EQ(decode(llama(), {}), "");
  auto longer = llama();
  longer.strip_most = 3;
  EXPECT_EQ(decode(longer, {"▁▁", "▁", "▁a▁"}), " a ");
}

TEST(Decoder, Metaspace) {
  decoding::Pieces decoder;
  decoder.metaspaces = true;
  decoder.leading = decoding::LeadingSpaces::drop_in_first;
  EXPECT_EQ(decode(decoder, {"▁Hey", "▁friend"}), "Hey friend");
  EXPECT_EQ(decode(decoder, {"▁a▁b▁", "▁"}), "ab ");
  decoder.leading = decoding::LeadingSpaces::keep;
  EXPECT_EQ(decode(decoder, {"▁a", "▁b"}), " a b");
}

TEST(Decoder, SentencePiece) {
  decoding::Pieces decoder;
  decoder.metaspaces = true;
  decoder.byte_runs = decoding::ByteRuns::each;
  decoder.leading = decoding::LeadingSpaces::drop_one;
  decoder.surfaces = std::make_shared<std::unordered_map<std::string, std::string> const>(
      std::unordered_map<std::string, std::string>{{"</s>", ""}, {"<unk>", " \u2047 "}});
  EXPECT_EQ(decode(decoder, {"▁", "▁a", "</s>", "<unk>", "▁b"}), " a \u2047  b");
  EXPECT_EQ(decode(decoder, {"</s>", "▁▁a"}), " a");
  EXPECT_EQ(decode(decoder, {"<0x41>", "<0xE2>", "<0x82>", "▁b"}), "A�� b");  // each ill-formed byte by itself
  decoder.leading = decoding::LeadingSpaces::drop_one_each;
  EXPECT_EQ(decode(decoder, {"▁", "▁a", "▁b"}), "a b");
  EXPECT_EQ(decode(decoder, {"<unk>", "▁a"}), " \u2047  a");
}

TEST(TextTemplate, KnownForms) {
  Ids const a{10, 11}, b{20};
  auto const bert = TextTemplate::bert(1, 2);
  EXPECT_EQ(bert.apply(a, std::nullopt).ids, (Ids{1, 10, 11, 2}));
  EXPECT_EQ(bert.apply(a, b).ids, (Ids{1, 10, 11, 2, 20, 2}));
  EXPECT_EQ(bert.apply(a, b).token_types, (Ids{0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(TextTemplate::roberta(1, 2).apply(a, b).ids, (Ids{1, 10, 11, 2, 2, 20, 2}));
  EXPECT_EQ(TextTemplate::roberta(1, 2).apply(a, b).token_types, Ids(7, 0));
  EXPECT_EQ(TextTemplate::trailing(2).apply(a, b).ids, (Ids{10, 11, 2, 20, 2}));
  EXPECT_EQ(TextTemplate::around(1, std::nullopt).apply(a, b).ids, (Ids{1, 10, 11, 1, 20}));
  EXPECT_EQ(TextTemplate::around(1, std::nullopt).apply(a, b).token_types, (Ids{0, 0, 0, 1, 1}));
  EXPECT_EQ(TextTemplate().apply(a, b).ids, (Ids{10, 11, 20}));
  EXPECT_EQ(TextTemplate().apply({}, std::nullopt).ids, Ids{});
}

TEST(TextTemplate, CutsTheLongerTextFirstAndSaysHowMuch) {
  struct Case {
    std::size_t a, b, most, kept_a, kept_b;
  };
  // Recorded, less the three special tokens; for equal texts the second keeps one more where one is left over.
  for (Case const& c : std::vector<Case>{{5, 2, 5, 3, 2},
                                         {2, 5, 5, 2, 3},
                                         {5, 5, 7, 3, 4},
                                         {6, 5, 7, 4, 3},
                                         {5, 5, 20, 5, 5},
                                         {3, 9, 4, 2, 2},
                                         {9, 3, 1, 1, 0},
                                         {3, 9, 1, 0, 1},
                                         {4, 4, 0, 0, 0},
                                         {1, 9, 4, 1, 3}}) {
    Ids const a(c.a, 7), b(c.b, 8);
    auto const out = TextTemplate::bert(1, 2).apply(a, b, c.most + 3);
    EXPECT_EQ(std::count(out.ids.begin(), out.ids.end(), 7), static_cast<std::ptrdiff_t>(c.kept_a))
        << c.a << ' ' << c.b << ' ' << c.most;
    EXPECT_EQ(std::count(out.ids.begin(), out.ids.end(), 8), static_cast<std::ptrdiff_t>(c.kept_b))
        << c.a << ' ' << c.b << ' ' << c.most;
    EXPECT_EQ(out.cut_tokens, c.a + c.b - c.kept_a - c.kept_b);
    EXPECT_EQ(out.ids.size(), out.token_types.size());
  }
  Ids const a(9, 7);
  EXPECT_EQ(TextTemplate::bert(1, 2).apply(a, std::nullopt, 5).ids, (Ids{1, 7, 7, 7, 2}));
  EXPECT_EQ(TextTemplate::bert(1, 2).apply(a, std::nullopt, 5).cut_tokens, 6u);
  EXPECT_THROW((void)TextTemplate::bert(1, 2).apply(a, std::nullopt, 1), graft::ConfigError);
}

}  // namespace
