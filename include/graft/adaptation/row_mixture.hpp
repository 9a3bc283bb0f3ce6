/// @file
/// @brief Rows that were computed apart, put together again.
#pragma once

#include <utility>
#include <vector>

#include <graft/ops/gather.hpp>

namespace graft {

/// An activation `[tokens, width]` some of whose rows are replaced by others.
template <class Scalar, class Device>
class RowMixture {
 public:
  using Value = Variable<Scalar, Device>;

  /// @param base what stays where nothing is put; empty where every row is replaced
  RowMixture(Value base, Index tokens) : base_(std::move(base)) {
    if (!base_.empty()) sources_.push_back(base_);
    for (Index i = 0; i < tokens; ++i) map_.emplace_back(0, i);
  }
  [[nodiscard]] Value const& base() const { return base_; }
  /// Puts row k of `part` at `places[k]`.
  void put(Value part, std::vector<Index> const& places) {
    auto const source = static_cast<int>(sources_.size());
    sources_.push_back(std::move(part));
    for (std::size_t k = 0; k < places.size(); ++k)
      map_[static_cast<std::size_t>(places[k])] = {source, static_cast<Index>(k)};
  }
  [[nodiscard]] Value result() const {
    return sources_.size() == 1 && !base_.empty() ? base_ : assemble_rows(sources_, map_);
  }

 private:
  Value base_;
  std::vector<Value> sources_;
  std::vector<std::pair<int, Index>> map_;
};

}  // namespace graft
