#include <graft/io/model_config.hpp>
#include <graft/io/read_model_config.hpp>

namespace graft::detail {

template ModelConfig read_model_config<void>(nlohmann::json const&, std::string const&);

}  // namespace graft::detail
