/// @file
/// @brief The names of the strategies' enumerations in files.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/hooks.hpp>
#include <graft/adaptation/init.hpp>
#include <graft/adaptation/key_bank.hpp>
#include <graft/adaptation/parallel_adapter.hpp>
#include <graft/adaptation/prompt_encoder.hpp>
#include <graft/adaptation/virtual_tokens.hpp>

namespace graft {

/// Specialize it for an enumeration of your own strategy; one without names is stored as its number.
template <class Enum>
struct EnumNames;

template <>
struct EnumNames<Place> {
  static constexpr std::array values{std::pair{Place::front, "front"}, std::pair{Place::infix, "infix"}};
};
template <>
struct EnumNames<Side> {
  static constexpr std::array values{std::pair{Side::source, "source"}, std::pair{Side::target, "target"},
                                     std::pair{Side::both, "both"}};
};
template <>
struct EnumNames<PositionPolicy> {
  static constexpr std::array values{std::pair{PositionPolicy::shift, "shift"}, std::pair{PositionPolicy::keep, "keep"},
                                     std::pair{PositionPolicy::automatic, "automatic"}};
};
template <>
struct EnumNames<PrefixScope> {
  static constexpr std::array values{std::pair{PrefixScope::all, "all"}, std::pair{PrefixScope::decoder, "decoder"},
                                     std::pair{PrefixScope::peft_decoder, "peft_decoder"}};
};
template <>
struct EnumNames<Pooling> {
  static constexpr std::array values{std::pair{Pooling::first_virtual, "first_virtual"},
                                     std::pair{Pooling::first_token, "first_token"}};
};
template <>
struct EnumNames<Init> {
  static constexpr std::array values{std::pair{Init::normal, "normal"}, std::pair{Init::uniform, "uniform"},
                                     std::pair{Init::vocabulary, "vocabulary"}, std::pair{Init::words, "words"}};
};
template <>
struct EnumNames<AdapterPlacement> {
  static constexpr std::array values{std::pair{AdapterPlacement::between_layers, "between_layers"},
                                     std::pair{AdapterPlacement::houlsby, "houlsby"},
                                     std::pair{AdapterPlacement::pfeiffer, "pfeiffer"}};
};
template <>
struct EnumNames<PromptEncoderKind> {
  static constexpr std::array values{std::pair{PromptEncoderKind::mlp, "mlp"},
                                     std::pair{PromptEncoderKind::lstm, "lstm"}};
};
template <>
struct EnumNames<ParallelPlacement> {
  static constexpr std::array values{std::pair{ParallelPlacement::feed_forward, "feed_forward"},
                                     std::pair{ParallelPlacement::attention, "attention"},
                                     std::pair{ParallelPlacement::both, "both"}};
};
template <>
struct EnumNames<Activation> {
  static constexpr std::array values{std::pair{Activation::gelu, "gelu"}, std::pair{Activation::gelu_tanh, "gelu_tanh"},
                                     std::pair{Activation::silu, "silu"}, std::pair{Activation::relu, "relu"},
                                     std::pair{Activation::tanh, "tanh"}};
};

template <class Enum>
concept NamedEnum = std::is_enum_v<Enum> && requires { EnumNames<Enum>::values.size(); };

/// The name of an enumerator. @throws ConfigError for a value that is none
template <NamedEnum Enum>
[[nodiscard]] std::string_view enum_name(Enum value) {
  for (auto const& [own, name] : EnumNames<Enum>::values)
    if (own == value) return name;
  fail<ConfigError>("[settings] got the value ", static_cast<long long>(value),
                    " of an enumeration; expected one of its enumerators");
}

/// The enumerator of this name, where there is one.
template <NamedEnum Enum>
[[nodiscard]] std::optional<Enum> enum_value(std::string_view name) {
  for (auto const& [value, own] : EnumNames<Enum>::values)
    if (own == name) return value;
  return std::nullopt;
}

/// All names, for messages: `front, infix`.
template <NamedEnum Enum>
[[nodiscard]] std::string enum_choices() {
  std::string text;
  for (auto const& item : EnumNames<Enum>::values) text += (text.empty() ? "" : ", ") + std::string(item.second);
  return text;
}

}  // namespace graft
