/// @file
/// @brief The shifts of TER: which blocks of words may move, and which move gains most (tercom's order and ties).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <graft/metrics/ngrams.hpp>
#include <graft/metrics/ter_alignment.hpp>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace graft::detail {

inline constexpr std::ptrdiff_t longest_ter_shift = 10;  // words
inline constexpr std::ptrdiff_t farthest_ter_shift = 50;

/// Words `start` to `end` of the hypothesis, moved behind word `target` (−1: to the beginning).
struct TerShift {
  std::ptrdiff_t start, end, target;
};

/// Where runs of words that the hypothesis has too begin in the reference.
using RunPlaces = std::map<std::vector<WordId>, std::vector<std::size_t>>;

inline RunPlaces places_of_runs(std::vector<WordId> const& hypothesis, std::vector<WordId> const& reference) {
  RunPlaces places;
  auto const known = [&](WordId word) {
    return std::find(hypothesis.begin(), hypothesis.end(), word) != hypothesis.end();
  };
  for (std::size_t start = 0; start < reference.size(); ++start) {
    std::vector<WordId> run;
    for (std::size_t end = start;
         end < reference.size() && run.size() < static_cast<std::size_t>(longest_ter_shift) && known(reference[end]);
         ++end) {
      run.push_back(reference[end]);
      places[run].push_back(start);
    }
  }
  return places;
}

/// Which words an alignment gets wrong, and the word of the hypothesis at which each word of the reference stands.
struct TerErrors {
  std::vector<bool> hypothesis, reference;
  std::vector<std::ptrdiff_t> position;  ///< `[reference words]`; −1: before the first word

  TerErrors(TerAlignment const& alignment, std::size_t hypothesis_words, std::size_t reference_words)
      : hypothesis(hypothesis_words), reference(reference_words), position(reference_words) {
    std::ptrdiff_t h = -1;
    std::size_t r = 0;
    for (Edit const edit : alignment.edits) {
      bool const wrong = edit != Edit::keep;
      if (edit != Edit::remove) hypothesis[static_cast<std::size_t>(++h)] = wrong;
      if (edit == Edit::insert) continue;
      reference[r] = wrong;
      position[r++] = h;
    }
  }
};

inline bool any_error(std::vector<bool> const& errors, std::size_t start, std::size_t length) {
  auto const begin = errors.begin() + static_cast<std::ptrdiff_t>(start);
  return std::find(begin, begin + static_cast<std::ptrdiff_t>(length), true) !=
         begin + static_cast<std::ptrdiff_t>(length);
}

/// Adds the moves of hypothesis words start..end to where the reference has them from `place` on.
inline void add_shifts(std::vector<TerShift>& shifts, TerErrors const& errors, std::ptrdiff_t start, std::ptrdiff_t end,
                       std::size_t place) {
  for (std::ptrdiff_t offset = -1; offset <= end - start; ++offset) {
    if (offset == -1 && place == 0) {
      shifts.push_back({start, end, -1});
      continue;
    }
    std::ptrdiff_t const target = errors.position[place + static_cast<std::size_t>(offset + 1) - 1];
    if (target != start && (offset == 0 || target != errors.position[place])) shifts.push_back({start, end, target});
  }
}

/// All moves worth trying, by their number of words less one, in tercom's order.
inline std::array<std::vector<TerShift>, longest_ter_shift> possible_shifts(std::vector<WordId> const& words,
                                                                            RunPlaces const& places,
                                                                            TerErrors const& errors) {
  std::array<std::vector<TerShift>, longest_ter_shift> shifts;
  auto const count = static_cast<std::ptrdiff_t>(words.size());
  for (std::ptrdiff_t start = 0; start < count; ++start) {
    std::vector<WordId> run{words[static_cast<std::size_t>(start)]};
    auto const single = places.find(run);
    if (single == places.end()) continue;
    bool const movable = std::any_of(single->second.begin(), single->second.end(), [&](std::size_t place) {
      std::ptrdiff_t const at = errors.position[place];
      return at != start && at - start <= farthest_ter_shift && start - at - 1 <= farthest_ter_shift;
    });
    if (!movable) continue;
    bool more = true;
    for (std::ptrdiff_t end = start; more && end < count && end < start + longest_ter_shift; ++end) {
      if (end > start) run.push_back(words[static_cast<std::size_t>(end)]);
      more = false;
      auto const found = places.find(run);
      if (found == places.end()) break;
      if (!any_error(errors.hypothesis, static_cast<std::size_t>(start), run.size())) {
        more = true;
        continue;
      }
      for (std::size_t const place : found->second) {
        std::ptrdiff_t const at = errors.position[place];
        if ((at >= start && at <= end) || std::abs(at - start) > farthest_ter_shift) continue;
        more = true;
        if (any_error(errors.reference, place, run.size()))
          add_shifts(shifts[static_cast<std::size_t>(end - start)], errors, start, end, place);
      }
    }
  }
  return shifts;
}

/// The words after a move.
inline std::vector<WordId> shifted(std::vector<WordId> words, TerShift const& shift) {
  auto const at = [&](std::ptrdiff_t i) { return words.begin() + i; };
  if (shift.target < shift.start)
    std::rotate(at(shift.target + 1), at(shift.start), at(shift.end + 1));
  else  // behind a later word, or as many words on as the target lies inside of the block
    std::rotate(at(shift.start), at(shift.end + 1),
                at(std::min(static_cast<std::ptrdiff_t>(words.size()),
                            shift.target > shift.end ? shift.target + 1 : shift.end + shift.target - shift.start + 1)));
  return words;
}

/// Words after the best move, and their alignment.
struct TerStep {
  std::vector<WordId> words;
  TerAlignment alignment;
};

/// The move that gains most: long ones first, of equal gain the first; none where none gains. A move costs 1.
inline std::optional<TerStep> best_shift(std::vector<WordId> const& words, std::vector<WordId> const& reference,
                                         RunPlaces const& places, TerAlignment const& alignment, std::int64_t beam) {
  TerErrors const errors(alignment, words.size(), reference.size());
  auto const shifts = possible_shifts(words, places, errors);
  std::optional<TerStep> best;
  std::int64_t best_cost = alignment.cost;  // with the move's own
  for (std::size_t length = shifts.size(); length-- > 0;) {
    // what a move of so many words can gain at most: it may mend each of them at both places
    auto const most = static_cast<std::int64_t>(2 * (length + 1));
    for (TerShift const& shift : shifts[length]) {
      std::int64_t const gained = alignment.cost - best_cost;
      if (gained > most || (best && gained == most)) break;
      auto moved = shifted(words, shift);
      TerAlignment after = align_for_ter(moved, reference, beam);
      std::int64_t const gain = best_cost - (after.cost + 1);
      if (gain > 0 || (!best && gain == 0)) {
        best_cost = after.cost + 1;
        best = TerStep{std::move(moved), std::move(after)};
      }
    }
    std::int64_t const gained = alignment.cost - best_cost;
    if (length > 0 && (gained > most - 2 || (best && gained == most - 2))) break;
  }
  return best;
}

}  // namespace graft::detail
