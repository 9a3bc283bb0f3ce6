// Every adapter folder of PEFT's under GRAFT_FIXTURES whose architecture and method are built.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "fixture_cases.hpp"

namespace {

namespace fs = std::filesystem;
using adapter_fixtures::Case;

/// The base of an adapter: `model/` or config.json in the nearest folder above.
std::optional<Case> find_case(fs::path const& adapter, fs::path const& root) {
  for (fs::path at = adapter.parent_path(); at.string().size() >= root.string().size(); at = at.parent_path()) {
    for (auto const& model : {at / "model", at})
      if (fs::exists(model / "config.json")) return Case{adapter, model, fs::exists(model / "model.safetensors")};
    if (at == at.root_path()) break;
  }
  return std::nullopt;
}

/// Runs the case; says why not otherwise.
std::string run(Case const& at) {
  auto const config = graft::read_json(at.adapter / "adapter_config.json");
  std::string const type = config.value("peft_type", std::string());
  bool const known = std::any_of(graft::peft_types.begin(), graft::peft_types.end(),
                                 [&](auto const& item) { return type == item.first; });
  std::string const architecture =
      graft::model_config(graft::read_json(at.model / "config.json"), at.model.string()).architecture;
  if (!known) return type + " is not built yet";
  auto const dtype = graft::SafetensorsFile(at.adapter / "adapter_model.safetensors").entries().at(0).dtype;
  auto const runner = adapter_fixtures::runners().find(architecture + "/" +
                                                       std::string(dtype == graft::Dtype::f64 ? "float64" : "float32"));
  if (runner == adapter_fixtures::runners().end()) return architecture + " is not built yet";
  SCOPED_TRACE(at.adapter.string());
  try {
    runner->second(at);
  } catch (std::exception const& error) {
    ADD_FAILURE() << error.what();
  }
  return {};
}

}  // namespace

TEST(AdapterFixtures, LoadedAndWrittenAgain) {
  char const* const variable = std::getenv("GRAFT_FIXTURES");
  fs::path const root = variable ? fs::path(variable) : fs::path(GRAFT_SOURCE_DIR) / ".." / "shared" / "fixtures";
  if (!variable && !fs::is_directory(root))
    GTEST_SKIP() << "no folder of fixtures: GRAFT_FIXTURES is not set and " << root << " is absent";
  ASSERT_TRUE(fs::is_directory(root)) << "GRAFT_FIXTURES names no folder: " << root;
  std::vector<fs::path> adapters;
  for (auto const& entry : fs::recursive_directory_iterator(root))
    if (entry.path().filename() == "adapter_config.json") adapters.push_back(entry.path().parent_path());
  std::sort(adapters.begin(), adapters.end());
  int ran = 0;
  for (auto const& adapter : adapters) {
    auto const at = find_case(adapter, root);
    std::string const why = at ? run(*at) : "no config.json of its base";
    ran += why.empty();
    std::cout << (why.empty() ? "  ran      " : "  skipped  ") << fs::relative(adapter, root).string()
              << (why.empty() ? "" : ": " + why) << "\n";
  }
  EXPECT_GT(ran, 0) << "no adapter of PEFT's under " << root;
}
