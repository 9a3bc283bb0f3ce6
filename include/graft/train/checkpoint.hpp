/// @file
/// @brief Checkpoints of a training: folders `step-00000120` of which the newest whole one is gone on from.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <graft/io/atomic_folder.hpp>
#include <graft/io/temporary.hpp>
#include <graft/train/manifest.hpp>
#include <graft/train/saved_training.hpp>

namespace graft {

namespace detail {

inline constexpr char const* parameters_file = "parameters.safetensors";
inline constexpr char const* best_file = "best.safetensors";
inline constexpr char const* optimizer_file = "optimizer.safetensors";
inline constexpr char const* training_file = "training.json";
inline constexpr std::size_t kept_checkpoints = 2;

/// Checkpoints in `folder`, newest first; none where there is no such folder.
/// @throws FileError if it cannot be read
[[nodiscard]] inline std::vector<std::filesystem::path> checkpoint_folders(std::filesystem::path const& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  auto const entries = folder_entries(folder, error);
  if (error && error != std::errc::no_such_file_or_directory)
    fail<FileError>("[", folder.string(), "] cannot be read; got: ", error.message(),
                    "; expected a folder for checkpoints or a new name; nothing was changed");
  for (auto const& path : entries) {
    std::string const name = path.filename().string();
    bool const numbered = name.size() == 13 && name.starts_with("step-") &&
                          std::all_of(name.begin() + 5, name.end(), [](unsigned char c) { return std::isdigit(c); });
    if (numbered && is_own_folder(path)) found.push_back(path);
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

/// Removes checkpoints beyond the newest `keep` and what writers that no longer run left behind. Failing to is no
/// reason to end a training.
inline void prune_checkpoints(std::filesystem::path const& folder, std::size_t keep) {
  auto const checkpoints = checkpoint_folders(folder);
  std::error_code ignored;
  for (std::size_t i = keep; i < checkpoints.size(); ++i) std::filesystem::remove_all(checkpoints[i], ignored);
  remove_abandoned(folder);
}

}  // namespace detail

/// Says what would keep checkpoints from being written, before there is anything to lose; makes
/// the folder, and removes what killed writers left in it.
/// @throws FileError for a file, a loop of links, and a folder that cannot be written
inline void check_checkpoint_folder(std::filesystem::path const& folder) {
  auto const target = detail::follow_links(folder.has_filename() ? folder : folder.parent_path());
  auto const refuse = [&](std::string const& why) {
    fail<FileError>("[", folder.string(), "] cannot hold checkpoints; got: ", why,
                    "; expected a folder that can be written, or a new name; nothing was changed");
  };
  std::error_code error;
  bool const present = std::filesystem::exists(target, error);
  if (error) refuse(error.message());
  if (present && !detail::is_output_folder(target)) refuse("a file");
  std::filesystem::create_directories(target, error);
  if (error) refuse(error.message());
  if (::access(target.c_str(), R_OK | W_OK | X_OK) != 0) refuse(std::strerror(errno));
  detail::remove_abandoned(target);
}

/// Whether the folder holds a checkpoint, whole or not.
[[nodiscard]] inline bool has_checkpoint(std::filesystem::path const& folder) {
  return !detail::checkpoint_folders(folder).empty();
}

/// The folder of the checkpoint after this step.
[[nodiscard]] inline std::filesystem::path checkpoint_path(std::filesystem::path const& folder, Index step) {
  char name[32];
  std::snprintf(name, sizeof name, "step-%08lld", static_cast<long long>(step));
  return folder / name;
}

/// Writes a checkpoint beside the earlier ones; it appears whole or not at all, and only then are all but the newest
/// two removed.
/// @throws FileError (full disk, no permission); earlier checkpoints are as they were
template <class Scalar>
void save_checkpoint(std::filesystem::path const& folder, SavedTraining<Scalar> const& saved) {
  auto const path = checkpoint_path(folder, static_cast<Index>(saved.report.steps.size()));
  std::error_code error;
  std::filesystem::remove_all(path, error);  // a damaged one that the training went back from
  if (error)
    fail<FileError>("[", path.string(), "] cannot be replaced; got: ", error.message(),
                    "; earlier checkpoints are unchanged");
  AtomicFolder target(path);
  auto const& staging = target.staging();
  detail::save_tensors(staging / detail::parameters_file, saved.parameters);
  if (!saved.best.empty()) detail::save_tensors(staging / detail::best_file, saved.best);
  detail::save_optimizer(staging / detail::optimizer_file, saved.optimizer);
  nlohmann::json const training{{"format", 1},
                                {"identity", saved.identity},
                                {"report", detail::report_to_json(saved.report)},
                                {"validations_since_best", saved.validations_since_best},
                                {"log_bytes", saved.log_bytes},
                                {"probe", saved.probe}};
  write_file_atomic(staging / detail::training_file,
                    training.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  write_manifest(staging);
  target.commit();
  detail::prune_checkpoints(folder, detail::kept_checkpoints);
}

/// Reads one checkpoint.
/// @throws FileError if it is damaged, ConfigError if its precision is another
template <class Scalar>
[[nodiscard]] SavedTraining<Scalar> read_checkpoint(std::filesystem::path const& checkpoint) {
  check_manifest(checkpoint, {detail::parameters_file, detail::optimizer_file, detail::training_file});
  SavedTraining<Scalar> saved;
  auto const path = checkpoint / detail::training_file;
  std::string const where = path.string();
  nlohmann::json const training = read_json(path);
  if (auto const format = json_at<int>(where, training, "format"); format != 1)
    fail<FileError>("[", where, "] has format ", format, "; expected 1; hint: was it written by a newer version?");
  saved.identity = json_at<nlohmann::json>(where, training, "identity");
  saved.report = detail::report_from_json(where, json_at<nlohmann::json>(where, training, "report"));
  saved.validations_since_best = json_at<Index>(where, training, "validations_since_best");
  saved.log_bytes = json_at<std::uint64_t>(where, training, "log_bytes");
  saved.probe = json_at<double>(where, training, "probe");
  saved.parameters = detail::load_tensors<Scalar>(checkpoint / detail::parameters_file);
  std::error_code missing;
  if (std::filesystem::exists(checkpoint / detail::best_file, missing))
    saved.best = detail::load_tensors<Scalar>(checkpoint / detail::best_file);
  saved.optimizer = detail::load_optimizer<Scalar>(checkpoint / detail::optimizer_file);
  return saved;
}

/// The newest whole checkpoint of the folder, or nothing if it holds none; `notes` receives a sentence for each damaged
/// one passed over.
/// @throws FileError if all are damaged
template <class Scalar>
[[nodiscard]] std::optional<SavedTraining<Scalar>> load_checkpoint(std::filesystem::path const& folder,
                                                                   std::vector<std::string>* notes = nullptr) {
  std::string first_error;
  for (auto const& checkpoint : detail::checkpoint_folders(folder)) {
    try {
      return read_checkpoint<Scalar>(checkpoint);
    } catch (FileError const& error) {
      if (first_error.empty()) first_error = error.what();
      if (notes) notes->push_back(cat(error.what(), "; going back to the checkpoint before it"));
    }
  }
  if (!first_error.empty())
    fail<FileError>(first_error, "; no earlier checkpoint in ", folder.string(), " is whole either");
  return std::nullopt;
}

#ifdef GRAFT_COMPILED_IO
extern template void save_checkpoint(std::filesystem::path const&, SavedTraining<float> const&);
extern template void save_checkpoint(std::filesystem::path const&, SavedTraining<double> const&);
extern template std::optional<SavedTraining<float>> load_checkpoint(std::filesystem::path const&,
                                                                    std::vector<std::string>*);
extern template std::optional<SavedTraining<double>> load_checkpoint(std::filesystem::path const&,
                                                                     std::vector<std::string>*);
#endif

}  // namespace graft
