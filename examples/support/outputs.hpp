/// @file
/// @brief What a run writes: held against what it reads, found writable before work begins, and kept from a second
/// writer.
#pragma once

#include <cstdio>
#include <list>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <graft/io/adapter_folder.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/atomic_folder.hpp>
#include <graft/io/path_lock.hpp>

#include "support/paths.hpp"

namespace support {

/// The files of a program of one task.
struct TaskPaths {
  std::string model, train, validation, test, adapter;  ///< read
  std::string output, predictions;                      ///< written: an adapter's folder, a file
};

/// Says before a training that nothing of it will be left.
inline void say_if_thrown_away(char const* program, TaskPaths const& paths) {
  if (paths.output.empty() && paths.test.empty())
    std::fprintf(stderr, "%s: the trained model is thrown away at the end, for there is neither --output nor --test\n",
                 program);
}

/// An adapter is never written into a folder that holds a model: the model would be used with the adapter's template
/// from then on.
/// @throws FileError
inline void check_holds_no_model(std::filesystem::path const& folder) {
  std::error_code missing;
  for (auto const& path : graft::detail::folder_entries(folder, missing)) {
    std::string const name = path.filename().string();
    bool const weights =
        name.starts_with("model") && (name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json"));
    if (name == "config.json" || weights || name.starts_with("pytorch_model"))
      graft::fail<graft::FileError>("[", folder.string(), "] holds a model (", name,
                                    "), which an adapter's files would change; expected a ",
                                    "new folder, or an earlier adapter's; it is unchanged");
  }
}

/// The outputs of a run as long as it lives.
class Outputs {
 public:
  /// @param adapter folder for an adapter, which is locked; an empty path is none
  /// @param files that appear as a whole, which are locked where they are no streams
  /// @param log is written line by line; the training opens and locks it
  /// @param checkpoint folder that the training locks itself
  /// @throws UsageError for an output in the place of an input or of another output, FileError for one that cannot be
  /// written
  Outputs(std::vector<NamedPath> const& inputs, NamedPath const& adapter, std::vector<NamedPath> const& files,
          NamedPath const& log = {"--log", ""}, std::string const& checkpoint = {}) {
    auto all = files;
    all.insert(all.begin(), adapter);
    all.push_back(log);
    check_apart(inputs, all);
    NamedPath const checkpoints{"--checkpoint", checkpoint};
    check_names({checkpoints}), check_not_nested(checkpoints, adapter);
    for (auto const& file : files) {
      if (file.path.empty()) continue;
      graft::check_output_file(file.path);
      if (graft::detail::output_path(file.path).kind == graft::detail::OutputKind::file) locks_.emplace_back(file.path);
    }
    if (adapter.path.empty()) return;
    check_holds_no_model(adapter.path);
    graft::check_output_folder(adapter.path, graft::is_adapter_file);
    bool const locked_by_training = !checkpoint.empty() && same_place(adapter.path, checkpoint);  // one folder for both
    if (!locked_by_training) locks_.emplace_back(adapter.path);
  }
  Outputs(TaskPaths const& paths, std::string const& log)
      : Outputs({{"--model", paths.model},
                 {"--adapter", paths.adapter},
                 {"--train", paths.train},
                 {"--validation", paths.validation},
                 {"--test", paths.test}},
                {"--output", paths.output}, {{"--predictions", paths.predictions}}, {"--log", log}) {}

 private:
  std::list<graft::PathLock> locks_;
};

}  // namespace support
