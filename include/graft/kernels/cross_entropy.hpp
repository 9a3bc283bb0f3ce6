/// @file
/// @brief Softmax statistics of rows of logits that come in blocks of classes.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

/// What is known of rows of logits z after some blocks of their classes, each `[rows]`. Before the first: `largest` −∞,
/// the sums 0.
template <class Scalar, class Device = Cpu>
struct SoftmaxRows {
  Pointer<Device, Scalar> largest;      ///< max_v z_v
  Pointer<Device, Scalar> sum;          ///< Σ_v exp(z_v − largest)
  Pointer<Device, Scalar> total;        ///< Σ_v z_v
  Pointer<Device, Scalar> label_logit;  ///< z at the row's label, once its block has come
};

template <class Device, class Scalar>
struct CrossEntropy {
  static_assert(implemented<Device>, "the kernel CrossEntropy does not exist for this device yet");
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// Takes `logits` `[rows, classes]` of the classes from `first` into `known`. If `rescale` (`[rows]`) is given, the
  /// logits are replaced by exp(z − largest), and rescale_i = exp(the former largest − the new one): what was formed
  /// with the former is to be multiplied by it. Milakov and Gimelshein, "Online normalizer calculation for softmax",
  /// arXiv:1805.02867.
  static void softmax_block(Out logits, Index rows, Index classes, Index first, Pointer<Device, Token const> labels,
                            SoftmaxRows<Scalar, Device> known, Out rescale);
  /// What follows the last of `classes` classes: `largest` becomes logΣexp z = largest + log(sum), `label_logit` log
  /// p(label), `total` the mean of z; reciprocal_i = 1 / sum_i.
  static void softmax_end(SoftmaxRows<Scalar, Device> known, Index rows, Index classes, Out reciprocal);
  /// In place, from logits of the classes from `first`: d(log p_label)/dz·g, that is
  /// z_iv = g_i·([v = label_i] − exp(z_iv − log_sum_exp_i)).
  static void cross_entropy_gradient(Out logits, Index rows, Index classes, Index first,
                                     Pointer<Device, Token const> labels, In log_sum_exp, In g);
};

/// The same on a GPU.
template <class Scalar>
struct CrossEntropy<Cuda, Scalar> {
  using In = DevicePointer<Scalar const>;
  using Out = DevicePointer<Scalar>;
  using Labels = DevicePointer<Token const>;  ///< a class for each row

  /// As for every device.
  static void softmax_block(Out logits, Index rows, Index classes, Index first, Labels labels,
                            SoftmaxRows<Scalar, Cuda> known, Out rescale);
  /// As for every device.
  static void softmax_end(SoftmaxRows<Scalar, Cuda> known, Index rows, Index classes, Out reciprocal);
  /// As for every device.
  static void cross_entropy_gradient(Out logits, Index rows, Index classes, Index first, Labels labels, In log_sum_exp,
                                     In g);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/cross_entropy.hpp>
#endif
