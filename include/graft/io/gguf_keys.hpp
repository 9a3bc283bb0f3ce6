/// @file
/// @brief What the keys of the architecture of a GGUF file mean to the forward pass: honoured, without effect, or
/// refused unless they switch something off.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <graft/core/warning.hpp>
#include <graft/io/gguf.hpp>

namespace graft {

enum class GgufKeyUse {
  honoured,
  without_effect,
  only_zero,  ///< any other number switches on a computation that is not made here
  only_one,   ///< a factor: any other number scales what is not scaled here
  only_true,
};

/// A key behind the architecture's prefix, in one of the architectures or (empty) in all.
struct GgufKey {
  std::string_view name;
  GgufKeyUse use;
  std::string_view architecture = {};
};

inline constexpr std::array gguf_keys{
    GgufKey{"vocab_size", GgufKeyUse::honoured},
    GgufKey{"context_length", GgufKeyUse::honoured},
    GgufKey{"embedding_length", GgufKeyUse::honoured},
    GgufKey{"block_count", GgufKeyUse::honoured},
    GgufKey{"feed_forward_length", GgufKeyUse::honoured},
    GgufKey{"attention.head_count", GgufKeyUse::honoured},
    GgufKey{"attention.head_count_kv", GgufKeyUse::honoured},
    GgufKey{"attention.key_length", GgufKeyUse::honoured},
    GgufKey{"attention.value_length", GgufKeyUse::honoured},
    GgufKey{"attention.layer_norm_rms_epsilon", GgufKeyUse::honoured, "llama"},
    GgufKey{"attention.layer_norm_epsilon", GgufKeyUse::honoured, "gpt2"},
    GgufKey{"attention.layer_norm_epsilon", GgufKeyUse::without_effect, "llama"},
    GgufKey{"attention.sliding_window", GgufKeyUse::honoured},
    GgufKey{"rope.dimension_count", GgufKeyUse::honoured, "llama"},
    GgufKey{"rope.freq_base", GgufKeyUse::honoured, "llama"},
    GgufKey{"rope.scaling.type", GgufKeyUse::honoured, "llama"},
    GgufKey{"rope.scaling.factor", GgufKeyUse::honoured, "llama"},
    GgufKey{"rope.scale_linear", GgufKeyUse::honoured, "llama"},
    GgufKey{"rope.scaling.original_context_length",
            GgufKeyUse::without_effect},  // of yarn, which rope.scaling.type would name
    GgufKey{"rope.scaling.finetuned", GgufKeyUse::without_effect},
    GgufKey{"rope.scaling.yarn_log_multiplier", GgufKeyUse::without_effect},
    GgufKey{"rope.scaling.yarn_beta_fast", GgufKeyUse::without_effect},
    GgufKey{"rope.scaling.yarn_beta_slow", GgufKeyUse::without_effect},
    GgufKey{"tensor_data_layout", GgufKeyUse::without_effect},
    GgufKey{"pooling_type", GgufKeyUse::without_effect},
    GgufKey{"expert_used_count", GgufKeyUse::without_effect},  // without experts
    GgufKey{"rope.scaling.attn_factor", GgufKeyUse::only_one},
    GgufKey{"rope.scaling.yarn_attn_factor", GgufKeyUse::only_one},
    GgufKey{"rope.scaling.yarn_ext_factor", GgufKeyUse::only_zero},
    GgufKey{"rope.scaling.alpha", GgufKeyUse::only_zero},
    GgufKey{"logit_scale", GgufKeyUse::only_one},
    GgufKey{"residual_scale", GgufKeyUse::only_one},
    GgufKey{"embedding_scale", GgufKeyUse::only_one},
    GgufKey{"expert_count", GgufKeyUse::only_zero},
    GgufKey{"leading_dense_block_count", GgufKeyUse::only_zero},
    GgufKey{"nextn_predict_layers", GgufKeyUse::only_zero},
    GgufKey{"attn_logit_softcapping", GgufKeyUse::only_zero},
    GgufKey{"final_logit_softcapping", GgufKeyUse::only_zero},
    GgufKey{"attention.scale", GgufKeyUse::only_zero},
    GgufKey{"attention.output_scale", GgufKeyUse::only_one},
    GgufKey{"attention.clamp_kqv", GgufKeyUse::only_zero},
    GgufKey{"attention.max_alibi_bias", GgufKeyUse::only_zero},
    GgufKey{"attention.temperature_length", GgufKeyUse::only_zero},
    GgufKey{"attention.temperature_scale", GgufKeyUse::only_zero},
    GgufKey{"attention.shared_kv_layers", GgufKeyUse::only_zero},
    GgufKey{"attention.causal", GgufKeyUse::only_true},
    GgufKey{"use_parallel_residual", GgufKeyUse::only_zero},
    GgufKey{"swin_norm", GgufKeyUse::only_zero},
};

namespace detail {

/// A number or a switch (0 or 1).
[[nodiscard]] inline double gguf_number(GgufFile const& file, GgufValue const& value) {
  if (value.type == GgufType::boolean) return gguf_value_as<bool>(value, file.path()) ? 1 : 0;
  return gguf_value_as<double>(value, file.path());
}

/// Refuses values that ask for a computation that is not made here; says keys that are not known.
inline void check_gguf_keys(GgufFile const& file, std::string const& architecture) {
  std::string unknown, sampling;
  for (GgufValue const& value : file.metadata()) {
    if (value.key.starts_with("general.sampling.")) sampling += (sampling.empty() ? "" : ", ") + printable(value.key);
    if (!value.key.starts_with(architecture + ".")) continue;
    std::string_view const name = value.key.substr(architecture.size() + 1);
    auto const known = std::find_if(gguf_keys.begin(), gguf_keys.end(), [&](GgufKey const& key) {
      return key.name == name && (key.architecture.empty() || key.architecture == architecture);
    });
    if (known == gguf_keys.end()) {
      unknown += (unknown.empty() ? "" : ", ") + printable(value.key);
    } else if (known->use != GgufKeyUse::honoured && known->use != GgufKeyUse::without_effect) {
      double const number = gguf_number(file, value), expected = known->use == GgufKeyUse::only_zero ? 0 : 1;
      if (number != expected)
        fail<FileError>("[", file.path(), "] sets the metadata key ", printable(value.key), " to ", number,
                        ", which graft does not compute; expected ", expected, ", or no such key");
    }
  }
  if (!unknown.empty())
    warn("[", file.path(), "] has metadata keys that are not known for the architecture ", architecture,
         " and have no effect; got ", unknown);
  if (!sampling.empty())
    warn("[", file.path(), "] has default settings of sampling for llama.cpp, which are not followed; got ", sampling,
         "; hint: the program's own options set the temperature and what is sampled from");
}

}  // namespace detail

}  // namespace graft
