/// @file
/// @brief Text files: whole, valid UTF-8, with lines that know their numbers.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <graft/core/error.hpp>
#include <graft/core/presence.hpp>
#include <graft/text/utf8.hpp>
#include <ios>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

/// The whole file, without a byte order mark.
/// @throws FileError when it is missing, a folder, unreadable, or not UTF-8 (with the line number)
[[nodiscard]] inline std::string read_text_file(std::filesystem::path const& path) {
  if (!is_there(path)) fail<FileError>("[", path.string(), "] no such file; expected a readable text file");
  if (is_folder(path)) fail<FileError>("[", path.string(), "] is a folder; expected a text file");
  std::ifstream in(path, std::ios::binary);
  if (!in)
    fail<FileError>("[", path.string(), "] cannot be opened; got '", std::strerror(errno),
                    "'; expected a readable text file");
  std::string text;
  std::vector<char> piece(std::size_t{1} << 16);
  errno = 0;
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0)
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  if (in.bad())
    fail<FileError>("[", path.string(), "] cannot be read; got '", std::strerror(errno), "' after ", text.size(),
                    " bytes; expected a readable text file");
  if (std::size_t const bad = valid_utf8_prefix(text); bad != text.size()) {
    auto const line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n');
    fail<FileError>("[", path.string(), "] line ", line, ": not valid UTF-8; got byte ",
                    static_cast<unsigned>(static_cast<unsigned char>(text[bad])), " at offset ", bad,
                    "; expected UTF-8; convert the file, for instance with iconv");
  }
  if (text.compare(0, 3, "\xef\xbb\xbf") == 0) text.erase(0, 3);
  return text;
}

/// A line without its line break, counted from 1.
struct TextLine {
  std::string_view text;
  std::size_t number = 0;
};

/// Lines of `text` (which must outlive them), ended by LF or CR LF; a line break at the very end starts no further
/// line.
[[nodiscard]] inline std::vector<TextLine> split_lines(std::string_view text) {
  std::vector<TextLine> lines;
  for (std::size_t start = 0; start < text.size();) {
    std::size_t const found = text.find('\n', start);
    std::size_t const end = found == std::string_view::npos ? text.size() : found;
    std::string_view line = text.substr(start, end - start);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.push_back({line, lines.size() + 1});
    start = end + 1;
  }
  return lines;
}

/// `text` without ASCII white space at both ends.
[[nodiscard]] inline std::string_view trim(std::string_view text) {
  constexpr std::string_view space = " \t\r\n\f\v";
  std::size_t const first = text.find_first_not_of(space);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(space) - first + 1);
}

}  // namespace graft
