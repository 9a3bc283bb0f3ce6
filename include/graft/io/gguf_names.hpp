/// @file
/// @brief GGUF's tensor names and layouts → Hugging Face's, for the architectures "llama" (LLaMA, Mistral, SmolLM2, …)
/// and "gpt2".
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace graft {

/// How a tensor in a GGUF file lies relative to Hugging Face's.
enum class GgufLayout {
  same,
  rotary_query,  ///< rows of each head interleaved for ggml's rotary pairs (2i, 2i+1) instead of (i, i + d/2)
  rotary_key,
  transposed  ///< GPT-2's Conv1D weights: Hugging Face has [in, out]
};

struct GgufName {
  std::string name;
  GgufLayout layout = GgufLayout::same;
};

namespace detail {

struct GgufNameRule {
  std::string_view gguf;
  std::string_view hugging_face;
  GgufLayout weight = GgufLayout::same;
  GgufLayout bias = GgufLayout::same;
};

inline constexpr std::array<GgufNameRule, 3> llama_model_names = {
    {{"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"}}};

inline constexpr std::array<GgufNameRule, 9> llama_layer_names = {
    {{"attn_norm", "input_layernorm"},
     {"attn_q", "self_attn.q_proj", GgufLayout::rotary_query, GgufLayout::rotary_query},
     {"attn_k", "self_attn.k_proj", GgufLayout::rotary_key, GgufLayout::rotary_key},
     {"attn_v", "self_attn.v_proj"},
     {"attn_output", "self_attn.o_proj"},
     {"ffn_norm", "post_attention_layernorm"},
     {"ffn_gate", "mlp.gate_proj"},
     {"ffn_up", "mlp.up_proj"},
     {"ffn_down", "mlp.down_proj"}}};

inline constexpr std::array<GgufNameRule, 4> gpt2_model_names = {{{"token_embd", "transformer.wte"},
                                                                  {"position_embd", "transformer.wpe"},
                                                                  {"output_norm", "transformer.ln_f"},
                                                                  {"output", "lm_head"}}};

inline constexpr std::array<GgufNameRule, 6> gpt2_layer_names = {
    {{"attn_norm", "ln_1"},
     {"attn_qkv", "attn.c_attn", GgufLayout::transposed},
     {"attn_output", "attn.c_proj", GgufLayout::transposed},
     {"ffn_norm", "ln_2"},
     {"ffn_up", "mlp.c_fc", GgufLayout::transposed},
     {"ffn_down", "mlp.c_proj", GgufLayout::transposed}}};

template <std::size_t N>
[[nodiscard]] std::optional<GgufName> apply_name_rules(std::array<GgufNameRule, N> const& rules,
                                                       std::string const& prefix, std::string_view stem,
                                                       std::string_view suffix) {
  for (auto const& rule : rules) {
    if (rule.gguf == stem) {
      return GgufName{prefix + std::string(rule.hugging_face) + "." + std::string(suffix),
                      suffix == "bias" ? rule.bias : rule.weight};
    }
  }
  return std::nullopt;
}

}  // namespace detail

/// `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`, and so on; nothing for a name or an architecture
/// not known here.
[[nodiscard]] inline std::optional<GgufName> hugging_face_name(std::string_view architecture, std::string_view name) {
  bool const llama = architecture == "llama";
  if (!llama && architecture != "gpt2") return std::nullopt;
  auto const dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  std::string_view const suffix = name.substr(dot + 1);
  if (suffix != "weight" && suffix != "bias") return std::nullopt;
  std::string_view stem = name.substr(0, dot);
  if (stem.substr(0, 4) != "blk.") {
    return llama ? detail::apply_name_rules(detail::llama_model_names, "", stem, suffix)
                 : detail::apply_name_rules(detail::gpt2_model_names, "", stem, suffix);
  }
  stem.remove_prefix(4);
  auto const end = stem.find('.');
  std::uint32_t layer = 0;
  if (end == std::string_view::npos) return std::nullopt;
  auto const [stop, error] = std::from_chars(stem.data(), stem.data() + end, layer);
  if (error != std::errc() || stop != stem.data() + end || (end > 1 && stem.front() == '0')) return std::nullopt;
  std::string const number = std::to_string(layer);
  stem.remove_prefix(end + 1);
  return llama ? detail::apply_name_rules(detail::llama_layer_names, "model.layers." + number + ".", stem, suffix)
               : detail::apply_name_rules(detail::gpt2_layer_names, "transformer.h." + number + ".", stem, suffix);
}

}  // namespace graft
