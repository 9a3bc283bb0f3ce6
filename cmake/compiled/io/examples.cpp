#include <graft/data/read_data.hpp>

namespace graft::detail {

template std::vector<Example> read_data<>(std::filesystem::path const&, DataOptions const&);
template std::vector<LabelledText> read_labels<>(std::filesystem::path const&, DataOptions const&);

}  // namespace graft::detail
