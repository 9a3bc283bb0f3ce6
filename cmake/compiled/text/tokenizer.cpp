#include <graft/io/load_tokenizer.hpp>
#include <graft/io/read_tokenizer.hpp>

namespace graft::detail {

template Tokenizer read_tokenizer<void>(std::filesystem::path const&);
template Tokenizer read_tokenizer_files<void>(std::filesystem::path const&);

}  // namespace graft::detail
