#pragma once

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "reproduce/tables.hpp"

namespace lacuna::experiment {

/// Of how many seeds a kept cell is.
inline int seeds_of(const nlohmann::json& cell) { return cell.is_null() ? 0 : cell.at("seeds").get<int>(); }

/// Whether a kept table has any outcome in a column.
inline bool has_outcomes(const nlohmann::json& table, std::size_t column) {
  const auto& rows = table.at("rows");
  return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return !row.at("cells").at(column).is_null(); });
}

/// Gives a table the settings of another's columns where it has no outcomes itself. Throws: DataError where both have, of
/// different columns or settings.
inline void join_columns(nlohmann::json& table, const nlohmann::json& other, const std::string& name) {
  auto& columns = table.at("columns");
  const auto& others = other.at("columns");
  require<DataError>(columns.size() == others.size(), name, columns.size(), " and ", others.size(), " columns");
  const auto bare = [](nlohmann::json column) {
    column.erase("settings");
    return column;
  };
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c] == others[c]) continue;
    const bool own = has_outcomes(table, c);
    require<DataError>(bare(columns[c]) == bare(others[c]) && !(own && has_outcomes(other, c)), name,
                       "columns or their settings differ");
    if (!own) columns[c] = others[c];
  }
}

/// @brief Tables that were made in several places as one each, in the order of the first of each: a cell is from the file that
/// has it of most seeds, a row that some lack stands where the longest has it. Seconds are those of all files, what was made in
/// two of them counted twice. Throws: DataError where files of a table are of different versions, budgets or columns, have
/// outcomes of different settings in a column, or disagree in a cell of as many seeds.
inline std::vector<nlohmann::json> joined(const std::vector<nlohmann::json>& parts) try {
  std::vector<nlohmann::json> tables;
  const auto same = [](const nlohmann::json& a, const nlohmann::json& b, const char* what) {
    return a.value(what, "") == b.value(what, "");
  };
  for (nlohmann::json part : parts) {
    const auto of_table = [&](const auto& t) { return t.at("table") == part.at("table"); };
    const auto found = std::find_if(tables.begin(), tables.end(), of_table);
    if (found == tables.end()) {
      tables.push_back(std::move(part));
      continue;
    }
    if (part == *found) continue;
    if (part.at("rows").size() > found->at("rows").size()) std::swap(part, *found);
    const std::string name = text("table ", found->at("table").get<int>(), " of several files: ");
    require<DataError>(same(part, *found, "budget"), name, "budgets ", found->value("budget", ""), " and ",
                       part.value("budget", ""));
    require<DataError>(same(part, *found, "version"), name, "made by versions ", found->value("version", ""), " and ",
                       part.value("version", ""));
    join_columns(*found, part, name);
    for (const auto& row : part.at("rows")) {
      auto& rows = found->at("rows");
      const auto its = std::find_if(rows.begin(), rows.end(),
                                    [&](const auto& r) { return same(r, row, "label") && same(r, row, "filled_gaps"); });
      if (its == rows.end()) {
        rows.push_back(row);
        continue;
      }
      for (std::size_t c = 0; c < row.at("cells").size(); ++c) {
        auto& cell = its->at("cells").at(c);
        const auto& other = row.at("cells").at(c);
        require<DataError>(seeds_of(cell) != seeds_of(other) || cell == other, name, row.value("label", ""), ", ",
                           part.at("columns").at(c).value("label", ""), " has two outcomes");
        if (seeds_of(cell) < seeds_of(other)) cell = other;
      }
    }
    for (const auto& made : part.at("made"))
      if (auto& all = found->at("made"); std::find(all.begin(), all.end(), made) == all.end()) all.push_back(made);
    found->at("seconds") = found->at("seconds").get<double>() + part.at("seconds").get<double>();
  }
  return tables;
} catch (const nlohmann::json::exception& error) {
  throw DataError(text("no table of lacuna-reproduce: ", error.what()));
}

/// Calls visit(cell, job and settings) for the cells of a kept table that are in the paper's of that number.
template <class Visit>
void for_known_cells(nlohmann::json& kept, const Visit& visit) {
  for (const Table& table : tables()) {
    if (kept.at("table") != table.number) continue;
    for (auto& row : kept.at("rows"))
      for (std::size_t r = 0; r < table.rows.size(); ++r) {
        if (row.at("label") != table.rows[r].label) continue;
        for (std::size_t c = 0; c < std::min(table.columns.size(), row.at("cells").size()); ++c) {
          const auto& column = kept.at("columns").at(c);
          if (column.at("set") == table.columns[c].set && column.at("gaps") == table.columns[c].gaps)
            visit(row.at("cells").at(c), table.job(r, c).key() + column.value("settings", nlohmann::json()).dump());
        }
      }
  }
}

/// @brief Gives tables the cells that they lack and another of them has, which measured the same: the same job with the same
/// settings. What a table has of fewer seeds it keeps: its rows are compared with each other. Whose cells a table was given is
/// listed in its "shared"; its seconds are still those of its own. Throws: DataError for JSON that is no table.
inline void share_cells(std::vector<nlohmann::json>& tables) try {
  struct Known {
    int table, seeds;
    nlohmann::json cell;
  };
  std::map<std::string, Known> known;  // of most seeds, in the first table that has so many
  const auto name = [](const nlohmann::json& table, const std::string& cell) {
    return table.value("budget", "") + " " + table.value("version", "") + " " + cell;
  };
  for (auto& table : tables)
    for_known_cells(table, [&](const nlohmann::json& cell, const std::string& measured) {
      const Known own{table.at("table").get<int>(), seeds_of(cell), cell};
      if (own.seeds == 0) return;
      const auto [found, fresh] = known.try_emplace(name(table, measured), own);
      if (!fresh && found->second.seeds < own.seeds) found->second = own;
    });
  for (auto& table : tables) {
    std::set<int> shared;
    for_known_cells(table, [&](nlohmann::json& cell, const std::string& measured) {
      const auto found = known.find(name(table, measured));
      if (!cell.is_null() || found == known.end()) return;
      cell = found->second.cell;
      shared.insert(found->second.table);
    });
    if (!shared.empty()) table["shared"] = shared;
  }
} catch (const nlohmann::json::exception& error) {
  throw DataError(text("no table of lacuna-reproduce: ", error.what()));
}

}  // namespace lacuna::experiment
