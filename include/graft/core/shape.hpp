/// @file
/// @brief The extents of a tensor, row-major, of rank 0 to 4.
#pragma once

#include <array>
#include <initializer_list>
#include <ostream>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// Extents of a dense row-major tensor. Rank 0 is a scalar of one element.
class Shape {
 public:
  static constexpr int max_rank = 4;

  Shape() = default;
  Shape(std::initializer_list<Index> extents) : Shape(extents.begin(), extents.end()) {}
  explicit Shape(std::vector<Index> const& extents) : Shape(extents.begin(), extents.end()) {}

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] Index operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  /// Number of elements.
  [[nodiscard]] Index size() const {
    Index product = 1;
    for (int axis = 0; axis < rank_; ++axis) product *= (*this)[axis];
    return product;
  }
  /// Elements of one row: the product of all extents but the first.
  [[nodiscard]] Index width() const {
    Index product = 1;
    for (int axis = 1; axis < rank_; ++axis) product *= (*this)[axis];
    return product;
  }
  /// The same with another first extent.
  [[nodiscard]] Shape with_rows(Index rows) const {
    Shape shape = *this;
    if (shape.rank_ == 0) shape.rank_ = 1;
    shape.extents_[0] = rows;
    shape.check_size();
    return shape;
  }
  friend bool operator==(Shape const& a, Shape const& b) { return a.rank_ == b.rank_ && a.extents_ == b.extents_; }
  friend std::ostream& operator<<(std::ostream& out, Shape const& shape) {
    out << '[';
    for (int axis = 0; axis < shape.rank_; ++axis) out << (axis ? ", " : "") << shape[axis];
    return out << ']';
  }

 private:
  template <class Iterator>
  Shape(Iterator first, Iterator last) {
    if (last - first > max_rank) fail<ShapeError>("[shape] got rank ", last - first, "; expected at most ", max_rank);
    for (; first != last; ++first) {
      if (*first < 0) fail<ShapeError>("[shape] got extent ", *first, "; expected 0 or more");
      extents_[static_cast<std::size_t>(rank_++)] = *first;
    }
    check_size();
  }
  /// No product of extents may overflow, nor eight bytes for each element.
  void check_size() const {
    Index product = 8;
    for (int axis = 0; axis < rank_; ++axis)
      if ((*this)[axis] > 0 && __builtin_mul_overflow(product, (*this)[axis], &product))
        fail<ShapeError>("[shape] got ", *this, "; expected fewer elements: so many do not fit any memory");
  }

  std::array<Index, max_rank> extents_{};
  int rank_ = 0;
};

}  // namespace graft
