// Bases and adapters of a GPU: the host's numbers, hashes and files.
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <graft/adaptation/lora.hpp>
#include <graft/io/save_adapter.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/to_device.hpp>
#include <graft/weights/blocks.hpp>

#include "../model/small_model.hpp"
#include "device_testing.hpp"

namespace {

using namespace graft;
using graft::testing::relative_difference;
namespace fs = std::filesystem;

class CudaBase : public graft::testing::DeviceTest {};

/// A small LLaMA with a matrix in bfloat16 and one in half.
Base<Llama> mixed_base(std::uint64_t seed) {
  auto base = std::make_shared<Pretrained<Llama>>(*small::base<Llama, float>(seed));
  auto const narrowed = [&](Site site, auto tag) {
    auto& matrix = base->mutable_at({site, {Stack::decoder, 1}}).matrix;
    matrix = {cast<decltype(tag)>(matrix.dense()), matrix.layout()};
  };
  narrowed(Site::query, bfloat16{});
  narrowed(Site::feed_forward_up, half{});
  return base;
}

TEST_F(CudaBase, KeepsStoragesNumbersAndHash) {
  auto const here = mixed_base(3);
  auto const there = to_device<Cuda>(here);
  auto const back = to_device<Cpu>(there);
  EXPECT_EQ(there->weights_hash(), here->weights_hash());
  EXPECT_EQ(back->weights_hash(), here->weights_hash());
  EXPECT_NE(to_device<Cuda>(mixed_base(4))->weights_hash(), here->weights_hash());
  for (auto const& site : here->info().sites) {
    auto const &from = here->at(site.address).matrix, &to = back->at(site.address).matrix;
    ASSERT_EQ(to.empty(), from.empty()) << site.name;
    if (from.empty()) continue;
    EXPECT_EQ(to.storage()->name(), from.storage()->name()) << site.name;
    EXPECT_EQ(to.layout(), from.layout()) << site.name;
    EXPECT_NE(to.storage()->address(), from.storage()->address()) << site.name;
  }
}

class CudaAdapter : public graft::testing::DeviceTest {
 protected:
  ~CudaAdapter() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  /// What is written of a state into a folder of this name, both files.
  template <class Device>
  std::string written(char const* name, StateOf<LoRA, float, Device>& state) const {
    fs::path const folder = folder_ / name;
    fs::create_directories(folder);
    detail::write_adapter<float, Device>(settings_, state, base_->info(), folder, folder, "", AdapterFormat::automatic);
    std::string bytes;
    for (char const* const file : {"adapter_config.json", "adapter_model.safetensors"}) {
      std::ifstream in(folder / file, std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(in), {});
    }
    return bytes;
  }
  template <class Device>
  [[nodiscard]] StateOf<LoRA, float, Device> state(std::uint64_t seed) const {
    return {settings_, base_->info(), {}, RandomKey(seed)};
  }

  Base<Llama> const base_ = small::base<Llama, float>();
  LoRA const settings_{.rank = 2};
  fs::path const folder_ = fs::temp_directory_path() / ("graft_cuda_" + std::to_string(::getpid()));
};

TEST_F(CudaAdapter, FilesAreTheHosts) {
  auto here = state<Cpu>(5);
  auto there = state<Cuda>(5), other = state<Cuda>(6);
  std::string const expected = written("here", here);
  EXPECT_GT(expected.size(), 1000U);
  EXPECT_EQ(written("there", there), expected);
  EXPECT_NE(written("other", other), expected);

  auto tensors = adapter_tensors<LoRA, float, Cuda>(other);
  for (auto& tensor : tensors) tensor.name = detail::peft_name<LoRA>(tensor.name);
  read_adapter_tensors(SafetensorsFile(folder_ / "here" / "adapter_model.safetensors"), tensors, "this model");
  auto const expected_parameters = here.parameters();
  auto const read = other.parameters();
  ASSERT_EQ(read.size(), expected_parameters.size());
  for (std::size_t i = 0; i < read.size(); ++i)
    EXPECT_EQ(relative_difference(to_device<Cpu>(read[i]->value()), expected_parameters[i]->value()), 0)
        << read[i]->name();
}

}  // namespace
