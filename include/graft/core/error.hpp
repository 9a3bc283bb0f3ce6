/// @file
/// @brief The library's exceptions, and the one way to raise them.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace graft {

/// Base of everything the library throws. The message is one sentence: `[op or file] what; got …; expected …; hint`.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Operands or settings whose shapes do not fit.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A file that is missing, truncated, malformed, or that cannot be written.
class FileError : public Error {
 public:
  using Error::Error;
};

/// A setting, configuration or request that cannot be carried out as asked.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// A computation that left the numbers (NaN or infinite loss, singular scale).
class NumericError : public Error {
 public:
  using Error::Error;
};

/// Joins the printed forms of its arguments: `cat("got ", 3, " rows")`.
template <class... Parts>
[[nodiscard]] std::string cat(Parts const&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Throws `E` with the joined parts as message: `fail<ShapeError>("[linear] got width ", 3, "; expected ", 4)`.
template <class E = Error, class... Parts>
[[noreturn]] void fail(Parts const&... parts) {
  throw E(cat(parts...));
}

}  // namespace graft
