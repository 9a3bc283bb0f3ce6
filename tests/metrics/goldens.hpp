// A small corpus whose scores sacreBLEU 2.6.0 and rouge_score 0.1.2 gave.
#pragma once

#include <graft/metrics/ngrams.hpp>
#include <string>
#include <vector>

inline std::vector<std::string> const golden_hypotheses = {
    "The Vaults is a cheap pub near Café Adriatic, with a 5-star rating.", "It costs £20.50; isn't that \"fine\"?",
    "no match here"};
inline graft::ReferenceLists const golden_references = {
    {"The Vaults pub near Café Adriatic has a 5 star rating.",
     "Near Café Adriatic, The Vaults is a cheap pub with a 5-star rating."},
    {"It costs £20.50. That is fine.", "It's £20.50, which is fine!", "The price is £20.50; isn't that \"fine\"?"},
    {"nothing in common"}};
