// Writers of safetensors and GGUF bytes, independent of the library's, that can lie about everything.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft_test {

template <class T>
std::string bytes_of(T value) {
  std::string out(sizeof(T), '\0');
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}

template <class T>
std::string bytes_of_all(std::vector<T> const& values) {
  std::string out;
  for (T const value : values) out += bytes_of(value);
  return out;
}

inline std::string safetensors_bytes(std::string const& header, std::string const& data) {
  return bytes_of<std::uint64_t>(header.size()) + header + data;
}

inline std::string gguf_string(std::string_view text) {
  return bytes_of<std::uint64_t>(text.size()) + std::string(text);
}

// A metadata entry: key, type, encoded value.
struct GgufEntry {
  std::string key;
  std::uint32_t type = 0;
  std::string value;
};

inline GgufEntry gguf_u32(std::string key, std::uint32_t value) { return {std::move(key), 4, bytes_of(value)}; }
inline GgufEntry gguf_f32(std::string key, float value) { return {std::move(key), 6, bytes_of(value)}; }
inline GgufEntry gguf_text(std::string key, std::string_view value) { return {std::move(key), 8, gguf_string(value)}; }
inline GgufEntry gguf_array(std::string key, std::uint32_t element, std::uint64_t count, std::string const& values) {
  return {std::move(key), 9, bytes_of(element) + bytes_of(count) + values};
}
inline GgufEntry gguf_texts(std::string key, std::vector<std::string> const& values) {
  std::string all;
  for (auto const& value : values) all += gguf_string(value);
  return gguf_array(std::move(key), 8, values.size(), all);
}

struct GgufInfo {
  std::string name;
  std::vector<std::uint64_t> extents;  // ggml's order: fastest first
  std::uint32_t type = 0;
  std::string data;
  std::optional<std::uint64_t> offset = std::nullopt;  // instead of the true one
  std::optional<std::uint32_t> rank = std::nullopt;
  std::optional<std::uint64_t> name_length = std::nullopt;
};

struct GgufSpec {
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::optional<std::uint64_t> tensor_count = std::nullopt;
  std::optional<std::uint64_t> entry_count = std::nullopt;
  std::vector<GgufEntry> entries;
  std::vector<GgufInfo> tensors;
  std::string tail;
  std::size_t alignment = 32;

  void set(GgufEntry entry) {
    for (auto& old : entries) {
      if (old.key == entry.key) {
        old = std::move(entry);
        return;
      }
    }
    entries.push_back(std::move(entry));
  }
  void drop(std::string_view key) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].key == key) entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  GgufInfo& tensor(std::string_view name) {
    for (auto& info : tensors) {
      if (info.name == name) return info;
    }
    return tensors.at(tensors.size());
  }

  [[nodiscard]] std::string bytes() const {
    std::string out = magic + bytes_of(version) + bytes_of<std::uint64_t>(tensor_count.value_or(tensors.size())) +
                      bytes_of<std::uint64_t>(entry_count.value_or(entries.size()));
    for (auto const& entry : entries) out += gguf_string(entry.key) + bytes_of(entry.type) + entry.value;
    std::string data;
    for (auto const& info : tensors) {
      data.append((alignment - data.size() % alignment) % alignment, '\0');
      out += bytes_of<std::uint64_t>(info.name_length.value_or(info.name.size())) + info.name +
             bytes_of(info.rank.value_or(static_cast<std::uint32_t>(info.extents.size()))) +
             bytes_of_all(info.extents) + bytes_of(info.type) +
             bytes_of<std::uint64_t>(info.offset.value_or(data.size()));
      data += info.data;
    }
    if (!tensors.empty()) out.append((alignment - out.size() % alignment) % alignment, '\0');
    return out + data + tail;
  }
};

inline std::string float_bytes(std::size_t count, float first) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += bytes_of(first + 0.25f * static_cast<float>(i));
  return out;
}

// A LLaMA of one layer, hidden size 4, two query heads of width 2, one key-value head, vocabulary 3: about 1.5 KB.
inline GgufSpec tiny_llama() {
  GgufSpec spec;
  spec.entries = {gguf_text("general.architecture", "llama"),
                  gguf_u32("llama.block_count", 1),
                  gguf_u32("llama.context_length", 16),
                  gguf_u32("llama.embedding_length", 4),
                  gguf_u32("llama.feed_forward_length", 3),
                  gguf_u32("llama.attention.head_count", 2),
                  gguf_u32("llama.attention.head_count_kv", 1),
                  gguf_f32("llama.attention.layer_norm_rms_epsilon", 1e-5f),
                  gguf_text("tokenizer.ggml.model", "gpt2"),
                  gguf_texts("tokenizer.ggml.tokens", {"a", "b", "c"}),
                  gguf_array("tokenizer.ggml.token_type", 5, 3, bytes_of_all<std::int32_t>({1, 1, 3})),
                  gguf_texts("tokenizer.ggml.merges", {"a b"}),
                  gguf_u32("tokenizer.ggml.eos_token_id", 2),
                  {"tokenizer.ggml.add_bos_token", 7, std::string(1, '\0')}};
  auto const floats = [](std::string name, std::vector<std::uint64_t> extents, float first) {
    std::size_t count = 1;
    for (auto const extent : extents) count *= extent;
    return GgufInfo{std::move(name), std::move(extents), 0, float_bytes(count, first)};
  };
  spec.tensors = {floats("token_embd.weight", {4, 3}, 0),   floats("blk.0.attn_norm.weight", {4}, 1),
                  floats("blk.0.attn_q.weight", {4, 4}, 2), floats("blk.0.attn_k.weight", {4, 2}, 3),
                  floats("blk.0.attn_v.weight", {4, 2}, 4), floats("blk.0.attn_output.weight", {4, 4}, 5),
                  floats("blk.0.ffn_norm.weight", {4}, 6),  floats("blk.0.ffn_gate.weight", {4, 3}, 7),
                  floats("blk.0.ffn_up.weight", {4, 3}, 8), floats("blk.0.ffn_down.weight", {3, 4}, 9),
                  floats("output_norm.weight", {4}, 10)};
  return spec;
}

}  // namespace graft_test
