/// @file
/// @brief What a strategy keeps of each site that it acts on, found by the site's address.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

#include <graft/nn/site.hpp>

namespace graft {

/// An item of a site, which it names.
template <class T>
concept SiteItem = requires(T const& item) {
  { item.site } -> std::convertible_to<SiteAddress const&>;
};

/// Items of sites, at most one a site, in the order in which they came. `find` is one look-up by stack, layer and site,
/// however many there are. Pointers into the table last until the next item is added.
template <SiteItem T>
class SiteTable {
 public:
  /// Adds the item of a site that has none yet.
  void push_back(T item) {
    auto& index = index_[stack_of(item.site)];
    std::size_t const at = place_of(item.site);
    if (index.size() <= at) index.resize((at / site_count + 1) * site_count, none);
    index[at] = static_cast<int>(items_.size());
    items_.push_back(std::move(item));
  }
  /// The site's item; null where it has none.
  [[nodiscard]] T const* find(SiteAddress const& site) const {
    int const i = number_of(site);
    return i == none ? nullptr : &items_[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] T* find(SiteAddress const& site) {
    int const i = number_of(site);
    return i == none ? nullptr : &items_[static_cast<std::size_t>(i)];
  }

  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] T const& operator[](std::size_t i) const { return items_[i]; }
  [[nodiscard]] T& operator[](std::size_t i) { return items_[i]; }
  [[nodiscard]] auto begin() const { return items_.begin(); }
  [[nodiscard]] auto end() const { return items_.end(); }
  [[nodiscard]] auto begin() { return items_.begin(); }
  [[nodiscard]] auto end() { return items_.end(); }

 private:
  static constexpr int none = -1;

  static std::size_t stack_of(SiteAddress const& site) { return static_cast<std::size_t>(site.at.stack); }
  /// Sites that a stack or a model has once are of layer −1.
  static std::size_t place_of(SiteAddress const& site) {
    return static_cast<std::size_t>(site.at.layer + 1) * site_count + static_cast<std::size_t>(site.site);
  }
  [[nodiscard]] int number_of(SiteAddress const& site) const {
    auto const& index = index_[stack_of(site)];
    std::size_t const at = place_of(site);
    return at < index.size() ? index[at] : none;
  }

  std::vector<T> items_;
  std::array<std::vector<int>, 2> index_;  ///< of every stack: places of items, by layer and site
};

}  // namespace graft
