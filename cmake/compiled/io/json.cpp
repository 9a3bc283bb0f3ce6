#include <graft/io/json.hpp>

template class nlohmann::basic_json<>;

namespace graft::detail {

template nlohmann::json parse_within_limits(std::string_view, std::string const&, JsonLimits const&);
template void read_json_events(std::string_view, nlohmann::json::json_sax_t&);

}  // namespace graft::detail
