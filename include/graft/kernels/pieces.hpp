/// @file
/// @brief Work on several arrays that is started together.
#pragma once

#include <graft/core/types.hpp>

namespace graft::kernels {

/// One of several loops over elements.
template <class F>
struct Piece {
  F f;
  Index size;
};

/// One of several loops over the rows, or down the columns, of a matrix [rows, width].
template <class F>
struct RowsPiece {
  F f;
  Index rows, width;
};

}  // namespace graft::kernels
