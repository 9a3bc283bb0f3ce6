#include <graft/io/template_file.hpp>

namespace graft::detail {

template std::string write_template<>(AdapterTemplate const&);
template AdapterTemplate read_template<>(std::filesystem::path const&);

}  // namespace graft::detail
