#include <graft/models/bert.hpp>

#include "fixture_cases.hpp"

static bool const registered =
    adapter_fixtures::add_runners<graft::Bert>() && adapter_fixtures::add_runners<graft::Roberta>();
