/// @file
/// @brief What `nearest_words` tells of a vector and of a virtual token.
#pragma once

#include <vector>

#include <graft/adaptation/additions.hpp>

namespace graft {

/// A token of the vocabulary beside a vector.
struct NearWord {
  Token token = 0;
  double cosine = 0;    ///< of the angle between them, −1 to 1
  double distance = 0;  ///< √Σ(x − e)²
};

/// The words nearest to one vector.
struct NearWords {
  double norm = 0;                    ///< √Σx² of the vector
  std::vector<NearWord> by_cosine;    ///< the greatest cosines first
  std::vector<NearWord> by_distance;  ///< the least distances first
};

/// A virtual token, and the words nearest to it.
struct VirtualTokenWords {
  Stack stack = Stack::decoder;
  Place place = Place::front;
  Index adapter = Additions::every_row;  ///< whose rows have it; see `Rows::adapter`
  Index index = 0;                       ///< its number in its group
  NearWords words;
};

}  // namespace graft
