#include <graft/data/read_data.hpp>

namespace graft::detail {

template std::vector<Example> read_data<void>(std::filesystem::path const&, DataOptions const&);
template std::vector<LabelledText> read_labels<void>(std::filesystem::path const&, DataOptions const&);

}  // namespace graft::detail
