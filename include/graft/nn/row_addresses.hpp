/// @file
/// @brief What addresses the random numbers of a step's tokens.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <graft/core/random.hpp>
#include <graft/nn/rows.hpp>
#include <graft/ops/token_addresses.hpp>

namespace graft {

/// The rows' addresses, of step and example: those that a pass has made for all layers, or new ones.
/// @throws ShapeError where rows do not say which examples they are
[[nodiscard]] inline std::shared_ptr<TokenAddresses const> addresses_of(Rows const& rows) {
  if (rows.addresses) return rows.addresses;
  std::vector<std::uint64_t> addresses(rows.examples.size());
  std::transform(rows.examples.begin(), rows.examples.end(), addresses.begin(),
                 [&](std::uint64_t example) { return RandomKey(rows.step).with(example).bits(0); });
  return std::make_shared<TokenAddresses const>(rows.offsets, std::move(addresses));
}
/// Makes them for all layers of a pass in which dropout may act.
inline void share_addresses(Rows& rows) {
  rows.addresses = nullptr;
  if (rows.training && static_cast<Index>(rows.examples.size()) == rows.count()) rows.addresses = addresses_of(rows);
}

}  // namespace graft
