#include <graft/io/load_pretrained.hpp>

namespace graft::detail {

template Tensor<float> load_tensor(Checkpoint const&, std::string const&, std::vector<std::int64_t> const&);
template Tensor<double> load_tensor(Checkpoint const&, std::string const&, std::vector<std::int64_t> const&);
template FrozenMatrix<float> load_matrix(Checkpoint const&, std::string const&, SiteInfo const&);
template FrozenMatrix<double> load_matrix(Checkpoint const&, std::string const&, SiteInfo const&);

}  // namespace graft::detail
