// CUDA's own bfloat16, which is graft's here.
#pragma once

#include <graft/core/dtype.hpp>

using __nv_bfloat16 = graft::bfloat16;
