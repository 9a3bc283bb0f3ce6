/// @file
/// @brief Where the virtual keys and values of a step are stored, and several of them put into one storage.
#pragma once

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include <graft/autograd/variable.hpp>
#include <graft/ops/gather.hpp>

namespace graft {

/// Rows [begin, begin + count) of a matrix, which several may share.
template <class Scalar, class Device>
struct BankRows {
  Variable<Scalar, Device> matrix;  ///< `[≥ begin + count, columns]`
  Index count = 0;
  Index begin = 0;
};
/// Pointers into steps.
template <class Scalar, class Device>
using BankRowsList = std::vector<BankRows<Scalar, Device>*>;

/// Steps that say where their banks are stored, with `bank_rows(list)`: an `AdapterTable` then stores those of all its
/// adapters together.
template <class Step, class Scalar, class Device>
concept HasBankRows = requires(Step& step, BankRowsList<Scalar, Device>& list) { step.bank_rows(list); };

namespace detail {

/// Adds a step's storages to the list, those of a composition's parts too.
template <class Scalar, class Device, class Step>
void list_bank_rows([[maybe_unused]] Step& step, [[maybe_unused]] BankRowsList<Scalar, Device>& list) {
  if constexpr (HasBankRows<Step, Scalar, Device>) step.bank_rows(list);
}
template <class Scalar, class Device, class... Parts>
void list_bank_rows(std::tuple<Parts...>& steps, BankRowsList<Scalar, Device>& list) {
  std::apply([&](auto&... step) { (list_bank_rows(step, list), ...); }, steps);
}

/// Stores matrices of the same width one behind the other in one: attention then reads all of them from one source. A
/// gradient of the one is split among them.
template <class Scalar, class Device>
void pool_bank_rows(BankRowsList<Scalar, Device> list) {
  auto const narrower = [](auto const* a, auto const* b) { return a->matrix.width() < b->matrix.width(); };
  std::stable_sort(list.begin(), list.end(), narrower);
  for (auto first = list.begin(); first != list.end();) {
    auto const last = std::upper_bound(first, list.end(), *first, narrower);
    if (last - first > 1) {
      std::vector<Variable<Scalar, Device>> parts;
      std::vector<std::pair<int, Index>> map;
      for (auto at = first; at != last; ++at) {
        auto& rows = **at;
        Index const begin = static_cast<Index>(map.size());
        for (Index i = 0; i < rows.count; ++i) map.emplace_back(static_cast<int>(parts.size()), rows.begin + i);
        parts.push_back(std::move(rows.matrix));
        rows.begin = begin;
      }
      auto const pool = assemble_rows(parts, map);
      for (auto at = first; at != last; ++at) (*at)->matrix = pool;
    }
    first = last;
  }
}

}  // namespace detail
}  // namespace graft
