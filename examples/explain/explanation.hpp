/// @file
/// @brief What `explain` found out about an adapter on a text, and its two forms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/inspect/inspection.hpp>
#include <graft/inspect/near_words.hpp>

namespace explain {

/// A word beside a virtual token, as people read it.
struct Word {
  graft::NearWord near;
  std::string text;
};
struct VirtualToken {
  graft::VirtualTokenWords place;
  std::vector<Word> by_cosine, by_distance;
};

/// The states of one layer with the adapter and without, over the text's own tokens.
struct LayerNorms {
  graft::LayerAddress at;
  double adapted = 0, base = 0;  ///< median of √Σx² over the tokens
  double change = 0;             ///< median of ‖adapted − base‖ / ‖base‖ over the tokens
};

struct Explanation {
  std::string model, architecture, adapter, strategy;
  std::string source, target;
  bool written = false;                                 ///< whether the target is what the adapted model writes
  std::optional<double> loss, base_loss;                ///< mean −log p of the target's tokens
  std::optional<int> label;                             ///< what an adapted classifier says
  std::vector<std::string> source_words, target_words;  ///< of the tokens that a stack reads, by their index in the row
  std::vector<VirtualToken> virtual_tokens;
  std::vector<graft::AttentionMap> attention;
  std::vector<LayerNorms> norms;
};

/// What a query or key is, in words: `prefix 3`, `virtual 0`, or the token's own text.
[[nodiscard]] std::string name_of(Explanation const& found, graft::SeenToken const& token, graft::Stack stack);
[[nodiscard]] char const* name_of(graft::SeenKind kind);
[[nodiscard]] char const* name_of(graft::Stack stack);
/// The kinds that occur among tokens, in the order of the enumeration.
[[nodiscard]] std::vector<graft::SeenKind> kinds_of(std::vector<graft::SeenToken> const& tokens);
/// Which attention: encoder, decoder, or cross (a decoder's over its encoder).
[[nodiscard]] std::string name_of(graft::AttentionMap const& map);
/// The stack that an attention's keys are of.
[[nodiscard]] graft::Stack keys_of(graft::AttentionMap const& map);

/// @param weights whether every single attention weight is in it
[[nodiscard]] nlohmann::ordered_json to_json(Explanation const& found, bool weights);
[[nodiscard]] std::string to_text(Explanation const& found);
/// A page that needs no other file.
[[nodiscard]] std::string to_html(Explanation const& found);

}  // namespace explain
