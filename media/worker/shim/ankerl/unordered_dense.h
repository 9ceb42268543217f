// Stands in for the header-only library ankerl::unordered_dense, which Debian and Ubuntu do not package.
// The worker uses three of its names and only what they share with the standard containers, so an alias is
// enough. A use that the standard containers do not offer fails to compile; it cannot misbehave quietly.
#pragma once

#include <functional>
#include <unordered_map>
#include <unordered_set>

namespace ankerl::unordered_dense {

template <typename Key>
using hash = std::hash<Key>;

template <typename Key, typename Value, typename Hash = std::hash<Key>, typename Equal = std::equal_to<Key>>
using map = std::unordered_map<Key, Value, Hash, Equal>;

template <typename Key, typename Hash = std::hash<Key>, typename Equal = std::equal_to<Key>>
using set = std::unordered_set<Key, Hash, Equal>;

} // namespace ankerl::unordered_dense
