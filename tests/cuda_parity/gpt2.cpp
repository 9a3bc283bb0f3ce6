#include <graft/models/gpt2.hpp>

#include "parity/runner.hpp"

static bool const registered64 = parity::add_runner<graft::Gpt2, double, graft::Cuda>("float64");
static bool const registered32 = parity::add_runner<graft::Gpt2, float, graft::Cuda>("float32");
static bool const needs_a_device = (parity::obstacle() = [] { return graft::cuda_unavailable(); }, true);
