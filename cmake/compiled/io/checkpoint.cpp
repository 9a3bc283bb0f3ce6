#include <graft/io/checkpoint_kinds.hpp>
#include <graft/io/open_checkpoint.hpp>

namespace graft::detail {

template std::shared_ptr<Checkpoint const> open_any_checkpoint<void>(std::filesystem::path const&, FileAccess);

}  // namespace graft::detail
