#include <graft/io/peft/name_pattern.hpp>
#include <graft/io/peft/pattern_spelling.hpp>

namespace graft::detail {

template std::function<bool(std::string_view)> compile_name_pattern<void>(std::string_view);

}  // namespace graft::detail
