/// @file
/// @brief How settings are described: a static `visit` names each of them, with a sentence that says what it is.
///
///     template <class Self, class Visitor>
///     static void visit(Self& self, Visitor&& visitor) {
///       visitor("rank", self.rank, "rank of the trained product");
///     }
///
/// The sentence may be left out. From `visit` derive files, the identity of a training, command lines and tables of
/// the documentation.
#pragma once

#include <type_traits>

namespace graft {

namespace detail {

/// Hands on what `visit` says, to a function of name, setting and sentence, or of name and setting alone.
template <class F>
struct SettingVisitor {
  F const& f;

  template <class T>
  void operator()(char const* name, T& setting, [[maybe_unused]] char const* help = "") const {
    if constexpr (std::is_invocable_v<F const&, char const*, T&, char const*>)
      f(name, setting, help);
    else
      f(name, setting);
  }
};

/// A visitor that does nothing, to ask whether a type can be visited.
struct AnySetting {
  template <class T>
  void operator()(char const*, T&, char const* = "") const {}
};

}  // namespace detail

/// An aggregate of settings with a static `visit(self, visitor)`.
template <class T>
concept VisitedSettings = std::is_class_v<T> && requires(T& settings) { T::visit(settings, detail::AnySetting{}); };

/// Calls `f(name, setting, help)` or `f(name, setting)` for every setting that `visit` names, in its order; a setting
/// that is const in `settings` is const for `f`. The sentence `help` is empty where `visit` gives none.
template <class Settings, class F>
void each_setting(Settings& settings, F const& f) {
  std::remove_const_t<Settings>::visit(settings, detail::SettingVisitor<F>{f});
}

}  // namespace graft
