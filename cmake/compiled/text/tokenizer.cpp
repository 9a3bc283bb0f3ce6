#include <graft/io/load_tokenizer.hpp>

namespace graft::detail {

template Tokenizer read_tokenizer<>(std::filesystem::path const&);
template Tokenizer read_tokenizer_files<>(std::filesystem::path const&);

}  // namespace graft::detail
