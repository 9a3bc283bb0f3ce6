#include <gtest/gtest.h>

#include <graft/io/gguf_checkpoint.hpp>
#include <graft/io/gguf_tokenizer.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "file_builders.hpp"
#include "malformed.hpp"

namespace {

using namespace graft_test;

// Everything a program does with a model: open, configuration, tokenizer, every tensor.
auto const use = [](std::filesystem::path const& path, graft::FileAccess access) {
  graft::GgufCheckpoint const checkpoint(path, access);
  static_cast<void>(checkpoint.config());
  static_cast<void>(graft::gguf_tokenizer_fields(checkpoint.file()));
  for (auto const& name : checkpoint.names()) {
    std::size_t count = 1;
    for (auto const extent : checkpoint.entry(name).shape) count *= static_cast<std::size_t>(extent);
    std::vector<float> values(count);
    checkpoint.read(name, values.data());
  }
};

constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();

struct Case {
  char const* what;
  std::function<void(GgufSpec&)> change;
};

Case change_entry(char const* what, GgufEntry entry) {
  return {what, [entry](GgufSpec& spec) { spec.set(entry); }};
}
Case drop_entry(char const* key) {
  return {key, [key](GgufSpec& spec) { spec.drop(key); }};
}
Case change_tensor(char const* what, std::function<void(GgufInfo&)> change, char const* name = "blk.0.attn_v.weight") {
  return {what, [change, name](GgufSpec& spec) { change(spec.tensor(name)); }};
}

std::vector<Case> header_cases() {
  return {
      {"magic", [](GgufSpec& s) { s.magic = "GGUG"; }},
      {"magic of ggml", [](GgufSpec& s) { s.magic = "lmgg"; }},
      {"version 0", [](GgufSpec& s) { s.version = 0; }},
      {"version 1", [](GgufSpec& s) { s.version = 1; }},
      {"version 4", [](GgufSpec& s) { s.version = 4; }},
      {"big-endian", [](GgufSpec& s) { s.version = 0x03000000; }},
      {"tensor count one more", [](GgufSpec& s) { s.tensor_count = s.tensors.size() + 1; }},
      {"tensor count one less", [](GgufSpec& s) { s.tensor_count = s.tensors.size() - 1; }},
      {"tensor count 2^32", [](GgufSpec& s) { s.tensor_count = 1ull << 32; }},
      {"tensor count 2^60", [](GgufSpec& s) { s.tensor_count = 1ull << 60; }},
      {"tensor count 2^64-1", [](GgufSpec& s) { s.tensor_count = huge; }},
      {"no tensors counted", [](GgufSpec& s) { s.tensor_count = 0; }},
      {"metadata count one more", [](GgufSpec& s) { s.entry_count = s.entries.size() + 1; }},
      {"metadata count one less", [](GgufSpec& s) { s.entry_count = s.entries.size() - 1; }},
      {"metadata count 2^32", [](GgufSpec& s) { s.entry_count = 1ull << 32; }},
      {"metadata count 2^64/13", [](GgufSpec& s) { s.entry_count = huge / 13 + 2; }},
      {"metadata count 2^64-1", [](GgufSpec& s) { s.entry_count = huge; }},
      {"trailing 64 bytes", [](GgufSpec& s) { s.tail = std::string(64, 'x'); }},
      {"trailing megabyte", [](GgufSpec& s) { s.tail = std::string(1 << 20, 'x'); }},
      {"no tensors, trailing bytes",
       [](GgufSpec& s) {
         s.tensors.clear();
         s.tail = std::string(100, 'x');
       }},
      {"no tensors", [](GgufSpec& s) { s.tensors.clear(); }},
      {"data missing", [](GgufSpec& s) { s.tensors.back().data = ""; }},
      {"data one byte short", [](GgufSpec& s) { s.tensors.back().data.pop_back(); }},
      {"data shifted by another alignment", [](GgufSpec& s) { s.alignment = 128; }},
  };
}

std::vector<Case> value_cases() {
  std::string const text_length_huge = bytes_of<std::uint64_t>(huge);
  return {
      {"key twice", [](GgufSpec& s) { s.entries.push_back(s.entries[2]); }},
      {"empty key", [](GgufSpec& s) { s.entries.push_back(gguf_u32("", 1)); }},
      {"long key", [](GgufSpec& s) { s.entries.push_back(gguf_u32(std::string(70000, 'k'), 1)); }},
      change_entry("value type 13", {"x", 13, bytes_of<std::uint32_t>(0)}),
      change_entry("value type 2^32-1", {"x", 0xffffffffu, bytes_of<std::uint32_t>(0)}),
      change_entry("boolean 2", {"x", 7, "\x02"}),
      change_entry("boolean 255", {"x", 7, "\xff"}),
      change_entry("boolean in an array", gguf_array("x", 7, 3, std::string("\x00\x01\x02", 3))),
      change_entry("string length 2^64-1", {"x", 8, text_length_huge}),
      change_entry("string length 2^63", {"x", 8, bytes_of<std::uint64_t>(1ull << 63)}),
      change_entry("string length 2^32", {"x", 8, bytes_of<std::uint64_t>(1ull << 32)}),
      change_entry("string longer than the file", {"x", 8, bytes_of<std::uint64_t>(5000)}),
      change_entry("array element type 13", gguf_array("x", 13, 1, "abcd")),
      change_entry("array count 2^64-1", gguf_array("x", 0, huge, "")),
      change_entry("array count 2^62 of 4 bytes (wraps)", gguf_array("x", 4, 1ull << 62, "")),
      change_entry("array count 2^61 of 8 bytes (wraps)", gguf_array("x", 10, 1ull << 61, "")),
      change_entry("array of 2^61 strings (wraps)", gguf_array("x", 8, 1ull << 61, "")),
      change_entry("array of 2^60 arrays", gguf_array("x", 9, 1ull << 60, "")),
      change_entry("array longer than the file", gguf_array("x", 0, 100000, "")),
      change_entry("array of strings, one too long", gguf_array("x", 8, 2, gguf_string("a") + text_length_huge)),
      change_entry("nested array with a huge count",
                   gguf_array("x", 9, 1, bytes_of<std::uint32_t>(4) + bytes_of<std::uint64_t>(1ull << 62))),
      change_entry("nested array of unknown type",
                   gguf_array("x", 9, 1, bytes_of<std::uint32_t>(99) + bytes_of<std::uint64_t>(1) + "aaaa")),
      {"depth bomb",
       [](GgufSpec& s) {
         std::string nested;
         for (int i = 0; i < 100000; ++i) nested += bytes_of<std::uint32_t>(9) + bytes_of<std::uint64_t>(1);
         s.set(gguf_array("x", 9, 1, nested));
       }},
      change_entry("alignment 0", gguf_u32("general.alignment", 0)),
      change_entry("alignment 1", gguf_u32("general.alignment", 1)),
      change_entry("alignment 24", gguf_u32("general.alignment", 24)),
      change_entry("alignment 2^31", gguf_u32("general.alignment", 1u << 31)),
      change_entry("alignment negative", {"general.alignment", 11, bytes_of<std::int64_t>(-32)}),
      change_entry("alignment 2^64-1", {"general.alignment", 10, bytes_of<std::uint64_t>(huge)}),
      change_entry("alignment a string", gguf_text("general.alignment", "32")),
      change_entry("alignment 8 in a file of 32", gguf_u32("general.alignment", 8)),
  };
}

std::vector<Case> tensor_cases() {
  using Info = GgufInfo&;
  return {
      change_tensor("name length 2^64-1", [](Info t) { t.name_length = huge; }),
      change_tensor("name length 2^63", [](Info t) { t.name_length = 1ull << 63; }),
      change_tensor("name length one more", [](Info t) { t.name_length = t.name.size() + 1; }),
      change_tensor("empty name", [](Info t) { t.name = ""; }),
      change_tensor("name of 2000 bytes", [](Info t) { t.name = std::string(2000, 'n'); }),
      change_tensor("name twice", [](Info t) { t.name = "blk.0.attn_k.weight"; }),
      change_tensor("rank 5", [](Info t) { t.extents = {4, 2, 1, 1, 1}; }),
      change_tensor("rank 2^32-1", [](Info t) { t.rank = 0xffffffffu; }),
      change_tensor("rank one more", [](Info t) { t.rank = 3; }),
      change_tensor("rank one less", [](Info t) { t.rank = 1; }),
      change_tensor("dimension 2^64-1", [](Info t) { t.extents[0] = huge; }),
      change_tensor("dimension 2^63", [](Info t) { t.extents[1] = 1ull << 63; }),
      change_tensor("product 2^64 (wraps to 0)", [](Info t) { t.extents = {1ull << 32, 1ull << 32}; }),
      change_tensor("product 2^64 + 8 (wraps to the true size)", [](Info t) { t.extents = {(1ull << 62) + 2, 4}; }),
      change_tensor("four dimensions of 2^16 + 1", [](Info t) { t.extents = {65537, 65537, 65537, 65537}; }),
      change_tensor("zero beside a product that wraps", [](Info t) { t.extents = {1ull << 40, 1ull << 40, 0}; }),
      change_tensor("bytes beyond 64 bits", [](Info t) { t.extents = {1ull << 62}; }),
      change_tensor(
          "dimension one more", [](Info t) { t.extents[0] += 1; }, "output_norm.weight"),
      change_tensor("larger than the file", [](Info t) { t.extents[1] = 1000000; }),
      change_tensor("type 4 (withdrawn)", [](Info t) { t.type = 4; }),
      change_tensor("type Q5_0", [](Info t) { t.type = 6; }),
      change_tensor("type Q4_K", [](Info t) { t.type = 12; }),
      change_tensor("type IQ2_XXS", [](Info t) { t.type = 16; }),
      change_tensor("type I32", [](Info t) { t.type = 26; }),
      change_tensor("type MXFP4", [](Info t) { t.type = 39; }),
      change_tensor("type 40", [](Info t) { t.type = 40; }),
      change_tensor("type 2^32-1", [](Info t) { t.type = 0xffffffffu; }),
      change_tensor("Q8_0 rows of 4", [](Info t) { t.type = 8; }),
      change_tensor("Q4_0 rows of 33",
                    [](Info t) {
                      t.type = 2;
                      t.extents = {33, 32};
                      t.data = std::string(18 * 33, 'q');
                    }),
      change_tensor("Q4_1 of rank 0",
                    [](Info t) {
                      t.type = 3;
                      t.extents = {};
                      t.data = std::string(20, 'q');
                    }),
      change_tensor("F16 with twice the bytes",
                    [](Info t) {
                      t.type = 1;
                      t.data = std::string(100, 'h');
                    }),
      change_tensor("offset 1", [](Info t) { t.offset = 1; }),
      change_tensor("offset 0 (overlaps)", [](Info t) { t.offset = 0; }),
      change_tensor("offset 32 further (hole)", [](Info t) { t.offset = 192 + 32; }),
      change_tensor("offset 32 less (overlaps)", [](Info t) { t.offset = 32; }),
      change_tensor("offset beyond the file", [](Info t) { t.offset = 1ull << 20; }),
      change_tensor("offset 2^63", [](Info t) { t.offset = 1ull << 63; }),
      change_tensor("offset 2^64-32", [](Info t) { t.offset = huge - 31; }),
      change_tensor("offset 2^64-1", [](Info t) { t.offset = huge; }),
      change_tensor(
          "first tensor not at 0", [](Info t) { t.offset = 32; }, "token_embd.weight"),
      change_tensor(
          "last tensor beyond the end", [](Info t) { t.extents[0] = 8; }, "output_norm.weight"),
      {"two tensors exchanged",
       [](GgufSpec& s) {
         s.tensors[1].offset = 64;
         s.tensors[2].offset = 48;
       }},
  };
}

std::vector<Case> model_cases() {
  auto const array_of = [](char const* key, std::vector<std::int32_t> const& values) {
    return gguf_array(key, 5, values.size(), bytes_of_all(values));
  };
  return {
      drop_entry("general.architecture"),
      drop_entry("llama.block_count"),
      drop_entry("llama.embedding_length"),
      drop_entry("llama.context_length"),
      drop_entry("llama.feed_forward_length"),
      drop_entry("llama.attention.head_count"),
      drop_entry("tokenizer.ggml.tokens"),
      drop_entry("tokenizer.ggml.model"),
      change_entry("unknown architecture", gguf_text("general.architecture", "mamba")),
      change_entry("architecture a number", gguf_u32("general.architecture", 3)),
      change_entry("no layers", gguf_u32("llama.block_count", 0)),
      change_entry("2^32-1 layers", gguf_u32("llama.block_count", 0xffffffffu)),
      change_entry("more layers than tensors", gguf_u32("llama.block_count", 100000)),
      change_entry("layers negative", {"llama.block_count", 5, bytes_of<std::int32_t>(-1)}),
      change_entry("layers a float", gguf_f32("llama.block_count", 1)),
      change_entry("no heads", gguf_u32("llama.attention.head_count", 0)),
      change_entry("3 heads", gguf_u32("llama.attention.head_count", 3)),
      change_entry("heads of odd width", gguf_u32("llama.attention.head_count", 4)),
      change_entry("2^31-1 heads", gguf_u32("llama.attention.head_count", 0x7fffffffu)),
      change_entry("heads that wrap", gguf_u32("llama.attention.head_count", 0xfffffffeu)),
      change_entry("no key-value heads", gguf_u32("llama.attention.head_count_kv", 0)),
      change_entry("key-value heads that do not divide", gguf_u32("llama.attention.head_count_kv", 3)),
      change_entry("heads that differ by layer", array_of("llama.attention.head_count", {2, 1})),
      change_entry("an empty list of heads", array_of("llama.attention.head_count", {})),
      change_entry("hidden size 0", gguf_u32("llama.embedding_length", 0)),
      change_entry("hidden size 2^32-1", gguf_u32("llama.embedding_length", 0xffffffffu)),
      change_entry("hidden size not of whole heads", gguf_u32("llama.embedding_length", 5)),
      change_entry("values of another width than keys", gguf_u32("llama.attention.value_length", 7)),
      change_entry("odd head width", gguf_u32("llama.attention.key_length", 3)),
      change_entry("experts", gguf_u32("llama.expert_count", 8)),
      change_entry("epsilon negative", gguf_f32("llama.attention.layer_norm_rms_epsilon", -1)),
      change_entry("epsilon NaN",
                   gguf_f32("llama.attention.layer_norm_rms_epsilon", std::numeric_limits<float>::quiet_NaN())),
      change_entry("rotary base infinite", gguf_f32("llama.rope.freq_base", std::numeric_limits<float>::infinity())),
      change_entry("vocabulary that is not the embedding's", gguf_u32("llama.vocab_size", 4)),
      change_entry("eos beyond the vocabulary", gguf_u32("tokenizer.ggml.eos_token_id", 3)),
      change_entry("bos 2^32-1", gguf_u32("tokenizer.ggml.bos_token_id", 0xffffffffu)),
      change_entry("unk negative", {"tokenizer.ggml.unknown_token_id", 5, bytes_of<std::int32_t>(-1)}),
      change_entry("pad a string", gguf_text("tokenizer.ggml.padding_token_id", "0")),
      change_entry("tokens are numbers", array_of("tokenizer.ggml.tokens", {1, 2, 3})),
      change_entry("tokens a string", gguf_text("tokenizer.ggml.tokens", "abc")),
      change_entry("no tokens", gguf_texts("tokenizer.ggml.tokens", {})),
      change_entry("token types of another length", array_of("tokenizer.ggml.token_type", {1, 1})),
      change_entry("token type 7", array_of("tokenizer.ggml.token_type", {1, 1, 7})),
      change_entry("token type negative", array_of("tokenizer.ggml.token_type", {1, 1, -1})),
      change_entry("scores of another length", gguf_array("tokenizer.ggml.scores", 6, 1, bytes_of(1.0f))),
      change_entry("merges are numbers", array_of("tokenizer.ggml.merges", {1})),
      change_entry("add_bos a number", gguf_u32("tokenizer.ggml.add_bos_token", 1)),
      {"query rows not of whole heads",
       [](GgufSpec& s) { s.tensor("blk.0.attn_q.weight") = {"blk.0.attn_q.weight", {4, 3}, 0, float_bytes(12, 0)}; }},
      {"query of rank 3", [](GgufSpec& s) { s.tensor("blk.0.attn_q.weight").extents = {2, 2, 4}; }},
      {"query without rows",
       [](GgufSpec& s) { s.tensor("blk.0.attn_q.weight") = {"blk.0.attn_q.weight", {4, 0}, 0, ""}; }},
      {"embedding of rank 1", [](GgufSpec& s) { s.tensor("token_embd.weight").extents = {12}; }},
      {"no embedding", [](GgufSpec& s) { s.tensor("token_embd.weight").name = "other.weight"; }},
      {"two names for one tensor", [](GgufSpec& s) { s.tensor("blk.0.attn_v.weight").name = "model.norm.weight"; }},
  };
}

TEST(MalformedGguf, EveryChangeIsRefused) {
  TemporaryFolder const folder;
  ASSERT_EQ(outcome(folder.put("good", tiny_llama().bytes()), graft::FileAccess::map, "unchanged", use),
            Outcome::accepted);
  std::size_t count = 0;
  for (auto const& cases : {header_cases(), value_cases(), tensor_cases(), model_cases()}) {
    for (auto const& one : cases) {
      GgufSpec spec = tiny_llama();
      one.change(spec);
      expect_refused(folder, one.what, spec.bytes(), use);
      ++count;
    }
  }
  EXPECT_GE(count, 140u);
}

TEST(MalformedGguf, BombsAreRefusedCheaply) {
  TemporaryFolder const folder;
  GgufSpec spec = tiny_llama();
  spec.set(gguf_array("tokenizer.ggml.tokens", 8, 3'000'000, std::string(24'000'000, '\0')));
  expect_refused(folder, "3 million empty tokens", spec.bytes(), use);
  spec = tiny_llama();
  for (int i = 0; i < 70'000; ++i) spec.entries.push_back({std::to_string(i), 0, "x"});
  expect_refused(folder, "70 thousand keys", spec.bytes(), use);
  std::string infos;
  std::string const info_tail =
      bytes_of<std::uint32_t>(1) + bytes_of<std::uint64_t>(0) + bytes_of<std::uint32_t>(0) + bytes_of<std::uint64_t>(0);
  for (int i = 0; i < 131'072; ++i) infos += gguf_string(std::to_string(i)) + info_tail;
  std::string const empty =
      "GGUF" + bytes_of<std::uint32_t>(3) + bytes_of<std::uint64_t>(131'072) + bytes_of<std::uint64_t>(0) + infos;
  expect_refused(folder, "131072 empty tensors", empty, use);
}

TEST(MalformedGguf, CutAtEveryByte) {
  auto spec = tiny_llama();
  spec.tensors.push_back({"quantized", {32}, 8, std::string(34, 'q')});
  expect_every_cut_refused(spec.bytes(), use);
}

TEST(MalformedGguf, EveryByteChanged) { EXPECT_GT(refused_of_changed_bytes(tiny_llama().bytes(), use), 1000u); }

}  // namespace
