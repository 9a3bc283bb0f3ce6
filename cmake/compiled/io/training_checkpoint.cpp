#include <graft/train/checkpoint.hpp>

namespace graft {

template void save_checkpoint(std::filesystem::path const&, SavedTraining<float> const&);
template void save_checkpoint(std::filesystem::path const&, SavedTraining<double> const&);
template std::optional<SavedTraining<float>> load_checkpoint(std::filesystem::path const&, std::vector<std::string>*);
template std::optional<SavedTraining<double>> load_checkpoint(std::filesystem::path const&, std::vector<std::string>*);

}  // namespace graft
