#include <graft/io/base_configuration.hpp>
#include <graft/io/configuration_json.hpp>

namespace graft::detail {

template nlohmann::json configuration_json<void>(ModelConfig const&);
template std::optional<ConfiguredDifference> first_difference<void>(nlohmann::json const&, nlohmann::json const&);

}  // namespace graft::detail
