/// @file
/// @brief Training and validation examples as the command line names them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <graft/data/generated.hpp>
#include <graft/data/grouping.hpp>
#include <graft/data/readers.hpp>

namespace support {

inline constexpr char const* generated_data = "generated";
inline constexpr char const* data_help =
    "file of examples (E2E CSV, source||text, or source<TAB>target), or 'generated' for the set that graft makes "
    "itself";

struct TrainingData {
  std::vector<graft::Example> training, validation;
};

/// One file for both: a tenth of the sources is held out for validation. The generated set has a validation part of its
/// own.
inline TrainingData load_and_split(std::string const& data, std::uint64_t seed) {
  if (data == generated_data) {
    graft::GeneratedDataOptions options;
    options.seed = seed;
    auto generated = graft::generate_data(options);
    return {std::move(generated.training), std::move(generated.validation)};
  }
  auto parts = graft::split(graft::read_examples(data), 0.1, seed);
  return {std::move(parts.kept), std::move(parts.held_out)};
}

/// The first `rows` examples; 0 for all.
inline void keep_first(std::vector<graft::Example>& examples, std::size_t rows) {
  if (rows > 0 && rows < examples.size()) examples.resize(rows);
}

}  // namespace support
