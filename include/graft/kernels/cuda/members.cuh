/// @file
/// @brief A struct's members without what lies between them.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

namespace graft::kernels::cuda {

/// Stands for a value of any type where members are counted.
struct AnyValue {
  template <class T>
  operator T() const;
};
template <class T, std::size_t... i>
constexpr bool has_members(std::index_sequence<i...>) {
  return requires { T{(static_cast<void>(i), AnyValue{})...}; };
}
/// How many members an aggregate without arrays and bases has.
template <class T, std::size_t most = 14>
constexpr std::size_t member_count() {
  static_assert(most > 0 || std::is_empty_v<T>);
  if constexpr (most == 0 || has_members<T>(std::make_index_sequence<most>()))
    return most;
  else
    return member_count<T, most - 1>();
}

/// `f` of every member.
template <class T, class F>
void each_member(T const& x, F const& f) {
  constexpr std::size_t count = member_count<T>();
  auto const all = [&](auto const&... members) { (f(members), ...); };
  if constexpr (count == 1) {
    auto const& [a] = x;
    all(a);
  } else if constexpr (count == 2) {
    auto const& [a, b] = x;
    all(a, b);
  } else if constexpr (count == 3) {
    auto const& [a, b, c] = x;
    all(a, b, c);
  } else if constexpr (count == 4) {
    auto const& [a, b, c, d] = x;
    all(a, b, c, d);
  } else if constexpr (count == 5) {
    auto const& [a, b, c, d, e] = x;
    all(a, b, c, d, e);
  } else if constexpr (count == 6) {
    auto const& [a, b, c, d, e, g] = x;
    all(a, b, c, d, e, g);
  } else if constexpr (count == 7) {
    auto const& [a, b, c, d, e, g, h] = x;
    all(a, b, c, d, e, g, h);
  } else if constexpr (count == 8) {
    auto const& [a, b, c, d, e, g, h, i] = x;
    all(a, b, c, d, e, g, h, i);
  } else if constexpr (count == 9) {
    auto const& [a, b, c, d, e, g, h, i, j] = x;
    all(a, b, c, d, e, g, h, i, j);
  } else if constexpr (count == 10) {
    auto const& [a, b, c, d, e, g, h, i, j, k] = x;
    all(a, b, c, d, e, g, h, i, j, k);
  } else if constexpr (count == 11) {
    auto const& [a, b, c, d, e, g, h, i, j, k, l] = x;
    all(a, b, c, d, e, g, h, i, j, k, l);
  } else if constexpr (count == 12) {
    auto const& [a, b, c, d, e, g, h, i, j, k, l, m] = x;
    all(a, b, c, d, e, g, h, i, j, k, l, m);
  } else {
    static_assert(count == 0, "a struct with so many members is copied by its bytes: give it a constructor");
  }
}

/// Copies a trivially copyable object to memory that is all zero. What lies between members stays zero, so that equal
/// objects become equal bytes. A class with constructors is copied as it lies in memory; where it has
/// gaps, equal objects may differ.
template <class T>
void copy_members(T const& x, std::byte* to) {
  static_assert(std::is_trivially_copyable_v<T>);
  if constexpr (!std::is_aggregate_v<T> || std::has_unique_object_representations_v<T>) {
    std::memcpy(to, &x, sizeof x);
  } else {
    each_member(x, [&](auto const& member) {
      copy_members(member, to + (reinterpret_cast<std::byte const*>(&member) - reinterpret_cast<std::byte const*>(&x)));
    });
  }
}

}  // namespace graft::kernels::cuda
