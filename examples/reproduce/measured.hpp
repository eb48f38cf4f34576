#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/version.hpp"
#include "reproduce/origin.hpp"
#include "reproduce/results.hpp"
#include "reproduce/tables.hpp"

namespace lacuna::experiment {

/// @brief The cells of a table: statistics over seeds, [row][column]; of none where no outcome is there.
struct Measured {
  Table table;
  std::string budget{};
  std::vector<nlohmann::json> settings{};  ///< of each column; null where the budget has none
  std::vector<std::vector<Statistics>> errors{}, missing{};
  double seconds = 0;             ///< of all outcomes and trainings, now or before
  std::vector<Origin> origins{};  ///< of these, each once
  std::string note{};             ///< what was left out, and what it needs
};

/// @brief The form in which a table is kept, printed and shown in the documentation.
inline nlohmann::json table_json(const Measured& m) {
  const auto number = [](double value) { return std::isnan(value) ? nlohmann::json() : nlohmann::json(value); };
  nlohmann::json json{{"table", m.table.number},
                      {"title", m.table.title},
                      {"unit", m.table.unit},
                      {"budget", m.budget},
                      {"version", version},
                      {"seconds", m.seconds},
                      {"made", nlohmann::json::array()},
                      {"columns", nlohmann::json::array()},
                      {"rows", nlohmann::json::array()}};
  if (!m.note.empty()) json["note"] = m.note;
  for (const Origin& o : m.origins) json["made"].push_back(o.json());
  for (std::size_t c = 0; c < m.table.columns.size(); ++c) {
    const Column& column = m.table.columns[c];
    json["columns"].push_back({{"label", column.label}, {"set", column.set}, {"gaps", column.gaps}, {"network", column.network}});
    if (!m.settings[c].is_null()) json["columns"].back()["settings"] = m.settings[c];
  }
  for (std::size_t r = 0; r < m.table.rows.size(); ++r) {
    nlohmann::json cells = nlohmann::json::array(), paper = nlohmann::json::array();
    for (std::size_t c = 0; c < m.table.columns.size(); ++c) {
      const auto &e = m.errors[r][c], &missing = m.missing[r][c];
      nlohmann::json cell;
      if (!e.values.empty())
        cell = {{"mean", e.mean}, {"deviation", number(e.deviation)}, {"missing", missing.mean}, {"seeds", e.values.size()}};
      if (e.values.size() > 1) cell["by_seed"] = e.values;
      cells.push_back(std::move(cell));
    }
    for (const Printed& p : m.table.rows[r].paper)
      paper.push_back({{"mean", number(p.mean)}, {"deviation", number(p.deviation)}});
    json["rows"].push_back({{"label", m.table.rows[r].label}, {"cells", cells}, {"paper", paper}});
    const Job& job = m.table.rows[r].job;
    if (!job.test_gaps.empty()) json["rows"].back()["filled_gaps"] = job.test_gaps;
    if (!job.classical() && !job.network.empty()) json["rows"].back()["network"] = job.network;  // not the column's
  }
  return json;
}

/// @brief A table as words: ours, and the paper's in brackets. Columns and rows without any outcome are left out.
struct Sheet {
  std::string title, unit;
  std::vector<std::string> columns;
  struct Line {
    std::string label;
    std::vector<std::string> cells;
  };
  std::vector<Line> lines;
  std::string made;  ///< budget, seeds, commit and machine
  std::string note;

