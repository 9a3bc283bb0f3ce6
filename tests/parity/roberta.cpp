#include <graft/models/bert.hpp>

#include "runner.hpp"

static bool const registered64 = parity::add_runner<graft::Roberta, double>("float64");
static bool const registered32 = parity::add_runner<graft::Roberta, float>("float32");
