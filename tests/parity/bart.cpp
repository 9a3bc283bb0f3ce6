#include <graft/models/bart.hpp>

#include "runner.hpp"

static bool const registered64 = parity::add_runner<graft::Bart, double>("float64");
static bool const registered32 = parity::add_runner<graft::Bart, float>("float32");
