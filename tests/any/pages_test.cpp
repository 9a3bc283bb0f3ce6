// The table of settings on every strategy's page is what the strategy's own `visit` says: names, defaults, sentences.
// GRAFT_WRITE_PAGES=1 writes the tables anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <graft/any/named_settings.hpp>
#include <graft/any/strategies.hpp>

namespace {

using namespace graft;

std::filesystem::path page_of(std::string const& name) {
  std::string const file = name == FullFineTuning::name ? "full_fine_tuning" : name;
  return std::filesystem::path(GRAFT_SOURCE_DIR) / "docs" / "strategies" / (file + ".md");
}

std::string read(std::filesystem::path const& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The table of a strategy's settings, as the pages have it.
template <class Settings>
std::string table_of() {
  std::vector<any::SettingInfo> settings;
  any::describe_settings(settings, Settings{});
  std::string text = "| setting | default | meaning |\n|-|-|-|\n";
  for (auto const& setting : settings) {
    std::string choices;
    for (auto const& name : setting.choices) choices += (choices.empty() ? "" : ", ") + ("`" + name + "`");
    text += "| `" + setting.name + "` | `" + setting.fallback + "` | " + setting.help +
            (choices.empty() ? "" : " (" + choices + ")") + " |\n";
  }
  return text;
}

template <class Settings>
void check_page() {
  auto const path = page_of(Settings::name);
  std::string const page = read(path), table = table_of<Settings>();
  ASSERT_FALSE(page.empty()) << path;
  std::size_t const heading = page.find("## Settings\n");
  ASSERT_NE(heading, std::string::npos) << path << " has no section Settings";
  std::size_t const begin = page.find("| setting |", heading), next = page.find("\n## ", heading + 1);
  ASSERT_LT(begin, next) << path << " has no table of settings; expected\n" << table;
  std::size_t end = begin;
  while (end < page.size() && page[end] == '|') end = page.find('\n', end) + 1;
  if (char const* const write = std::getenv("GRAFT_WRITE_PAGES"); write && *write) {
    std::ofstream(path) << page.substr(0, begin) << table << page.substr(end);
    return;
  }
  EXPECT_EQ(page.substr(begin, end - begin), table)
      << path << ": its table is not what " << Settings::name
      << "'s visit says; GRAFT_WRITE_PAGES=1 with this test writes it anew";
}

template <class List>
struct Pages;
template <class... Settings>
struct Pages<any::TypeList<Settings...>> {
  static void check() {
    auto const check_one = []<class One>() {
      if constexpr (!IsComposed<One>::value && !std::is_same_v<One, NoAdaptation>) check_page<One>();
    };
    (check_one.template operator()<Settings>(), ...);
  }
};

TEST(Pages, HaveTheSettingsOfTheirStrategies) { Pages<any::Strategies::Types>::check(); }

TEST(Pages, OfTheListAreThere) {
  std::string const list = read(std::filesystem::path(GRAFT_SOURCE_DIR) / "docs" / "strategies.md");
  any::Strategies::each([&]<class Entry>() {
    using Settings = any::EntrySettings<Entry>;
    if constexpr (!IsComposed<Settings>::value && !std::is_same_v<Settings, NoAdaptation>) {
      EXPECT_NE(list.find("strategies/" + page_of(Settings::name).filename().string()), std::string::npos)
          << Settings::name;
    }
  });
}

}  // namespace
