/// @file
/// @brief What is no error and still must not pass in silence: one sentence on standard error, once.
#pragma once

#include <cstdio>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include <graft/core/error.hpp>

namespace graft {

/// Takes the sentences of `warn`.
using WarningHandler = std::function<void(std::string const&)>;

namespace detail {

struct Warnings {
  std::mutex mutex;
  std::set<std::string> said;
  WarningHandler handler = [](std::string const& sentence) { std::fprintf(stderr, "warning: %s\n", sentence.c_str()); };
};

[[nodiscard]] inline Warnings& warnings() {
  static Warnings* const all = new Warnings;  // never destroyed: a thread may still warn while the process ends
  return *all;
}

inline void say_warning(std::string const& sentence) {
  Warnings& all = warnings();
  std::lock_guard const lock(all.mutex);
  if (all.said.insert(sentence).second && all.handler) all.handler(sentence);
}

}  // namespace detail

/// Says the joined parts, a sentence like an error's (`[file] what; got …; hint`), on standard error; the same sentence
/// once in a process. May be called from several threads.
template <class... Parts>
void warn(Parts const&... parts) {
  detail::say_warning(detail::join({detail::MessagePart(parts)...}));
}

/// Puts `handler` in the place of standard error, for programs that show or collect warnings themselves, and forgets
/// what has been said; returns the one before. An empty handler drops them. The handler must not call `warn`.
inline WarningHandler set_warning_handler(WarningHandler handler) {
  detail::Warnings& all = detail::warnings();
  std::lock_guard const lock(all.mutex);
  all.said.clear();
  return std::exchange(all.handler, std::move(handler));
}

}  // namespace graft
