/// @file
/// @brief A folder that holds an adapter: adapter_config.json and adapter_model.safetensors, as Hugging Face PEFT names
/// them.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/core/presence.hpp>
#include <graft/io/json.hpp>
#include <graft/io/safetensors.hpp>

namespace graft {

/// Says what stood around the texts that an adapter was trained on (template_file.hpp).
inline constexpr char const* template_file = "graft_template.json";

/// The name of the adapter that PEFT saves in the folder itself; any other name gets a subfolder.
inline constexpr char const* default_adapter = "default";

/// Where the adapter `name` of `folder` lies. @throws ConfigError for a name that is no plain file name
[[nodiscard]] inline std::filesystem::path adapter_path(std::filesystem::path const& folder, std::string const& name) {
  bool const plain =
      !name.empty() && name.front() != '.' && name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
  if (!plain)
    fail<ConfigError>("[adapter] got the name ", printable(name),
                      "; expected a plain name without / that does not start with a dot");
  return name == default_adapter ? folder : folder / name;
}

/// The names of the adapters in a folder: "default" for the folder itself, and its subfolders that hold one; sorted.
/// @throws FileError for a folder that cannot be listed
[[nodiscard]] inline std::vector<std::string> adapter_names(std::filesystem::path const& folder) {
  std::vector<std::string> names;
  std::error_code error;
  if (std::filesystem::is_regular_file(folder / "adapter_config.json", error)) names.emplace_back(default_adapter);
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::string const name = entry->path().filename().string();
    std::error_code ignored;
    bool const holds = name.front() != '.' && name != default_adapter &&
                       std::filesystem::is_regular_file(entry->path() / "adapter_config.json", ignored);
    if (holds) names.push_back(name);
  }
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
    fail<FileError>("[", folder.string(), "] cannot be listed; got: ", error.message(),
                    "; expected a folder that this program may read");
  std::sort(names.begin(), names.end());
  return names;
}

/// How an adapter folder is written.
enum class AdapterFormat {
  automatic,  ///< PEFT's where PEFT can express the strategy and its settings, else graft's own
  peft,       ///< PEFT's, or not at all
  graft,      ///< graft's own, with all settings
};

/// How an adapter is saved.
struct AdapterOptions {
  std::string name = default_adapter;  ///< any other name is saved in a subfolder of that name, as PEFT does
  std::optional<std::string> base_model = std::nullopt;  ///< what `base_model_name_or_path` says; the base's source if
                                                         ///< not given, null if empty. Never opened
  AdapterFormat format = AdapterFormat::automatic;
  std::map<std::string, std::string> files = {};  ///< further files by name, written in the same step (`template_file`)
};

/// Whether a file of that name in an adapter folder belongs to the adapter, so that it goes when another takes its
/// place: the two files of PEFT and graft, the pickled form of the second, and graft's template. A README or a
/// tokenizer may stay.
[[nodiscard]] inline bool is_adapter_file(std::string_view name) {
  return name == "adapter_config.json" || name == "adapter_model.safetensors" || name == "adapter_model.bin" ||
         name == template_file;
}

/// PEFT's types and graft's names of the same strategies.
inline constexpr std::array peft_types{std::pair{"PREFIX_TUNING", "prefix_tuning"},
                                       std::pair{"PROMPT_TUNING", "prompt_tuning"}, std::pair{"P_TUNING", "p_tuning"},
                                       std::pair{"LORA", "lora"}, std::pair{"IA3", "ia3"}};

/// An adapter folder whose configuration has been read. The tensors are opened on request.
struct AdapterFolder {
  std::filesystem::path folder;
  std::string config_path;  ///< for messages
  nlohmann::json config;

  /// @throws FileError if the folder holds no adapter or its configuration is no JSON object
  [[nodiscard]] static AdapterFolder open(std::filesystem::path const& folder) {
    auto const path = folder / "adapter_config.json";
    if (!is_there(path)) {
      std::string others;
      for (auto const& name : adapter_names(folder))
        others += (others.empty() ? "; hint: it holds the named adapters " : ", ") + printable_name(name);
      fail<FileError>("[", folder.string(), "] holds no adapter; expected the file adapter_config.json in it", others);
    }
    JsonLimits limits;
    limits.bytes = std::size_t{4} << 20;
    AdapterFolder result{folder, path.string(), read_json(path, limits)};
    if (!result.config.is_object())
      fail<FileError>("[", result.config_path, "] is no configuration; got ", detail::json_excerpt(result.config),
                      "; expected an object");
    return result;
  }

  /// Whether it is one of PEFT's (else graft's own).
  [[nodiscard]] bool is_peft() const { return config.contains("peft_type") && !config.at("peft_type").is_null(); }

  /// Whether it is PEFT's adapter of a classifier, with the head in it.
  [[nodiscard]] bool has_head() const {
    auto const found = config.find("modules_to_save");
    if (!is_peft() || found == config.end() || !found->is_array()) return false;
    for (auto const& name : *found)
      if (auto const* const text = name.get_ptr<std::string const*>();
          text && (*text == "classifier" || *text == "score"))
        return true;
    return false;
  }

  /// The strategy it holds, as its `name` (beside the head, of a classifier's). @throws FileError
  /// for a PEFT type that graft lacks, or if it says none
  [[nodiscard]] std::string kind() const {
    if (is_peft()) {
      if (config.contains("graft_type"))
        fail<FileError>("[", config_path, "] has both a peft_type and a graft_type; expected one of them");
      std::string const type = json_at<std::string>(config_path, config, "peft_type");
      for (auto const& [peft, name] : peft_types)
        if (type == peft) return name;
      std::string choices;
      for (auto const& item : peft_types) choices += (choices.empty() ? "" : ", ") + std::string(item.first);
      fail<FileError>("[", config_path, "] has the peft_type ", printable(type),
                      ", which is not supported; expected one of ", choices);
    }
    if (!config.contains("graft_type"))
      fail<FileError>("[", config_path,
                      "] does not say what kind of adapter it describes; expected the key peft_type or graft_type");
    return json_at<std::string>(config_path, config, "graft_type");
  }

  [[nodiscard]] std::string tensors_path() const { return (folder / "adapter_model.safetensors").string(); }
  [[nodiscard]] SafetensorsFile tensors() const {
    if (!is_there(tensors_path())) {
      bool const pickled = is_there(folder / "adapter_model.bin");
      fail<FileError>("[", folder.string(),
                      "] lacks the file adapter_model.safetensors; expected the adapter's tensors in it",
                      pickled ? "; hint: a pickled adapter_model.bin can run code and is not read, save it again with "
                                "safe_serialization=True"
                              : "");
    }
    return SafetensorsFile(tensors_path());
  }
};

/// Which strategy a folder holds, as `Adaptation::name`: for programs that choose the type at run time.
[[nodiscard]] inline std::string adapter_kind(std::filesystem::path const& folder) {
  return AdapterFolder::open(folder).kind();
}

}  // namespace graft
