#include <graft/models/gpt2.hpp>

#include "reference_comparison.hpp"

namespace reference {
INSTANTIATE_TYPED_TEST_SUITE_P(Gpt2, PlainReference, graft::Gpt2);
}
