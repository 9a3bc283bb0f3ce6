/// @file
/// @brief Adafactor on every device: passes over all parameters at once. Sums run in a fixed order; what they give
/// stays on the device.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <graft/kernels/adafactor.hpp>
#include <graft/kernels/generic/adafactor_moments.hpp>
#include <graft/kernels/generic/adafactor_steps.hpp>
#include <graft/kernels/generic/sum_squares.hpp>
#include <graft/kernels/loops.hpp>
#include <graft/kernels/row_team.hpp>

namespace graft::kernels {

namespace generic {

/// The passes of one update, in their order: `moments`, `measure`, `apply`.
template <class Device, class Scalar>
class AdafactorPasses {
  using Update = typename Adafactor<Device, Scalar>::Update;
  using Number = typename Loops<Device>::template Number<Scalar>;
  using Step = AdafactorStep<Scalar, Number>;

 public:
  AdafactorPasses(std::vector<Update> const& updates, AdafactorRule const& rule, Pointer<Device, double const> scale)
      : rule_(rule),
        updates_(matrices_first(updates)),
        matrices_(count_of(updates, [](Update const& u) { return u.row ? 1 : 0; })),
        all_(static_cast<Index>(updates.size())),
        numbers_(matrices_ + 2 * all_ + count_of(updates, [](Update const& u) { return u.row ? u.width : 0; })),
        squares_(2 * all_ + count_of(updates, [](Update const& u) { return u.row ? u.rows : 0; })) {
    auto const rounded = [](double number) { return static_cast<Scalar>(number); };
    Scalar *sums = raw(numbers_.data()), *how_far = sums + matrices_, *columns = how_far + 2 * all_;
    double* rows = raw(squares_.data()) + 2 * all_;
    steps_.reserve(updates.size());
    for (auto const& u : updates_) {
      steps_.push_back({raw(u.parameter), raw(u.gradient), raw(u.row), raw(u.column), raw(u.second), raw(u.first),
                        u.rows, u.width, Number(scale), rounded(u.keep), rounded(1.0 - u.keep), rounded(rule.epsilon1),
                        rounded(rule.beta1), rounded(1.0 - rule.beta1), sums, columns, rows, how_far});
      how_far += 2;
      if (u.row) ++sums, columns += u.width, rows += u.rows;
    }
  }

  /// Second moments.
  void moments() {
    RowTeam<Device>::each_row_of("adafactor's moments of rows", of_rows<RowMoment<Scalar, Number>>());
    Loops<Device>::sum_rows_of("adafactor's moments of columns", of_rows<ColumnMoment<Scalar, Number>>());
    Loops<Device>::each_of("adafactor's moments of vectors", of_elements<VectorMoment<Scalar, Number>>());
    std::vector<Piece<NumberAt<Scalar>>> rows;
    for (auto const& s : matrices()) rows.push_back({{s.row}, s.rows});
    Loops<Device>::sums("adafactor's means of rows", rows, numbers_.data());
  }
  /// The sizes of updates and parameters, and from them how far each parameter goes.
  void measure() {
    RowTeam<Device>::each_row_of("adafactor's squares of rows", of_rows<RowSquares<Scalar, Number>>());
    std::vector<Piece<NumberAt<double>>> rows;
    for (auto const& s : matrices()) rows.push_back({{s.row_squares}, s.rows});
    Loops<Device>::totals("adafactor's squares of matrices", rows, squares_.data());
    Loops<Device>::totals("adafactor's squares of vectors", of_elements<VectorSquare<Scalar, Number>>(),
                          squares_.data() + matrices_);
    if (rule_.scale_parameter) {
      std::vector<Piece<Square<Scalar>>> parameters;
      for (auto const& s : steps_) parameters.push_back({{s.parameter}, s.rows * s.width});
      Loops<Device>::totals("adafactor's squares of parameters", parameters, squares_.data() + all_);
    }
    std::vector<Piece<HowFar<Scalar>>> rates;
    double const* squares = raw(squares_.data());
    for (std::size_t k = 0; k < steps_.size(); ++k, ++squares)
      rates.push_back({{updates_[k].rate, rule_.scale_parameter ? squares + all_ : nullptr, squares, rule_.epsilon2,
                        rule_.clip_threshold, rule_.weight_decay, static_cast<double>(steps_[k].rows * steps_[k].width),
                        steps_[k].how_far},
                       1});
    Loops<Device>::each_of("adafactor's rates", rates);
  }
  /// Parameters and first moments.
  void apply() {
    if (rule_.beta1 > 0) {
      RowTeam<Device>::each_row_of("adafactor of matrices", of_rows<ApplyMomentToRow<Scalar, Number>>());
      Loops<Device>::each_of("adafactor of vectors", of_elements<ApplyMomentToElement<Scalar, Number>>());
    } else {
      RowTeam<Device>::each_row_of("adafactor of matrices", of_rows<ApplyToRow<Scalar, Number>>());
      Loops<Device>::each_of("adafactor of vectors", of_elements<ApplyToElement<Scalar, Number>>());
    }
  }

 private:
  [[nodiscard]] static std::vector<Update> matrices_first(std::vector<Update> updates) {
    std::stable_partition(updates.begin(), updates.end(), [](Update const& u) { return static_cast<bool>(u.row); });
    return updates;
  }
  template <class Size>
  [[nodiscard]] static Index count_of(std::vector<Update> const& updates, Size const& size) {
    Index count = 0;
    for (auto const& update : updates) count += size(update);
    return count;
  }
  [[nodiscard]] std::span<Step const> matrices() const {
    return std::span<Step const>(steps_).first(static_cast<std::size_t>(matrices_));
  }
  /// `F` over the rows of each matrix, or down its columns.
  template <class F>
  [[nodiscard]] std::vector<RowsPiece<F>> of_rows() const {
    std::vector<RowsPiece<F>> pieces;
    for (auto const& s : matrices()) pieces.push_back({{s}, s.rows, s.width});
    return pieces;
  }
  /// `F` over the elements of each vector.
  template <class F>
  [[nodiscard]] std::vector<Piece<F>> of_elements() const {
    std::vector<Piece<F>> pieces;
    for (auto const& s : std::span<Step const>(steps_).subspan(static_cast<std::size_t>(matrices_)))
      pieces.push_back({{s}, s.width});
    return pieces;
  }

  AdafactorRule rule_;
  std::vector<Update> updates_;                            ///< matrices, then vectors
  std::vector<Step> steps_;                                ///< of `updates_`
  Index matrices_, all_;                                   ///< how many there are
  typename Loops<Device>::template Room<Scalar> numbers_;  ///< Σ row_i of matrices, how far each goes, 1/√column_j
  typename Loops<Device>::template Room<double> squares_;  ///< of updates, of parameters, and of rows of updates
};

}  // namespace generic

template <class Device, class Scalar>
void Adafactor<Device, Scalar>::adafactor(std::vector<Update> const& updates, AdafactorRule const& rule,
                                          Pointer<Device, double const> scale) {
  if (updates.empty()) return;
  generic::AdafactorPasses<Device, Scalar> passes(updates, rule, scale);
  passes.moments();
  passes.measure();
  passes.apply();
}

extern template struct Adafactor<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Adafactor<Cuda, double>;

}  // namespace graft::kernels
