/// @file
/// @brief The decoder of tokenizer.json.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tokenizer_component.hpp>
#include <graft/io/tokenizer_pre_tokenizer.hpp>
#include <graft/text/decoder.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace graft::detail {

/// `Strip` behind `Fuse`: what the text loses where it begins.
inline void read_strip(std::string const& source, nlohmann::json const& member, decoding::Pieces& decoder) {
  decoder.strip = read_short_text(source, member, "content");
  if (count_characters(decoder.strip) != 1) unsupported(source, "content of Strip", decoder.strip, "one character");
  auto const most = json_at<std::uint64_t>(source, member, "start");
  decoder.strip_most = static_cast<std::size_t>(most);
  if (auto const stop = json_at<std::uint64_t>(source, member, "stop"); stop != 0)
    unsupported(source, "stop of Strip", std::to_string(stop), "0: streamed text cannot be taken back");
}

/// `Replace`s, `ByteFallback`, `Fuse`, and `Strip` or `Metaspace`, each of which may be missing, in this order.
[[nodiscard]] inline decoding::Pieces read_pieces_decoder(std::string const& source,
                                                          std::vector<nlohmann::json const*> const& members) {
  decoding::Pieces decoder;
  int place = 0;  // of the member that came last
  for (auto const* const member : members) {
    std::string const type = component_type(source, *member);
    int const now = type == "Replace"                        ? 0
                    : type == "ByteFallback"                 ? 1
                    : type == "Fuse"                         ? 2
                    : type == "Strip" || type == "Metaspace" ? 3
                                                             : -1;
    bool const fits = now > place || (now == 0 && place == 0);
    if (!fits || (type == "Strip" && place != 2) || (type == "Metaspace" && place == 2))
      unsupported(source, "decoder", type,
                  "ByteLevel, WordPiece, Metaspace, or a Sequence of Replace, ByteFallback, Fuse and Strip");
    place = now;
    if (type == "Replace") {
      auto [pattern, regex] = read_replace_pattern(source, *member);
      if (regex) unsupported(source, "pattern of a decoder's Replace", pattern, "a String");
      if (decoder.replacements.size() >= 16) unsupported(source, "decoder", "more than 16 of Replace", "fewer");
      decoder.replacements.emplace_back(std::move(pattern), read_short_text(source, *member, "content"));
    } else if (type == "ByteFallback") {
      decoder.byte_runs = decoding::ByteRuns::whole;
    } else if (type == "Strip") {
      read_strip(source, *member, decoder);
    } else if (type == "Metaspace") {
      decoder.metaspaces = true;
      bool const prefix = read_metaspace(source, *member).prefix != PrefixSpace::never;
      decoder.leading = prefix ? decoding::LeadingSpaces::drop_in_first : decoding::LeadingSpaces::keep;
    }
  }
  return decoder;
}

[[nodiscard]] inline Decoder read_decoder(std::string const& source, nlohmann::json const& root) {
  if (is_absent(root, "decoder")) return decoding::Spaces{};
  auto const members = flattened(source, root["decoder"], "decoders");
  std::string const first = members.empty() ? "an empty Sequence" : component_type(source, *members.front());
  if (members.empty()) unsupported(source, "decoder", first, "at least one");
  if (first != "ByteLevel" && first != "WordPiece") return read_pieces_decoder(source, members);
  if (members.size() != 1) unsupported(source, "decoder", "Sequence", "one " + first);
  if (first == "ByteLevel") return decoding::ByteLevel{};
  decoding::WordPiece decoder;
  if (members.front()->contains("prefix")) decoder.prefix = read_short_text(source, *members.front(), "prefix");
  decoder.cleanup = json_or<bool>(source, *members.front(), "cleanup", true);
  return decoder;
}

}  // namespace graft::detail
