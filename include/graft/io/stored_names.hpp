/// @file
/// @brief Under which names a checkpoint may hold a tensor, and which of its tensors nobody reads. The rules are
/// those of transformers 5.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/io/checkpoint.hpp>
#include <graft/models/config.hpp>

namespace graft::detail {

/// The module that a model with a head keeps its bare model in: checkpoints have names with and without it.
[[nodiscard]] inline std::string base_prefix(std::string_view architecture) {
  if (architecture == "gpt2" || architecture.starts_with("t5")) return "transformer.";
  if (architecture == "bert" || architecture == "roberta") return std::string(architecture) + ".";
  return "model.";
}

/// All names of a tensor in files, the best first: as the table has it, with or without the bare model's module, and
/// as TensorFlow called a norm's numbers.
[[nodiscard]] inline std::vector<std::string> spellings(std::string const& name, std::string_view architecture) {
  std::string const prefix = base_prefix(architecture);
  std::vector<std::string> names{name, name.starts_with(prefix) ? name.substr(prefix.size()) : prefix + name};
  for (auto const& [now, then] :
       {std::pair{"LayerNorm.weight", "LayerNorm.gamma"}, std::pair{"LayerNorm.bias", "LayerNorm.beta"}})
    if (name.ends_with(now))
      for (std::size_t i = 0; i < 2; ++i)
        names.push_back(names[i].substr(0, names[i].size() - std::string_view(now).size()) + then);
  return names;
}

/// The checkpoint's name of a tensor, or an empty one.
[[nodiscard]] inline std::string find_stored(Checkpoint const& checkpoint, std::string const& name,
                                             std::string_view architecture) {
  for (std::string const& spelling : spellings(name, architecture))
    if (checkpoint.contains(spelling)) return spelling;
  return {};
}

/// The table's names of the token embedding: encoder–decoders have one for each stack besides the shared one.
[[nodiscard]] inline std::vector<std::string> embedding_names(std::string_view type) {
  if (type == "gpt2") return {"transformer.wte.weight"};
  if (type.starts_with("t5")) return {"shared.weight", "decoder.embed_tokens.weight", "encoder.embed_tokens.weight"};
  if (type == "bart")
    return {"model.shared.weight", "model.decoder.embed_tokens.weight", "model.encoder.embed_tokens.weight"};
  if (type == "bert" || type == "roberta") return {std::string(type) + ".embeddings.word_embeddings.weight"};
  return {"model.embed_tokens.weight"};
}

/// The stored name of one of the table's tensors, where a tied model may hold it; `name` itself where the checkpoint
/// has none.
[[nodiscard]] inline std::string stored_name(Checkpoint const& checkpoint, std::string const& name,
                                             std::string_view architecture) {
  std::vector<std::string> names{name};
  if (name == embedding_names(architecture).front()) {
    names = embedding_names(architecture);
    names.push_back("lm_head.weight");
  }
  for (std::string const& one : names)
    if (std::string found = find_stored(checkpoint, one, architecture); !found.empty()) return found;
  return name;
}

/// Whether two tensors of a checkpoint hold the same numbers.
[[nodiscard]] inline bool same_tensor(Checkpoint const& checkpoint, std::string const& a, std::string const& b) {
  TensorEntry const first = checkpoint.entry(a), second = checkpoint.entry(b);
  if (first.shape != second.shape) return false;
  if (first.data && second.data && first.dtype == second.dtype)
    return first.data == second.data || std::memcmp(first.data, second.data, first.bytes) == 0;
  std::size_t const columns = first.shape.empty() ? 1 : static_cast<std::size_t>(first.shape.back());
  std::vector<double> left(columns), right(columns);
  for (std::size_t row = 0; row < Checkpoint::rows_of(first.shape); ++row) {
    checkpoint.read_rows(a, row, row + 1, left.data());
    checkpoint.read_rows(b, row, row + 1, right.data());
    if (left != right) return false;
  }
  return true;
}

/// Whether the head is its own although the configuration ties it: the file has one that differs from the embedding.
[[nodiscard]] inline bool head_differs(Checkpoint const& checkpoint, ModelConfig const& config) {
  std::string const head = find_stored(checkpoint, "lm_head.weight", config.architecture);
  if (head.empty()) return false;
  for (std::string const& name : embedding_names(config.architecture))
    if (std::string const embedding = find_stored(checkpoint, name, config.architecture); !embedding.empty())
      return !same_tensor(checkpoint, head, embedding);
  return false;  // a file with a head alone: it is the embedding too
}

/// Finds tensors for the sites of one model, and keeps account of what was found.
class StoredNames {
 public:
  /// @param tied whether the configuration lets the head and the stacks' embeddings stand in for each other
  StoredNames(Checkpoint const& checkpoint, ModelConfig const& config, bool tied)
      : checkpoint_(checkpoint), config_(config), tied_(tied) {}

