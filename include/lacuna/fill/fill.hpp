#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "lacuna/data/atomic_file.hpp"
#include "lacuna/data/checks.hpp"
#include "lacuna/data/netcdf.hpp"
#include "lacuna/data/netcdf_write.hpp"
#include "lacuna/fill/classical.hpp"
#include "lacuna/fill/impute.hpp"
#include "lacuna/fill/outputs.hpp"
#include "lacuna/fill/picture.hpp"

namespace lacuna::fill {

/// @brief lacuna-fill: reads gappy variables, fills them and writes file, report and picture.
/// imputer(fields, options): impute() on some device; fills by the diffusion model.
/// Throws: what impute() throws; DataError for files. Nothing that exists is replaced before all values are computed.
template <class Imputer>
Report run(const Options& o, const Imputer& imputer) {
  check_outputs(o);
  const data::NetcdfInput input = data::read_netcdf_input(o.inputs, o.variables);
  data::require_gappy(
      input.fields, o.fill_static ? std::vector<std::uint8_t>(input.fields.frame_size(), 1) : live_cells(input.fields, o.window));
  std::printf("%d variables, %d frames of %d x %d%s\n", input.fields.variables(), input.fields.frames(),
              input.fields.grid.height(), input.fields.grid.width(),
              input.fields.grid.periodic_x ? ", periodic in longitude" : "");
  Result result = o.method == "diffusion" ? imputer(input.fields, o) : fill_classical(input.fields, o);
  data::write_filled(input, {.values = result.filled.values, .spread = result.spread}, o.output,
                     {.overwrite = o.overwrite, .fill_never_observed = true, .history = data::history_line(o.command)});
  if (!o.picture.empty()) draw(input.fields, result, o.picture);
  result.report.peak_bytes = peak_memory();
  if (!o.report.empty()) {
    const std::string json = to_json(result.report).dump(2) + "\n";
    data::write_atomically(o.report, {std::as_bytes(std::span<const char>(json))});
  }
  print_scores(result.report, stdout);
  print_cost(result.report, stdout);
  std::printf("%s\n", o.output.c_str());
  return result.report;
}

/// @brief The same on the CPU.
template <class DeviceType = cpu::Device>
Report run(const Options& o) {
  return run(o, [](const data::Fields& fields, const Options& options) { return impute<DeviceType>(fields, options); });
}

}  // namespace lacuna::fill
