#include <graft/models/t5.hpp>

#include "parity/runner.hpp"

static bool const registered64 = parity::add_runner<graft::T5, double, graft::Cuda>("float64");
static bool const registered32 = parity::add_runner<graft::T5, float, graft::Cuda>("float32");
