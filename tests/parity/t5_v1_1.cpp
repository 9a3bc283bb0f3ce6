#include <graft/models/t5.hpp>

#include "runner.hpp"

static bool const registered64 = parity::add_runner<graft::T5v11, double>("float64");
static bool const registered32 = parity::add_runner<graft::T5v11, float>("float32");
