#include <graft/train/model_identity.hpp>

namespace graft::detail {

template nlohmann::json identity_json<void>(nlohmann::json, std::string const&, std::optional<std::uint64_t>,
                                            std::string const&, ModelConfig const&, nlohmann::json);

}  // namespace graft::detail
