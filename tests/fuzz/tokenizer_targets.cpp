// Tokenizers: what was read is used, too, on texts with everything that splitting and normalizing look for.
#include <graft/io/sentencepiece_file.hpp>
#include <graft/io/tokenizer_json.hpp>
#include <graft/text/sentencepiece_tokenizer.hpp>

#include "target.hpp"
#include "text/small_sentencepiece.hpp"
#include "text/small_tokenizer.hpp"

namespace fuzz {

void use(graft::Tokenizer const& tokenizer);

void use(graft::Tokenizer const& tokenizer) {
  std::vector<graft::Token> all;
  for (std::string_view text : {std::string_view("the fox, the  FOX's 1234\n\tnaïve e\xCC\x81 ＡＢ 你好 <|end|></s>"),
                                std::string_view("\xFF\xC3(\xED\xA0\x80"), std::string_view("\0a", 2)}) {
    auto const ids = tokenizer.encode(text);
    static_cast<void>(tokenizer.encode_with_template(text));
    static_cast<void>(tokenizer.decode(ids, true));
    all.insert(all.end(), ids.begin(), ids.end());
  }
  for (graft::Token id = 0; id < 300; ++id) all.push_back(id);
  for (bool const skip : {false, true})
    for (graft::Token const id : all) try {
        static_cast<void>(tokenizer.decode(std::vector<graft::Token>{id}, skip));
      } catch (graft::Error const&) {  // beyond the vocabulary
      }
}

namespace {

void tokenizer_json(std::string_view bytes) { use(graft::parse_tokenizer(bytes)); }

// A tokenizer.json of another model than the byte-level one.
std::string piece_tokenizer(std::string const& model) {
  return R"({"version":"1.0","added_tokens":[{"id":0,"content":"<unk>","special":true,"single_word":false,"lstrip":false,"rstrip":true,"normalized":false},{"id":5,"content":"xx","special":false,"single_word":true,"lstrip":true,"rstrip":false,"normalized":true}],)"
         R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "},{"type":"Prepend","prepend":"▁"},{"type":"Lowercase"}]},)"
         R"("pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},)"
         R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<unk>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{"<unk>":{"id":"<unk>","ids":[0],"tokens":["<unk>"]}}},)"
         R"("decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},"model":)" +
         model + "}";
}
std::vector<std::string> tokenizer_seeds() {
  return {
      small::tokenizer().dump(),
      piece_tokenizer(
          R"({"type":"Unigram","unk_id":0,"byte_fallback":false,"vocab":[["<unk>",0.0],["▁the",-2.5],["▁",-3.0],["fox",-4.0],["e",-5.0],["xx",-6.0]]})"),
      piece_tokenizer(
          R"({"type":"WordPiece","unk_token":"<unk>","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"<unk>":0,"the":1,"fox":2,"##x":3,"f":4,"xx":5}})"),
      piece_tokenizer(
          R"({"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"ignore_merges":false,"vocab":{"<unk>":0,"t":1,"h":2,"th":3,"e":4,"xx":5,"the":6},"merges":[["t","h"],["th","e"]]})")};
}

void sentencepiece(std::string_view bytes) {
  use(graft::Tokenizer(graft::make_sentencepiece_parts(graft::parse_sentencepiece(bytes, "spiece.model"))));
}
std::vector<std::string> sentencepiece_seeds() {
  auto mapped = small::unigram();
  mapped.chars_map = small::chars_map({{'A', "a"}, {'B', "bb"}});
  return {small::unigram().bytes(), small::bpe().bytes(), mapped.bytes(), small::with_bytes(small::bpe()).bytes()};
}

}  // namespace

std::vector<Target> tokenizer_targets() {
  return {{"tokenizer_json", tokenizer_json, tokenizer_seeds}, {"sentencepiece", sentencepiece, sentencepiece_seeds}};
}

}  // namespace fuzz
