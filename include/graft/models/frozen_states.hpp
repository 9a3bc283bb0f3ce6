/// @file
/// @brief What never changes of rows in a training, kept from one epoch to the next: states of layers below the lowest
/// trained one, or keys and values.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <graft/adaptation/call_hooks.hpp>
#include <graft/core/checksum.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/models/architecture.hpp>
#include <graft/nn/rows.hpp>

namespace graft {

/// Whether a strategy does nothing but train some of the model's own weights.
template <class State, class Scalar, class Device>
inline constexpr bool only_trains_weights =
    HasTrained<State> && !HasAnnounce<State> && !HasProject<State, Scalar, Device> &&
    !HasVirtualTokens<State, Scalar, Device> && !HasVirtualKeysValues<State, Scalar, Device> &&
    !HasAfterSublayer<State, Scalar, Device> && !HasAfterLayer<State, Scalar, Device>;

/// Whether a strategy does nothing but add virtual tokens, keys and values to rows.
template <class State, class Scalar, class Device>
inline constexpr bool only_adds_to_rows =
    HasAnnounce<State> && !HasTrained<State> && !HasProject<State, Scalar, Device> &&
    !HasAfterSublayer<State, Scalar, Device> && !HasAfterLayer<State, Scalar, Device>;

/// Whether all that a strategy adds to rows stands at their insertion: in a decoder the tokens before it do not see it.
[[nodiscard]] inline bool all_at_insertion(Additions const& additions) {
  auto const there = [](Additions::Group const& group) { return group.place == Place::infix; };
  return std::all_of(additions.tokens.begin(), additions.tokens.end(), there) &&
         std::all_of(additions.keys.begin(), additions.keys.end(), there);
}

/// How many of a stack's first layers never change. Of strategies that only train weights these are the layers below
/// the lowest with a trained one; none where what they read is trained, such as the token embedding. Of strategies that
/// only add to rows, all layers of an encoder to whose rows nothing is added. Of others it is 0.
template <class Scalar, class Device, class State>
[[nodiscard]] Index frozen_layers(ModelInfo const& model, State const& state, Stack stack) {
  if constexpr (only_trains_weights<State, Scalar, Device>) {
    Index frozen = model.stack(stack).layers;
    for (auto const& site : model.sites) {
      if (!state.trained(site.address, Part::weight) && !state.trained(site.address, Part::bias)) continue;
      bool const encodes =
          site.address.at.stack == Stack::encoder && stack == Stack::decoder && model.has(Stack::encoder);
      if (is_per_layer(site.address.site)) {
        if (encodes) return 0;  // every layer of the decoder reads the encoder's states
        if (site.address.at.stack == stack) frozen = std::min<Index>(frozen, site.address.at.layer);
      } else if (site.role == Role::embedding || site.address.site == Site::embedding_norm ||
                 site.address.site == Site::relative_bias || encodes) {
        return 0;
      }
    }
    return frozen;
  } else if constexpr (only_adds_to_rows<State, Scalar, Device>) {
    if (stack != Stack::encoder || !model.main().crosses) return 0;
    Additions additions;
    state.announce(additions);
    auto const joins = [&](Additions::Group const& group) { return group.stack == stack; };
    bool const changed = std::any_of(additions.tokens.begin(), additions.tokens.end(), joins) ||
                         std::any_of(additions.keys.begin(), additions.keys.end(), joins);
    return changed ? 0 : model.stack(stack).layers;
  } else {
    return 0;
  }
}

/// States of rows by their content: tokens, positions, types, and what they go on from and attend to. Several threads
/// may use one.
template <class Scalar, class Device>
class FrozenStates {
 public:
  using Key = std::array<std::uint64_t, 2>;  ///< two checksums of a row's content

  /// @param bytes at most; what finds no room is not kept
  explicit FrozenStates(std::size_t bytes) : most_(bytes) {}

