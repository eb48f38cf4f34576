#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fill/methods.hpp"
#include "lacuna/data/stale_files.hpp"
#include "reproduce/comparison.hpp"
#include "reproduce/era5.hpp"
#include "reproduce/measured.hpp"
#include "reproduce/results.hpp"
#include "reproduce/runner.hpp"
#include "reproduce/tables.hpp"

namespace lacuna::experiment {

/// @brief What lacuna-reproduce is told.
struct ReproduceOptions {
  std::string budget = "small";
  std::filesystem::path folder = "reproduce";           ///< samples, networks, outcomes, tables and pictures
  std::vector<std::string> columns{};                   ///< labels' words, such as "80" or "advection"; empty: all
  std::vector<std::string> rows{};                      ///< parts of their labels, such as "20 steps"; empty: all
  std::vector<std::string> era5{};                      ///< files of the set era5; without any its columns are left out
  std::vector<std::string> variables = era5_variables;  ///< of these files
  int seeds = 0;                                        ///< 0: the budget's
  int threads = 0;
  std::string commit = "unknown";  ///< of the sources, for whoever reads the figures
  DoesNetworkJobs networks{};      ///< on another device than the CPU
  bool opencv = fill::has_opencv;  ///< whether its fills are there
};

/// @brief Makes a table's outcomes, those that are not there yet, draws it, and writes it as JSON.
class Reproduction {
 public:
  /// Throws: DataError for files of era5 that cannot be read.
  Reproduction(Budget budget, ReproduceOptions options)
      : budget_(std::move(budget)), o_(std::move(options)), results_(o_.folder / o_.budget / "outcomes") {
    origin_ = {o_.commit, processor_name(), cpu::Device({.threads = o_.threads}).threads()};
    data::remove_stale_below(o_.folder / o_.budget);
    if (o_.era5.empty()) return;
    era5_ = std::make_shared<const data::NetcdfRecord>(o_.era5, o_.variables);
    const std::string word = content_word(*era5_);
    for (auto& [key, s] : budget_)
      if (key.starts_with("era5 ")) s.data = word;
  }

  /// Whether anything of a table is asked for and can be made.
  bool concerns(const Table& table) const {
    return std::any_of(table.columns.begin(), table.columns.end(), [&](const Column& c) { return wanted(c); }) &&
           std::any_of(table.rows.begin(), table.rows.end(), [&](const Row& row) { return wanted(row); });
  }

  /// The table has all outcomes that there are: also of columns and rows that are not wanted now, and of more seeds; where one
  /// cannot be made it is written with those there are, and the error names column, row and seed. Columns of era5 are left out,
  /// with a note, where its files were not named. Throws: OptionError where the budget has no settings for a wanted column, or no
  /// column matches or has files, or no row matches; DataError.
  nlohmann::json operator()(const Table& table) {
    require_wanted(table);
    Measured m{.table = table, .budget = o_.budget, .note = what_is_left_out(table)};
    m.errors.assign(table.rows.size(), std::vector<Statistics>(table.columns.size()));
    m.missing = m.errors;
    std::vector<const SetSettings*> known;
    for (const Column& column : table.columns) {
      known.push_back(settings(column));
      m.settings.push_back(known.back() != nullptr ? known.back()->json() : nlohmann::json());
      if (!has_data(column)) known.back() = nullptr;
    }
    const auto each = [&](const auto& visit) {
      for (std::size_t c = 0; c < known.size(); ++c)
        if (known[c] != nullptr) visit(c, *known[c]);
    };
    // Collected after all was made: meanwhile another program may have made some of it.
    const auto finish = [&](bool also_empty) {
      each([&](std::size_t c, const SetSettings& s) { collect(m, c, s); });
      auto json = table_json(m);
      if (also_empty || !m.origins.empty()) write(json);
      return json;
    };
    try {
      each([&](std::size_t c, const SetSettings& s) {
        if (wanted(table.columns[c])) make(table, table.columns[c], c, s);
      });
    } catch (...) {
      try {
        finish(false);
      } catch (const std::exception&) {  // the first error is the one to tell
      }
      throw;
    }
    return finish(true);
  }

 private:
  void require_wanted(const Table& table) const {
    const auto any = [](const auto& of, const auto& is) { return std::any_of(of.begin(), of.end(), is); };
    require<OptionError>(any(table.columns, [&](const Column& c) { return matches(c); }), "table ", table.number,
                         ": no column of it matches --columns");
    require<OptionError>(any(table.columns, [&](const Column& c) { return wanted(c); }), "table ", table.number,
                         ": its ERA5 columns need --era5 FILE... (docs/data-sets.md says how to get the files)");
    require<OptionError>(any(table.rows, [&](const Row& row) { return wanted(row); }), "table ", table.number,
                         ": no row of it matches --rows");
  }

  /// Whether an outcome can be had.
  bool available(const Job& job) const { return o_.opencv || (job.method != "telea" && job.method != "navier-stokes"); }

  std::string what_is_left_out(const Table& table) const {
    std::string note;
    if (std::any_of(table.rows.begin(), table.rows.end(), [&](const Row& row) { return !available(row.job); }))
      note = "Fast marching and Navier-Stokes inpainting are left out: build with OpenCV (Debian: libopencv-photo-dev)\n";
    if (std::any_of(table.columns.begin(), table.columns.end(), [&](const Column& c) { return matches(c) && !has_data(c); }))
      note += text("The ERA5 columns are left out: name their files by --era5 FILE...; to get them:\n", era5_request);
    return note;
  }