  /// bold: mark the least of ours in each column, among rows that fill the same gaps. Throws: DataError for JSON that is no
  /// table.
  explicit Sheet(const nlohmann::json& table, bool bold = false) try
      : title(text("Table ", table.at("table").get<int>(), ", ", table.at("title").get<std::string>())),
        unit(table.at("unit")),
        note(table.value("note", "")) {
    const auto& rows = table.at("rows");
    std::vector<std::size_t> shown;
    for (std::size_t c = 0; c < table.at("columns").size(); ++c)
      if (std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return !row.at("cells").at(c).is_null(); })) {
        shown.push_back(c);
        columns.push_back(table.at("columns").at(c).at("label"));
      }
    for (const auto& row : rows) {
      const auto& cells = row.at("cells");
      if (std::all_of(shown.begin(), shown.end(), [&](std::size_t c) { return cells.at(c).is_null(); })) continue;
      Line line{row.at("label"), {}};
      for (const std::size_t c : shown)
        line.cells.push_back(cell(cells.at(c), row.at("paper").empty() ? nlohmann::json() : row.at("paper").at(c),
                                  bold && cells.at(c) == least(rows, c, row.value("filled_gaps", ""))));
      lines.push_back(std::move(line));
    }
    made = origin(table);
  } catch (const nlohmann::json::exception& error) {
    throw DataError(text("no table of lacuna-reproduce: ", error.what()));
  }

 private:
  static const nlohmann::json& least(const nlohmann::json& rows, std::size_t c, const std::string& gaps) {
    const auto mean = [&](const nlohmann::json& row) {
      const auto& cell = row.at("cells").at(c);
      return cell.is_null() || row.value("filled_gaps", "") != gaps ? std::numeric_limits<double>::infinity()
                                                                    : cell.at("mean").get<double>();
    };
    return std::min_element(rows.begin(), rows.end(), [&](const auto& a, const auto& b) { return mean(a) < mean(b); })
        ->at("cells")
        .at(c);
  }

  static std::string words(const nlohmann::json& of) {
    char buffer[64];
    if (of.at("deviation").is_null())
      std::snprintf(buffer, sizeof buffer, "%.4g", of.at("mean").get<double>());
    else
      std::snprintf(buffer, sizeof buffer, "%.4g +- %.2g", of.at("mean").get<double>(), of.at("deviation").get<double>());
    return buffer;
  }

  static std::string cell(const nlohmann::json& ours, const nlohmann::json& paper, bool bold) {
    std::string all = ours.is_null() ? "-" : bold ? "**" + words(ours) + "**" : words(ours);
    if (!paper.is_null() && !paper.at("mean").is_null()) all += " (" + words(paper) + ")";
    return all;
  }

  static std::string origin(const nlohmann::json& table) {
    std::size_t fewest = 0, most = 0;
    for (const auto& row : table.at("rows"))
      for (const auto& cell : row.at("cells")) {
        if (cell.is_null()) continue;
        const auto seeds = cell.at("seeds").get<std::size_t>();
        fewest = fewest == 0 ? seeds : std::min(fewest, seeds);
        most = std::max(most, seeds);
      }
    std::string all = text("Budget ", table.at("budget").get<std::string>(), "; ");
    all += fewest == most ? text(most, most == 1 ? " seed" : " seeds") : text(fewest, " to ", most, " seeds");
    for (const auto& made : table.at("made")) {
      all += text("; commit ", made.at("commit").get<std::string>(), ", ", made.at("machine").get<std::string>(), ", ",
                  made.at("threads").get<int>(), made.at("threads") == 1 ? " thread" : " threads");
      const std::string device = made.value("device", "cpu");
      if (device != "cpu") all += ", " + device;
    }
    if (const auto shared = table.find("shared"); shared != table.end()) {
      const char* before = shared->size() == 1 ? "; some cells are those of table " : "; some cells are those of tables ";
      for (const auto& number : *shared) all += text(std::exchange(before, " and "), number.get<int>());
    }
    char minutes[32];
    std::snprintf(minutes, sizeof minutes, "; %.0f min in all", table.at("seconds").get<double>() / 60);
    return all + minutes;
  }
};

/// @brief A table for a terminal.
inline void print(const Sheet& sheet, std::FILE* out) {
  std::size_t longest = 0;
  for (const auto& line : sheet.lines) longest = std::max(longest, line.label.size());
  const int first = static_cast<int>(longest) + 2;
  std::fprintf(out, "\n%s (%s)\nmean and deviation over seeds; in brackets the paper's, of its own data and budget\n%-*s",
               sheet.title.c_str(), sheet.unit.c_str(), first, "");
  for (const auto& column : sheet.columns) std::fprintf(out, "%-34s", column.c_str());
  std::fprintf(out, "\n");
  for (const auto& line : sheet.lines) {
    std::fprintf(out, "%-*s", first, line.label.c_str());
    for (const auto& cell : line.cells) std::fprintf(out, "%-34s", cell.c_str());
    std::fprintf(out, "\n");
  }
  if (!sheet.note.empty()) std::fprintf(out, "%s\n", sheet.note.c_str());
  std::fprintf(out, "%s\n", sheet.made.c_str());
}

/// @brief A table for a page in Markdown.
inline std::string markdown(const Sheet& sheet) {
  std::string page = text("### ", sheet.title, "\n\n", sheet.unit, ".\n\n| method |");
  for (const auto& column : sheet.columns) page += " " + column + " |";
  page += "\n| --- |";
  for (std::size_t c = 0; c < sheet.columns.size(); ++c) page += " --- |";
  page += "\n";
  for (const auto& line : sheet.lines) {
    page += "| " + line.label + " |";
    for (const auto& cell : line.cells) page += " " + cell + " |";
    page += "\n";
  }
  return page + "\n" + sheet.made + ".\n";
}

/// @brief Reads a table that was kept. Throws: DataError naming the file.
inline nlohmann::json read_table(const std::filesystem::path& path) {
  std::ifstream in(path);
  require<DataError>(in.good(), path.string(), ": cannot be read");
  auto json = nlohmann::json::parse(in, nullptr, false);
  require<DataError>(json.is_object() && json.contains("table"), path.string(), ": is no table of lacuna-reproduce");
  return json;
}

}  // namespace lacuna::experiment
