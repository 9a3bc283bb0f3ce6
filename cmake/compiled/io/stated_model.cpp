#include <graft/io/read_stated_model.hpp>
#include <graft/io/stated_model.hpp>

namespace graft::detail {

template StatedConfig stated_config<void>(Checkpoint const&);
template ModelConfig completed_config<void>(Checkpoint const&, StatedConfig const&);
template std::string main_storage<void>(Checkpoint const&);
template StoredSites stored_sites<void>(Checkpoint const&, ModelConfig const&, bool, std::vector<SiteInfo> const&);

}  // namespace graft::detail
