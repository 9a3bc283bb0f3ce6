/// @file
/// @brief METEOR's alignment of two texts: the best set of matches that do not overlap, by beam search.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <graft/metrics/meteor/matches.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace graft::detail {

inline constexpr std::size_t meteor_beam = 40;

/// A part of an alignment, up to some word of the reference.
struct MeteorPath {
  std::vector<std::optional<MeteorMatch>> chosen;  ///< `[reference words]`, at the match's first word
  std::vector<bool> hypothesis_used, reference_used;
  int weight = 0;  ///< of the matched words of both texts
  int chunks = 0;  ///< runs of matches that stand side by side in both texts, the open one not counted
  int distance = 0;
  std::size_t next = 0;            ///< the word behind the last match or skipped word
  std::optional<std::size_t> end;  ///< where the open chunk ends in the hypothesis

  [[nodiscard]] bool overlaps(MeteorMatch const& match) const {
    for (std::size_t i = 0; i < match.length; ++i)
      if (reference_used[match.start + i]) return true;
    for (std::size_t i = 0; i < match.hypothesis_length; ++i)
      if (hypothesis_used[match.hypothesis_start + i]) return true;
    return false;
  }
  void occupy(MeteorMatch const& match) {
    chosen[match.start] = match;
    for (std::size_t i = 0; i < match.length; ++i) reference_used[match.start + i] = true;
    for (std::size_t i = 0; i < match.hypothesis_length; ++i) hypothesis_used[match.hypothesis_start + i] = true;
  }
  /// Counts a match and moves behind it. A word that is not matched exactly counts half; METEOR keeps whole numbers of
  /// each text, so that a single such word counts nothing.
  void advance(MeteorMatch const& match) {
    bool const exact = match.stage == MeteorStage::exact;
    auto const share = [&](std::size_t words) { return static_cast<int>(exact ? words : words / 2); };
    weight += share(match.hypothesis_length) + share(match.length);
    if (end && match.hypothesis_start != *end) ++chunks;
    next = match.start + match.length;
    end = match.hypothesis_start + match.hypothesis_length;
  }
  void skip() {
    if (end) ++chunks;
    end.reset();
    ++next;
  }
};

inline int match_distance(MeteorMatch const& match) {
  return std::abs(static_cast<int>(match.start) - static_cast<int>(match.hypothesis_start));
}

/// More matched words first, then fewer chunks, then less distance; paths that are equal keep their order.
inline void sort_paths(std::vector<MeteorPath>& paths) {
  std::stable_sort(paths.begin(), paths.end(), [](MeteorPath const& a, MeteorPath const& b) {
    if (a.weight != b.weight) return a.weight > b.weight;
    if (a.chunks != b.chunks) return a.chunks < b.chunks;
    return a.distance < b.distance;
  });
}

/// The matches that no other one touches are settled.
inline MeteorPath settled_matches(MeteorMatches const& matches) {
  MeteorPath path;
  path.chosen.resize(matches.starting.size());
  path.hypothesis_used.resize(matches.hypothesis_cover.size());
  path.reference_used.resize(matches.starting.size());
  auto const alone = [](std::vector<int> const& cover, std::size_t start, std::size_t length) {
    auto const begin = cover.begin() + static_cast<std::ptrdiff_t>(start);
    return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(length), [](int count) { return count == 1; });
  };
  for (auto const& here : matches.starting)
    if (here.size() == 1 && alone(matches.reference_cover, here[0].start, here[0].length) &&
        alone(matches.hypothesis_cover, here[0].hypothesis_start, here[0].hypothesis_length))
      path.occupy(here[0]);
  return path;
}

/// What becomes of a path at word `current` of the reference.
inline void extend_path(MeteorPath path, std::size_t current, std::vector<MeteorMatch> const& starting,
                        std::vector<MeteorPath>& longer) {
  if (path.reference_used[current]) {
    if (current >= path.next) {
      if (!path.chosen[path.next]) return;  // a word inside of a settled match that begins earlier
      MeteorMatch const match = *path.chosen[path.next];
      path.advance(match);
      path.distance += match_distance(match);
    }
    longer.push_back(std::move(path));
    return;
  }
  for (MeteorMatch const& match : starting) {
    if (path.overlaps(match)) continue;
    MeteorPath with = path;
    with.occupy(match);
    with.advance(match);
    path.distance += match_distance(match);  // as METEOR 1.5 has it: to the path that goes on without the match
    longer.push_back(std::move(with));
  }
  path.skip();
  longer.push_back(std::move(path));
}

/// The best alignment found, word after word of the reference: `chosen` matches, `[reference words]`.
inline std::vector<std::optional<MeteorMatch>> align_for_meteor(MeteorMatches const& matches) {
  std::vector<MeteorPath> paths{settled_matches(matches)};
  for (std::size_t current = 0; current < matches.starting.size(); ++current) {
    sort_paths(paths);
    std::vector<MeteorPath> longer;
    for (std::size_t rank = 0; rank < std::min(meteor_beam, paths.size()); ++rank)
      extend_path(paths[rank], current, matches.starting[current], longer);
    if (longer.empty()) longer.push_back(paths[0]);
    paths = std::move(longer);
  }
  sort_paths(paths);
  paths.resize(std::min(meteor_beam, paths.size()));
  for (MeteorPath& path : paths)
    if (path.end) ++path.chunks;
  sort_paths(paths);
  return std::move(paths[0].chosen);
}

/// Runs of matches that stand side by side in both texts.
inline int count_chunks(std::vector<std::optional<MeteorMatch>> const& chosen) {
  int chunks = 0;
  std::optional<std::size_t> end;
  for (std::size_t i = 0; i < chosen.size();) {
    if (!chosen[i]) {
      chunks += end ? 1 : 0;
      end.reset();
      ++i;
      continue;
    }
    MeteorMatch const& match = *chosen[i];
    if (end && match.hypothesis_start != *end) ++chunks;
    end = match.hypothesis_start + match.hypothesis_length;
    i += match.length;
  }
  return chunks + (end ? 1 : 0);
}

}  // namespace graft::detail
