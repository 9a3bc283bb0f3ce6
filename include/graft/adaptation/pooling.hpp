/// @file
/// @brief Which state a classifier reads where virtual tokens stand in front of its input.
#pragma once

namespace graft {

/// The state that goes to a classification head.
enum class Pooling {
  first_virtual,  ///< that of the first virtual token, as PEFT does
  first_token,    ///< that of the first real token, as P-tuning v2's code does
};

}  // namespace graft
