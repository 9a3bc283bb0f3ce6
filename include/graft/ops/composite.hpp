/// @file
/// @brief Every fused operation as a composition of plain ones: its definition, what tests compare it with, and what a
/// new device can start from.
#pragma once

#include <graft/ops/composite/activation.hpp>
#include <graft/ops/composite/attention.hpp>
#include <graft/ops/composite/linear_cross_entropy.hpp>
#include <graft/ops/composite/low_rank.hpp>
#include <graft/ops/composite/lstm.hpp>
#include <graft/ops/composite/norm.hpp>
#include <graft/ops/composite/rotary.hpp>
#include <graft/ops/composite/scale_columns.hpp>
#include <graft/ops/composite/softmax.hpp>
#include <graft/ops/composite/sum.hpp>
