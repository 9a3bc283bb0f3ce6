#include <graft/models/llama.hpp>

#include "dense_comparison.hpp"

namespace dense {
INSTANTIATE_TYPED_TEST_SUITE_P(Llama, DenseReference, graft::Llama);
}
