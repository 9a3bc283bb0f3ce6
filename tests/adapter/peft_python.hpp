// The Python interpreter that has PEFT, for tests that have PEFT read what graft writes.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <graft/io/safetensors_writer.hpp>
#include <graft/tensor/tensor.hpp>

namespace peft_python {

/// Whether there is one: GRAFT_PEFT_PYTHON, else python3. An interpreter that is named has to have PEFT: without it the
/// tests fail.
inline bool find(std::string& python, std::string& why) {
  char const* const variable = std::getenv("GRAFT_PEFT_PYTHON");
  python = variable ? variable : "python3";
  if (variable || std::system(("'" + python + "' -c 'import torch, transformers, peft' > /dev/null 2>&1").c_str()) == 0)
    return true;
  why =
      "python3 has no torch, transformers and peft (some gigabytes, not installed unasked): set GRAFT_PEFT_PYTHON to "
      "an interpreter that has them";
  return false;
}

/// Runs a script of this folder; its exit status.
inline int run(std::string const& python, std::string const& script, std::filesystem::path const& folder,
               std::filesystem::path const& log) {
  return std::system(("'" + python + "' '" GRAFT_SOURCE_DIR "/tests/adapter/" + script + "' '" + folder.string() +
                      "' > '" + log.string() + "' 2>&1")
                         .c_str());
}

inline graft::TensorEntry entry_of(std::string const& name, graft::Tensor<double> const& tensor) {
  std::vector<std::int64_t> shape;
  for (int axis = 0; axis < tensor.shape().rank(); ++axis) shape.push_back(tensor.shape()[axis]);
  return {name,
          graft::Dtype::f64,
          shape,
          reinterpret_cast<std::byte const*>(tensor.data()),
          static_cast<std::size_t>(tensor.size()) * sizeof(double),
          nullptr};
}

}  // namespace peft_python
