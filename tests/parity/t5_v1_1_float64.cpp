#include <graft/models/t5.hpp>

#include "runner.hpp"

static bool const registered = parity::add_runner<graft::T5v11, double>("float64");