  /// The keys of rows. @param of what else each row's states depend on: the keys of its sources; empty for nothing
  [[nodiscard]] static std::vector<Key> keys(Rows const& rows, std::vector<Token> const& tokens, Stack stack,
                                             std::vector<Key> const& of = {}) {
    std::vector<Key> keys;
    for (Index r = 0; r < rows.count(); ++r) {
      auto const begin = static_cast<std::size_t>(rows.begin(r)), length = static_cast<std::size_t>(rows.length(r));
      Key key{2 * length + (stack == Stack::encoder ? 1 : 0), ~std::uint64_t{length}};
      auto const add = [&](auto const* data, std::size_t count) {
        for (std::uint64_t& part : key) part = checksum(data, count * sizeof *data, part);
      };
      if (Index const parent = rows.parent_of(r); parent >= 0)
        add(keys[static_cast<std::size_t>(parent)].data(), key.size());
      if (!of.empty()) add(of[static_cast<std::size_t>(r)].data(), key.size());
      add(tokens.data() + begin, length);
      add(rows.positions.data() + begin, length);
      if (!rows.token_types.empty()) add(rows.token_types.data() + begin, length);
      keys.push_back(key);
    }
    return keys;
  }

  /// `[tokens, width]`: the rows' states as they were kept, if all of them were. Else `compute()`, which is kept then.
  template <class Compute>
  [[nodiscard]] Tensor<Scalar, Device> states(Rows const& rows, std::vector<Key> const& keys, Index width,
                                              Compute const& compute) {
    if (auto const known = find(rows, keys); !known.empty()) {
      Tensor<Scalar, Device> x(Shape{rows.tokens(), width});
      std::vector<Copy> copies;
      for (Index r = 0; r < rows.count(); ++r)
        if (rows.length(r) > 0)
          copies.push_back({known[static_cast<std::size_t>(r)].data(), x.row(rows.begin(r)), rows.length(r) * width});
      Copies::copy(copies);
      return x;
    }
    Tensor<Scalar, Device> const x = compute();
    keep(rows, keys, x);
    return x;
  }
  /// What a row of so many tokens takes.
  [[nodiscard]] static std::size_t bytes_of(Index tokens, Index width) {
    return static_cast<std::size_t>(tokens * width) * sizeof(Scalar) + bytes_of_a_row;
  }
  /// Bytes that are taken.
  [[nodiscard]] std::size_t bytes() const {
    std::lock_guard<std::mutex> const lock(mutex_);
    return bytes_;
  }

 private:
  using Copies = kernels::On<Device, kernels::Elementwise, Scalar>;
  using Copy = typename kernels::Elementwise<Device, Scalar>::Copy;

  /// What a row takes besides its numbers, about.
  static constexpr std::size_t bytes_of_a_row = 256;

  /// The states of all rows; empty unless each that has tokens is there.
  [[nodiscard]] std::vector<Tensor<Scalar, Device>> find(Rows const& rows, std::vector<Key> const& keys) const {
    std::lock_guard<std::mutex> const lock(mutex_);
    std::vector<Tensor<Scalar, Device>> found(keys.size());
    for (std::size_t r = 0; r < keys.size(); ++r) {
      if (rows.length(static_cast<Index>(r)) == 0) continue;
      auto const known = kept_.find(keys[r]);
      if (known == kept_.end()) return {};
      found[r] = known->second;
    }
    return found;
  }
  /// Copies are made outside the lock, which nobody may hold while waiting for the threads of the pool.
  void keep(Rows const& rows, std::vector<Key> const& keys, Tensor<Scalar, Device> const& x) {
    std::vector<std::pair<Key, Tensor<Scalar, Device>>> made;
    std::vector<Copy> copies;
    {
      std::lock_guard<std::mutex> const lock(mutex_);
      std::size_t bytes = bytes_;
      for (Index r = 0; r < rows.count(); ++r) {
        auto const& key = keys[static_cast<std::size_t>(r)];
        std::size_t const size = bytes_of(rows.length(r), x.width());
        if (rows.length(r) == 0 || bytes + size > most_ || kept_.contains(key)) continue;
        bytes += size;
        made.emplace_back(key, Tensor<Scalar, Device>(Shape{rows.length(r), x.width()}));
        copies.push_back({x.row(rows.begin(r)), made.back().second.data(), rows.length(r) * x.width()});
      }
    }
    if (made.empty()) return;
    Copies::copy(copies);
    std::lock_guard<std::mutex> const lock(mutex_);
    for (auto& [key, states] : made) {
      std::size_t const size = bytes_of(states.rows(), states.width());
      if (bytes_ + size <= most_ && kept_.try_emplace(key, std::move(states)).second) bytes_ += size;
    }
  }

  std::size_t most_;
  mutable std::mutex mutex_;
  std::map<Key, Tensor<Scalar, Device>> kept_;
  std::size_t bytes_ = 0;
};

}  // namespace graft
