/// @file
/// @brief The library's exceptions, and the one way to raise them.
#pragma once

#include <initializer_list>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

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

/// Memory of a GPU that a request does not fit into. (The host's own is std::bad_alloc.)
class MemoryError : public Error {
 public:
  using Error::Error;
};

namespace detail {

/// One part of a message. What prints it is compiled once a type and not once a message, of which the library has
/// hundreds.
class MessagePart {
 public:
  template <class T>
  explicit MessagePart(T const& value) {
    if constexpr (std::is_convertible_v<T const&, std::string_view>) {
      text_ = value;
    } else {
      value_ = &value;
      print_ = [](std::ostream& out, void const* printed) { out << *static_cast<T const*>(printed); };
    }
  }
  void print(std::ostream& out) const { print_ ? print_(out, value_) : static_cast<void>(out << text_); }

 private:
  std::string_view text_;
  void const* value_ = nullptr;
  void (*print_)(std::ostream&, void const*) = nullptr;
};

[[nodiscard]] inline std::string join(std::initializer_list<MessagePart> parts) {
  std::ostringstream out;
  for (MessagePart const& part : parts) part.print(out);
  return out.str();
}

}  // namespace detail

/// Joins the printed forms of its arguments: `cat("got ", 3, " rows")`.
template <class... Parts>
[[nodiscard]] std::string cat(Parts const&... parts) {
  return detail::join({detail::MessagePart(parts)...});
}

/// Throws `E` with the joined parts as message: `fail<ShapeError>("[linear] got width ", 3, "; expected ", 4)`.
template <class E = Error, class... Parts>
[[noreturn]] void fail(Parts const&... parts) {
  throw E(detail::join({detail::MessagePart(parts)...}));
}

}  // namespace graft
