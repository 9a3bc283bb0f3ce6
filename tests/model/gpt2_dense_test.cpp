#include <graft/models/gpt2.hpp>

#include "dense_comparison.hpp"

namespace dense {
INSTANTIATE_TYPED_TEST_SUITE_P(Gpt2, DenseReference, graft::Gpt2);
}
