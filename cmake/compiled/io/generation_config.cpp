#include <graft/io/generation_config.hpp>
#include <graft/io/generation_reader.hpp>

namespace graft::detail {

template GenerationConfig read_generation_of<void>(std::filesystem::path const&, nlohmann::json const&);
template void complete_generation<void>(ModelConfig&, GenerationConfig const&);

}  // namespace graft::detail
