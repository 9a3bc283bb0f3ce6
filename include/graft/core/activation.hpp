/// @file
/// @brief The activation functions of transformers by their names.
#pragma once

#include <optional>
#include <string_view>

#include <graft/core/error.hpp>

namespace graft {

/// The nonlinearity of a feed-forward block.
enum class Activation {
  gelu,       ///< x·Φ(x) with the normal distribution Φ (Hendrycks & Gimpel 2016)
  gelu_tanh,  ///< its approximation x/2·(1 + tanh(√(2/π)(x + 0.044715x³)))
  silu,       ///< x·σ(x) (also called swish)
  relu,       ///< max(x, 0)
  tanh
};

/// Whether the derivative is computed from the function's output, so that its input need not be kept.
[[nodiscard]] constexpr bool keeps_output(Activation f) { return f == Activation::relu || f == Activation::tanh; }

/// Hugging Face's names of the activations, for messages.
inline constexpr std::string_view activation_names =
    "gelu, gelu_python, gelu_new, gelu_pytorch_tanh, gelu_python_tanh, gelu_accurate, gelu_fast, silu, swish, relu or "
    "tanh";

/// The activation that Hugging Face's configurations call `name`; nothing for a name that stands for none of
/// `Activation`'s.
[[nodiscard]] inline std::optional<Activation> find_activation(std::string_view name) {
  if (name == "gelu" || name == "gelu_python") return Activation::gelu;
  for (std::string_view const tanh :
       {"gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate", "gelu_fast"})
    if (name == tanh) return Activation::gelu_tanh;
  if (name == "silu" || name == "swish") return Activation::silu;
  if (name == "relu") return Activation::relu;
  if (name == "tanh") return Activation::tanh;
  return std::nullopt;
}

/// The activation that Hugging Face's configurations call `name`.
/// @throws ConfigError for a name that stands for none of `Activation`'s.
[[nodiscard]] inline Activation activation_from_name(std::string_view name) {
  auto const found = find_activation(name);
  if (!found) fail<ConfigError>("[activation] got the name \"", name, "\"; expected ", activation_names);
  return *found;
}

}  // namespace graft
