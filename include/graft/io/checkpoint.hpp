/// @file
/// @brief A model's tensors under Hugging Face's names, whatever file they are in.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/tensor_entry.hpp>
#include <graft/kernels/blocks.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

/// A matrix that a file keeps as quantized blocks.
struct StoredBlocks {
  kernels::BlockMatrix matrix;
  bool turned = false;                ///< whether the checkpoint's matrix of that name is this one transposed
  std::shared_ptr<void const> owner;  ///< keeps the blocks alive
};

/// Tensors of a checkpoint. Names, shapes and layouts are Hugging Face's ([out, in] for linear layers, [in, out] for
/// GPT-2's Conv1D). All functions may be called by several threads at once. Errors are FileError and name the file.
class Checkpoint {
 public:
  Checkpoint() = default;
  Checkpoint(Checkpoint const&) = delete;
  Checkpoint& operator=(Checkpoint const&) = delete;
  virtual ~Checkpoint() = default;

  /// File or folder, for messages.
  [[nodiscard]] virtual std::string const& path() const noexcept = 0;
  /// All tensors' names, sorted.
  [[nodiscard]] virtual std::vector<std::string> names() const = 0;
  [[nodiscard]] virtual bool contains(std::string_view name) const = 0;
  /// Shape and type. `data` aliases the file where it holds plain values in this order; it is null, with dtype float32,
  /// where they are quantized or in another order (GGUF): use read() then, or blocks().
  [[nodiscard]] virtual TensorEntry entry(std::string_view name) const = 0;
  /// The blocks of a matrix that is quantized, which alias the file; nothing for any other tensor.
  [[nodiscard]] virtual std::optional<StoredBlocks> blocks(std::string_view name) const {
    static_cast<void>(entry(name));
    return std::nullopt;
  }
  /// How the file stores the tensor: "float32", "bfloat16", "Q4_1", …
  [[nodiscard]] virtual std::string storage(std::string_view name) const = 0;
  /// The model's configuration in Hugging Face's form.
  [[nodiscard]] virtual nlohmann::json config() const = 0;

  /// Converts rows [first, last) to `out`, row-major; a row is the last dimension, a vector is one row.
  virtual void read_rows(std::string_view name, std::size_t first, std::size_t last, float* out) const = 0;
  virtual void read_rows(std::string_view name, std::size_t first, std::size_t last, double* out) const = 0;

  /// Converts the whole tensor, dequantizing where need be, and gives its mapped pages back to the system.
  void read(std::string_view name, float* out) const {
    read_rows(name, 0, rows_of(entry(name).shape), out);
    discard(name);
  }
  void read(std::string_view name, double* out) const {
    read_rows(name, 0, rows_of(entry(name).shape), out);
    discard(name);
  }

  /// The entry of that name and shape; throws FileError if there is none or its shape differs.
  [[nodiscard]] TensorEntry require(std::string_view name, std::vector<std::int64_t> const& shape) const {
    TensorEntry found = entry(name);
    if (found.shape != shape) {
      fail<FileError>("[", path(), "] tensor ", printable(name), " has the shape ", shape_text(found.shape),
                      "; expected ", shape_text(shape), " as the configuration has it");
    }
    return found;
  }

  /// Number of rows in the sense of read_rows.
  [[nodiscard]] static std::size_t rows_of(std::vector<std::int64_t> const& shape) noexcept {
    std::size_t rows = 1;
    for (std::size_t i = 0; i + 1 < shape.size(); ++i) rows *= static_cast<std::size_t>(shape[i]);
    return rows;
  }

 protected:
  /// Called when a tensor has been converted as a whole.
  virtual void discard(std::string_view name) const = 0;

  [[noreturn]] void refuse_missing(std::string_view name) const {
    fail<FileError>("[", path(), "] lacks the tensor ", printable(name), "; it holds ", names().size(), " others");
  }
  void check_rows(std::string_view name, std::size_t first, std::size_t last, std::size_t rows) const {
    if (first > last || last > rows)
      fail<ShapeError>("[", path(), "] tensor ", printable(name), " has ", rows, " rows; got the request [", first,
                       ", ", last, ")");
  }
};

}  // namespace graft
