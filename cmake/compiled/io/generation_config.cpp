#include <graft/io/generation_config.hpp>

namespace graft::detail {

template GenerationConfig read_generation_config<>(nlohmann::json const&, std::string const&, bool);

}  // namespace graft::detail
