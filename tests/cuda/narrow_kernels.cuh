// Kernels for rows of bfloat16, for the tests.
#pragma once

#include <graft/kernels/cuda/norm.cuh>
#include <graft/kernels/cuda/rotary.cuh>

template struct graft::kernels::Norm<graft::Cuda, graft::bfloat16>;
template struct graft::kernels::Rotary<graft::Cuda, graft::bfloat16>;
