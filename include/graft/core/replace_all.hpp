/// @file
/// @brief Replacing parts of a text.
#pragma once

#include <string>
#include <string_view>

namespace graft::detail {

/// Every occurrence of `what` in `text`, from left to right and without overlap, becomes `with`. `what` is not empty.
inline void replace_all(std::string& text, std::string_view what, std::string_view with) {
  if (text.find(what) == std::string::npos) return;
  std::string out;
  std::string_view rest = text;
  for (std::size_t at; (at = rest.find(what)) != std::string_view::npos; rest.remove_prefix(at + what.size()))
    out.append(rest.substr(0, at)).append(with);
  text = out.append(rest);
}

}  // namespace graft::detail