  /// The stored name of a tensor, or `name` itself where the checkpoint has none.
  [[nodiscard]] std::string operator()(std::string const& name) {
    std::string found = name == embedding_names(config_.architecture).front()
                            ? embedding()
                            : find_stored(checkpoint_, name, config_.architecture);
    if (found.empty()) return name;
    read_.insert(found);
    return found;
  }

  /// A sentence that names the tensors that are neither read nor known to be of no use; empty where there are none.
  [[nodiscard]] std::string unread() const {
    std::vector<std::string> unread;
    for (std::string const& name : checkpoint_.names())
      if (!read_.contains(name) && !of_no_use(name)) unread.push_back(name);
    if (unread.empty()) return {};
    std::string list;
    std::size_t const shown = unread.size() > 4 ? 3 : unread.size();
    for (std::size_t i = 0; i < shown; ++i) list += (i == 0 ? "" : ", ") + printable(unread[i]);
    if (shown < unread.size()) list += cat(" and ", unread.size() - shown, " others");
    return cat("[", checkpoint_.path(), "] holds ", unread.size(), unread.size() == 1 ? " tensor" : " tensors",
               " that a ", config_.architecture, " of this configuration does not read: ", list);
  }

 private:
  /// The one table that all stacks and a tied head read. What the file has besides must be the same.
  [[nodiscard]] std::string embedding() {
    std::vector<std::string> names = embedding_names(config_.architecture);
    bool const stacks = names.size() > 1;
    if (stacks && !tied_) names.erase(names.begin());  // each stack reads its own then
    std::string first;
    for (std::string const& name : names) {
      std::string const found = find_stored(checkpoint_, name, config_.architecture);
      if (found.empty()) {
        if (stacks && !tied_)
          fail<FileError>("[", checkpoint_.path(), "] lacks the tensor ", printable(name),
                          ", and tie_word_embeddings is false; expected an embedding for each stack, or true");
        continue;
      }
      read_.insert(found);
      if (first.empty())
        first = found;
      else if (!same_tensor(checkpoint_, first, found))
        fail<FileError>("[", checkpoint_.path(), "] has different embeddings ", printable(first), " and ",
                        printable(found), "; expected one embedding for encoder and decoder");
    }
    if (stacks && !tied_)  // the shared one has no reader then
      if (std::string const shared =
              find_stored(checkpoint_, embedding_names(config_.architecture).front(), config_.architecture);
          !shared.empty() && same_tensor(checkpoint_, first, shared))
        read_.insert(shared);
    if (tied_)
      if (std::string const head = find_stored(checkpoint_, "lm_head.weight", config_.architecture);
          !head.empty() && (first.empty() || config_.tied_head)) {
        read_.insert(head);
        if (first.empty()) first = head;
      }
    return first;
  }

  /// Buffers of old releases that transformers passes over in silence: masks, position ids, rotary frequencies,
  /// versions.
  [[nodiscard]] bool of_no_use(std::string_view name) const {
    auto const has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
    if (name.ends_with("rotary_emb.inv_freq") || name == "position_ids" || name.ends_with(".position_ids")) return true;
    if (config_.architecture == "gpt2")
      return has(".attn.bias") || has(".attn.masked_bias") || name.starts_with("attn.bias");
    if (config_.architecture == "bart") return name.ends_with("encoder.version") || name.ends_with("decoder.version");
    return config_.architecture.starts_with("t5") &&
           name.ends_with("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight");
  }

  Checkpoint const& checkpoint_;
  ModelConfig const& config_;
  bool tied_;
  std::set<std::string> read_;
};

}  // namespace graft::detail
