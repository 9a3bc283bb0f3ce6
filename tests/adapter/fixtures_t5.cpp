#include <graft/models/t5.hpp>

#include "fixture_cases.hpp"

static bool const registered =
    adapter_fixtures::add_runners<graft::T5>() && adapter_fixtures::add_runners<graft::T5v11>();