  bool has_data(const Column& column) const { return column.set != "era5" || era5_; }
  bool wanted(const Column& column) const { return matches(column) && has_data(column); }
  bool matches(const Column& column) const {
    if (o_.columns.empty()) return true;
    return std::any_of(o_.columns.begin(), o_.columns.end(), [&](const std::string& word) {
      return column.label.find(word) != std::string::npos || column.set == word || column.gaps == word;
    });
  }

  bool wanted(const Row& row) const {
    return o_.rows.empty() || std::any_of(o_.rows.begin(), o_.rows.end(),
                                          [&](const std::string& word) { return row.label.find(word) != std::string::npos; });
  }

  /// A column's settings; none where the budget has none and the column is not wanted.
  const SetSettings* settings(const Column& column) const {
    const std::string key = column.set + (Gaps(column.gaps).blocks ? " blocks" : " pixels");
    const auto found = budget_.find(key);
    require<OptionError>(found != budget_.end() || !wanted(column), "budget ", o_.budget, " has no settings for ", key);
    return found != budget_.end() ? &found->second : nullptr;
  }

  /// Runs `work`; an error of it says first what it was doing.
  template <class Work>
  static void naming(const std::string& what, const Work& work) try {
    work();
  } catch (const OptionError& error) {
    throw OptionError(what + error.what());
  } catch (const ShapeError& error) {
    throw ShapeError(what + error.what());
  } catch (const DataError& error) {
    throw DataError(what + error.what());
  } catch (const Error& error) {
    throw Error(what + error.what());
  }

  static std::uint64_t number(int seed) { return static_cast<std::uint64_t>(seed); }

  /// Makes the outcomes of a column that are wanted and not there yet. Throws: an error of what made one, which says of which.
  void make(const Table& table, const Column& column, std::size_t c, const SetSettings& s) {
    for (int seed = 1; seed <= (o_.seeds > 0 ? o_.seeds : s.seeds); ++seed) {
      std::unique_ptr<Runner> runner;  // made when something is missing
      for (std::size_t r = 0; r < table.rows.size(); ++r) {
        const Job job = table.job(r, c);
        if (!wanted(table.rows[r]) || !available(job) || results_.load(job, s, number(seed))) continue;
        const std::string what = text(column.label, ", ", table.rows[r].label, ", seed ", seed, ": ");
        naming(what, [&] {
          if (!runner) runner = this->runner(column, s, seed);
          Outcome made = (*runner)(job);
          made.origin = {origin_.commit, origin_.machine, origin_.threads, made.origin.device};
          results_.save(job, s, number(seed), made);
          std::printf("  %s%.4g (missing positions %.4g), %.0f s\n", what.c_str(), made.errors.table, made.errors.missing,
                      made.seconds);
          std::fflush(stdout);
        });
      }
    }
  }

  /// Puts a column's outcomes into the table, all that there are, of however many seeds. Draws the column if it is wanted and one
  /// of them is newer than the picture.
  void collect(Measured& m, std::size_t c, const SetSettings& s) {
    const Column& column = m.table.columns[c];
    std::vector<std::vector<double>> errors(m.table.rows.size()), missing(m.table.rows.size());
    std::vector<Panel> panels;  // of what fills the column's own gaps
    std::set<std::string> trained;
    bool stale = false, found = true;
    const auto picture =
        o_.folder / o_.budget / text("table", m.table.number, "_", column.set, "_", column.gaps, "_", digest(s), ".png");
    for (int seed = 1; std::exchange(found, false); ++seed)
      for (std::size_t r = 0; r < m.table.rows.size(); ++r) {
        const Job job = m.table.job(r, c);
        const auto outcome = available(job) ? results_.load(job, s, number(seed)) : std::nullopt;
        if (!outcome) continue;
        found = true;
        errors[r].push_back(outcome->errors.table);
        missing[r].push_back(outcome->errors.missing);
        m.seconds += outcome->seconds;
        if (trained.insert(job.training() + std::to_string(seed)).second) m.seconds += outcome->training;
        if (std::find(m.origins.begin(), m.origins.end(), outcome->origin) == m.origins.end())
          m.origins.push_back(outcome->origin);
        if (seed > 1 || job.filled_gaps() != column.gaps) continue;
        panels.push_back({m.table.rows[r].label, outcome->shown});
        stale |= results_.newer(job, s, number(seed), picture);
      }
    for (std::size_t r = 0; r < errors.size(); ++r) {
      m.errors[r][c] = statistics(std::move(errors[r]));
      m.missing[r][c] = statistics(std::move(missing[r]));
    }
    if (!stale || !wanted(column)) return;
    const auto first = runner(column, s, 1);
    const Job shown{.set = column.set, .gaps = column.gaps, .method = {}};
    draw_comparison(text("Table ", m.table.number, ", ", column.label, ", budget ", o_.budget), first->grid().height(),
                    first->grid().width(), first->truth_shown(shown), first->observed_shown(shown), panels)
        .save(picture.string());
  }

  std::unique_ptr<Runner> runner(const Column& column, const SetSettings& s, int seed) const {
    return std::make_unique<Runner>(column.set, s, o_.folder / o_.budget, number(seed), o_.threads,
                                    column.set == "era5" ? SampleSource(Era5Samples(era5_, s)) : SampleSource(), o_.networks);
  }

  void write(const nlohmann::json& table) const {
    const std::string words = table.dump(1), file = text("table", table.at("table").get<int>(), ".json");
    data::write_atomically((o_.folder / o_.budget / file).string(), {std::as_bytes(std::span(words))});
  }

  Budget budget_;
  ReproduceOptions o_;
  Results results_;
  Origin origin_;
  std::shared_ptr<const data::NetcdfRecord> era5_;
};

}  // namespace lacuna::experiment
