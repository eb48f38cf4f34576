#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "reproduce/job.hpp"

namespace lacuna::experiment {

/// @brief What the paper prints in a cell of a table. NaN: nothing, or no deviation.
struct Printed {
  double mean = std::nan(""), deviation = std::nan("");
};

/// @brief A line of a table: one method in every column.
struct Row {
  std::string label;
  Job job;  ///< set and gaps are the column's, and so is the network where it is empty
  std::vector<Printed> paper{};
};

/// @brief A set and its gaps. Jobs without a network of their own take the column's.
struct Column {
  std::string label, set, gaps, network = "unet";
};

/// @brief One of the paper's tables, with rows of ours added to it.
struct Table {
  int number = 0;
  std::string title, unit;
  std::vector<Column> columns;
  std::vector<Row> rows;

  /// The job of a cell.
  Job job(std::size_t row, std::size_t column) const {
    const Column& c = columns.at(column);
    Job job = rows.at(row).job;
    job.set = c.set;
    job.gaps = c.gaps;
    if (job.network.empty()) job.network = c.network;
    return job;
  }
};

inline Row classical(std::string label, std::string method, std::vector<Printed> paper = {}) {
  return {std::move(label), {.set = {}, .gaps = {}, .method = std::move(method), .use = {}}, std::move(paper)};
}
/// The best classical fill of pixels, for tables that the paper has networks alone in.
inline Row kriging_row() { return classical("kriging", "kriging"); }
/// A method whose network is the column's.
inline Row learned(std::string label, std::string method, std::string use, std::vector<Printed> paper = {}) {
  return {std::move(label),
          {.set = {}, .gaps = {}, .method = std::move(method), .network = {}, .use = std::move(use)},
          std::move(paper)};
}
inline Row with_network(Row row, std::string network) {
  row.job.network = std::move(network);
  return row;
}
inline Row with_kriging(Row row) {
  row.job.background = "kriging";
  return row;
}

inline std::vector<Column> kolmogorov_pixels() {
  return {{"Navier-Stokes 80 %", "kolmogorov", "p80"},
          {"Navier-Stokes 60 %", "kolmogorov", "p60"},
          {"Navier-Stokes 20 %", "kolmogorov", "p20"}};
}
/// With the networks of the paper's tables 4 and 9, as table 5 has the same figures for them.
inline std::vector<Column> two_sets_pixels() {
  return {{"shallow water 80 %", "shallow-water", "p80", "fno"},
          {"shallow water 30 %", "shallow-water", "p30", "fno"},
          {"advection 80 %", "advection", "p80", "unet"},
          {"advection 30 %", "advection", "p30", "unet"}};
}

inline constexpr const char* flow_unit = "Navier-Stokes: mean squared error over all positions, x 1e3";
inline constexpr const char* wave_unit = "shallow water: residual, x 1e8; advection: simulation error, x 10";
inline constexpr const char* wave_unit_of_networks =
    "shallow water, with the FNO: residual, x 1e8; advection, with the UNet: simulation error, x 10";

/// @brief Table 1, pixels. Its ERA5 columns are read from files that cannot be redistributed (era5.hpp).
inline Table table_1() {
  Table table{1,
              "pixel masks",
              text(flow_unit, "; ERA5: the same of standardised variables, x 1e2"),
              kolmogorov_pixels(),
              {classical("temporal consistency", "temporal", {{1.341}, {2.709}, {5.709}, {0.967}, {1.179}, {9.735}}),
               classical("fast marching", "telea", {{0.486}, {1.220}, {3.737}, {0.710}, {0.978}, {3.053}}),
               classical("Navier-Stokes inpainting", "navier-stokes", {{0.263}, {0.656}, {2.989}, {0.600}, {0.942}, {3.074}}),
               classical("Laplace", "laplace"), kriging_row(),
               learned("MissDiff", "missdiff", "mask",
                       {{0.251, 0.025}, {0.611, 0.077}, {3.077, 1.046}, {0.416, 0.004}, {0.676, 0.088}, {1.653, 0.296}}),
               learned("MissDiff, 20 steps", "missdiff", "steps:20"),
               learned("AmbientDiff", "ambientdiff", "one",
                       {{0.238, 0.017}, {0.538, 0.024}, {2.043, 0.089}, {0.256, 0.002}, {0.414, 0.031}, {1.234, 0.437}}),
               learned("AmbientDiff, 20 steps", "ambientdiff", "steps:20"),
               learned("ours, as published", "ours", "contexts",
                       {{0.223, 0.016}, {0.507, 0.026}, {1.931, 0.092}, {0.250, 0.002}, {0.408, 0.030}, {1.229, 0.437}}),
               learned("ours, random ratio", "random", "mask"),
               with_kriging(learned("ours, random ratio, kriging background", "random", "mask"))}};
  for (const Column& c : {Column{"ERA5 20 %", "era5", "p20"}, {"ERA5 10 %", "era5", "p10"}, {"ERA5 1 %", "era5", "p1"}})
    table.columns.push_back(c);
  return table;
}

/// @brief Table 2, blocks.
inline Table table_2() {
  return {
      2,
      "block masks",
      text(wave_unit, "; ", flow_unit),
      {{"shallow water 8/9", "shallow-water", "b8"},
       {"shallow water 5/9", "shallow-water", "b5"},
       {"advection 8/9", "advection", "b8"},
       {"advection 5/9", "advection", "b5"},
       {"Navier-Stokes 8/9", "kolmogorov", "b8"}},
      {classical("temporal consistency", "temporal", {{0.6974}, {2.5486}, {0.4758}, {1.0940}, {1.4287}}),
       classical("fast marching", "telea", {{0.8454}, {3.3718}, {0.5042}, {1.4434}, {1.7391}}),
       classical("Navier-Stokes inpainting", "navier-stokes", {{0.4753}, {1.7565}, {0.4418}, {1.3594}, {1.7274}}),
       classical("Laplace", "laplace"), kriging_row(),
       learned("MissDiff", "missdiff", "mask",
               {{0.0285, 0.0024}, {0.1166, 0.0066}, {0.1202, 0.0047}, {0.1979, 0.0228}, {1.4357, 0.1132}}),
       learned("MissDiff, 20 steps", "missdiff", "steps:20"),
       learned("AmbientDiff", "ambientdiff", "one",
               {{0.0217, 0.0063}, {0.0925, 0.0017}, {0.1077, 0.0009}, {0.1524, 0.0137}, {1.4954, 0.2609}}),
       learned("AmbientDiff, 20 steps", "ambientdiff", "steps:20"),
       learned("ours, pixel contexts (wrong)", "pixel-contexts", "contexts",
               {{0.0215, 0.0035}, {0.0989, 0.0007}, {0.1171, 0.0041}, {0.1894, 0.0179}, {1.4925, 0.2609}}),
       learned("ours, block contexts", "ours", "contexts",
               {{0.0203, 0.0059}, {0.0865, 0.0014}, {0.1065, 0.0009}, {0.1407, 0.0116}, {0.7592, 0.0386}}),
       learned("ours, M itself", "ours", "mask"), with_kriging(learned("ours, M itself, kriging background", "ours", "mask"))}};
}

/// @brief Table 4, contexts against M itself; a random ratio should take most of the difference away.
inline Table table_4() {
  return {
      4,
      "contexts against the mask itself",
      wave_unit_of_networks,
      two_sets_pixels(),
      {kriging_row(),
       learned("ours, M itself", "ours", "mask", {{2.3983, 0.7880}, {2.6717, 1.4731}, {0.1320, 0.0155}, {0.1655, 0.0537}}),
       learned("ours, contexts", "ours", "contexts", {{0.1878, 0.0054}, {0.7379, 0.1101}, {0.1035, 0.0008}, {0.1189, 0.0069}}),
       learned("random ratio, M itself", "random", "mask"), learned("random ratio, contexts", "random", "contexts"),
       learned("random ratio, all asked for, M itself", "random:1", "mask"),
       learned("random ratio, all asked for, contexts", "random:1", "contexts")}};
}

/// @brief Table 5, backbones.
inline Table table_5() {
  return {5,
          "backbones",
          wave_unit,
          two_sets_pixels(),
          {kriging_row(),
           with_network(learned("MissDiff, UNet", "missdiff", "mask",
                                {{0.3963, 0.0617}, {1.2570, 0.2146}, {0.1030, 0.0004}, {0.1197, 0.0096}}),
                        "unet"),
           with_network(learned("MissDiff, FNO", "missdiff", "mask",
                                {{0.2917, 0.1683}, {0.7525, 0.1529}, {0.1375, 0.0063}, {0.4816, 0.0187}}),
                        "fno"),
           with_network(learned("ours, UNet", "ours", "contexts",
                                {{0.3279, 0.0655}, {0.9292, 0.1963}, {0.1035, 0.0008}, {0.1189, 0.0069}}),
                        "unet"),
           with_network(
               learned("ours, FNO", "ours", "contexts", {{0.1869, 0.0015}, {0.7379, 0.1101}, {0.1240, 0.0040}, {0.3527, 0.0620}}),
               "fno")}};
}

/// @brief Table 6, ratios of context and query.
inline Table table_6() {
  return {6,
          "ratios of context and query",
          flow_unit,
          kolmogorov_pixels(),
          {kriging_row(), learned("50 %, 50 %", "ours:0.5:0.5", "contexts", {{0.2383}, {0.5338}, {2.0924}}),
           learned("70 %, 70 %", "ours", "contexts", {{0.2076}, {0.5336}, {2.0336}}),
           learned("90 %, 90 %", "ours:0.9:0.9", "contexts", {{0.2252}, {0.5251}, {2.1309}}),
           learned("70 %, 100 %", "ours:0.7:1", "contexts", {{0.2103}, {0.5276}, {2.1178}}),
           learned("100 %, 100 %", "missdiff", "mask", {{0.2444}, {0.7023}, {2.5599}}),
           learned("random from 50 %, the rest", "random", "mask"), learned("random from 50 %, 100 %", "random:1", "mask")}};
}

/// @brief Table 7, weights of multi-step sampling in 200 steps.
inline Table table_7() {
  return {7,
          "weights of multi-step sampling, 200 steps",
          flow_unit,
          kolmogorov_pixels(),
          {kriging_row(), learned("w = 1", "ours", "steps:200:none", {{0.2334, 0.0115}, {0.5649, 0.0329}, {3.3820, 0.1704}}),
           learned("w = 1 - t", "ours", "steps:200:linear", {{0.2331, 0.0117}, {0.5633, 0.0332}, {3.1881, 0.2170}}),
           learned("w = 1 - t^2", "ours", "steps:200:quadratic", {{0.2334, 0.0116}, {0.5647, 0.0333}, {3.3557, 0.1973}}),
           learned("one step", "ours", "contexts")}};
}

/// @brief Table 8, trained (kriging: fitted) at one density (columns) and used at another (rows), with the adapted context
/// fraction; the random ratio, used on M itself, does without it.
inline Table table_8() {
  Table table{8, "across densities", flow_unit, kolmogorov_pixels(), {}};
  for (auto& column : table.columns) column.label = "trained at " + column.label.substr(column.label.find(' ') + 1);
  const auto used_at = [&](const std::string& gaps, std::vector<Printed> paper) {
    const std::string used = "used at " + gaps.substr(1) + " %, ";
    for (Row row : {classical(used + "kriging", "kriging"), learned(used + "adapted ratio", "ours", "adapted", std::move(paper)),
                    learned(used + "random ratio", "random", "mask")}) {
      row.job.test_gaps = gaps;
      table.rows.push_back(std::move(row));
    }
  };
  used_at("p80", {{0.2229, 0.0162}, {0.2362, 0.0121}, {0.3363, 0.0082}});
  used_at("p60", {{0.4990, 0.0260}, {0.5071, 0.0257}, {0.6980, 0.0188}});
  used_at("p20", {{}, {}, {1.9315, 0.0921}});
  return table;
}

/// @brief Table 9, all methods, one step and 200.
inline Table table_9() {
  return {
      9,
      "one step and many",
      wave_unit_of_networks,
      two_sets_pixels(),
      {classical("temporal consistency", "temporal", {{3.0248}, {4.2742}, {0.5097}, {0.6911}}),
       classical("fast marching", "telea", {{2.5931}, {8.8631}, {0.2127}, {0.5222}}),
       classical("Navier-Stokes inpainting", "navier-stokes", {{0.7045}, {2.8244}, {0.1350}, {0.4805}}),
       classical("Laplace", "laplace"),
       kriging_row(),
       learned("MissDiff", "missdiff", "mask", {{0.2917, 0.1683}, {0.7527, 0.1530}, {0.1030, 0.0004}, {0.1197, 0.0096}}),
       learned("MissDiff, 20 steps", "missdiff", "steps:20"),
       learned("AmbientDiff", "ambientdiff", "one", {{0.1927, 0.0050}, {0.7504, 0.1119}, {0.1039, 0.0009}, {0.1219, 0.0075}}),
       learned("AmbientDiff, 20 steps", "ambientdiff", "steps:20"),
       learned("ours, 1 step", "ours", "contexts", {{0.1878, 0.0054}, {0.7379, 0.1101}, {0.1035, 0.0008}, {0.1189, 0.0069}}),
       learned("ours, 200 steps", "ours", "steps:200", {{0.1869, 0.0015}, {0.7502, 0.1120}, {0.1037, 0.0009}, {0.1231, 0.0109}}),
       learned("ours, 200 steps, published update", "ours", "steps:200:linear:published"),
       learned("ours, 5 steps", "ours", "steps:5"),
       learned("ours, 5 steps, published update", "ours", "steps:5:linear:published"),
       learned("ours, 20 steps", "ours", "steps:20"),
       learned("ours, 20 steps, published update", "ours", "steps:20:linear:published"),
       learned("ours, 20 steps, closing mean", "ours", "steps:20:linear:first-order:time:10"),
       learned("ours, 20 steps, published update, closing mean", "ours", "steps:20:linear:published:time:10"),
       learned("ours, 20 steps of log-SNR", "ours", "steps:20:linear:first-order:log-snr"),
       learned("ours, 20 steps of log-SNR, second order", "ours", "steps:20:linear:second-order:log-snr"),
       learned("ours, 20 steps of log-SNR, published update", "ours", "steps:20:linear:published:log-snr"),
       learned("ours, random ratio, M itself", "random", "mask"),
       with_kriging(learned("ours, random ratio, kriging background", "random", "mask"))}};
}

/// @brief The paper's tables of results; table 3 compares methods in words.
inline std::vector<Table> tables() {
  return {table_1(), table_2(), table_4(), table_5(), table_6(), table_7(), table_8(), table_9()};
}

}  // namespace lacuna::experiment
