#include <graft/io/model_config.hpp>

namespace graft::detail {

template ModelConfig read_model_config<>(nlohmann::json const&, std::string const&);

}  // namespace graft::detail
