/// @file
/// @brief What is kept of work that ends early: under its name, or beside an earlier file or folder of that name, which
/// stays.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

#include <graft/core/error.hpp>
#include <graft/train/training.hpp>

#include "support/paths.hpp"
#include "support/program.hpp"

namespace support {

/// Where unfinished work is put.
struct UnfinishedPlace {
  std::string path;
  bool beside;  ///< an earlier file or folder
};

/// @param output a file, or the folder of an adapter
[[nodiscard]] inline UnfinishedPlace unfinished_place(std::string const& output) {
  std::error_code missing;
  bool const beside = std::filesystem::is_regular_file(output, missing) ||
                      std::filesystem::exists(std::filesystem::path(output) / "adapter_config.json", missing);
  return {beside ? free_name_beside(output) : output, beside};
}

/// Puts what there is of an unfinished file of outputs into its place and says so: "kept the outputs of the first 2 of
/// 9 sources in …".
/// @param put takes the place, and whether it is beside an earlier file
template <class Put>
void keep_unfinished_outputs(std::string const& path, char const* what, std::size_t done, std::size_t count,
                             std::string const& rows, Put const& put) {
  auto const place = unfinished_place(path);
  put(place.path, place.beside);
  std::fprintf(stderr, "kept the %s of the first %zu of %zu %s in %s%s\n", what, done, count, rows.c_str(),
               place.path.c_str(), place.beside ? ", beside the earlier file, which is unchanged" : "");
}

/// After a training: where a signal has ended it, keeps what was trained and ends the program. With checkpoints the
/// last one stands; without, the adapter is saved as it is.
/// @param save takes the folder
/// @throws Interrupted
template <class Save>
void keep_unfinished_training(graft::TrainingReport const& report, std::string const& checkpoint,
                              std::string const& output, Save const& save) {
  if (report.interrupted == 0) return;
  std::string const what =
      graft::cat("[training] was ended by signal ", report.interrupted, " after step ", report.steps.size());
  if (!checkpoint.empty())
    throw Interrupted(report.interrupted,
                      graft::cat(what, "; hint: --resume goes on from the checkpoint in ", checkpoint));
  if (output.empty())
    throw Interrupted(report.interrupted, what + "; nothing is kept, for there is neither --checkpoint nor --output");
  auto const place = unfinished_place(output);
  save(place.path);
  throw Interrupted(report.interrupted,
                    graft::cat(what, "; the adapter is saved as it was then in ", place.path,
                               place.beside ? graft::cat(", the earlier one in ", output, " is unchanged") : ""));
}

}  // namespace support
