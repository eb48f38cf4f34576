// The paper's tables, each by one command: makes the data, trains what a table needs, and prints the paper's figures beside ours.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "common/cuda_backend.hpp"
#include "common/device_choice.hpp"
#include "common/run_program.hpp"
#include "reproduce/joined.hpp"
#include "reproduce/reproduce.hpp"

extern const char* const lacuna_commit;  // written by the build

namespace {

using namespace lacuna;

struct Options {
  std::string which, settings = LACUNA_REPRODUCE_SETTINGS, device = "cpu";
  std::vector<std::string> show;
  experiment::ReproduceOptions run;
};

void declare(CLI::App& app, Options& o) {
  app.add_option("table", o.which, "1, 2, 4, 5, 6, 7, 8, 9 or all");
  app.add_option("--show", o.show,
                 "only prints tables that were made before (tableN.json), in Markdown; files of one table are joined, and tables "
                 "share what is the same")
      ->excludes(app.get_option("table"));
  app.add_option("--budget", o.run.budget, "smoke: whether it runs; small: two cores; full: the paper's size")
      ->capture_default_str();
  app.add_option("--settings", o.settings, "file of the budgets' settings")->capture_default_str();
  app.add_option("--folder", o.run.folder, "samples, networks, outcomes, tables and pictures; the same command goes on there")
      ->capture_default_str();
  app.add_option("--columns", o.run.columns, "only those of a set or gaps, such as advection or p80 (all)");
  app.add_option("--rows", o.run.rows, "only those with such words in their label, such as kriging or \"20 steps\" (all)");
  app.add_option("--era5", o.run.era5,
                 "hourly ERA5 as the Copernicus store delivers it, NetCDF: what table 1's ERA5 columns need");
  app.add_option("--era5-variables", o.run.variables, "names in these files")->capture_default_str();
  app.add_option("--seeds", o.run.seeds, "of masks and training (0: the budget's)")->check(CLI::Range(0, 1000));
  app.add_option("--device", o.device, "where networks run: cpu, cuda, or cuda:N for one of several GPUs")->capture_default_str();
  app.add_option("--threads", o.run.threads, "0: all")->check(CLI::Range(0, 1024));
}

std::vector<experiment::Table> chosen(const std::string& which) {
  if (which == "all") return experiment::tables();
  for (const auto& table : experiment::tables())
    if (std::to_string(table.number) == which) return {table};
  throw OptionError("table " + which + ": expected 1, 2, 4, 5, 6, 7, 8, 9 or all");
}

void show(const std::vector<std::string>& files) {
  std::vector<nlohmann::json> tables;
  for (const auto& file : files) tables.push_back(experiment::read_table(file));
  tables = experiment::joined(tables);
  experiment::share_cells(tables);
  for (const auto& table : tables) std::printf("%s\n", experiment::markdown(experiment::Sheet(table, true)).c_str());
}

void run(Options& o) {
  if (!o.show.empty()) {
    show(o.show);
    return;
  }
  require<OptionError>(!o.which.empty(), "table is required: 1, 2, 4, 5, 6, 7, 8, 9 or all");
  auto tables = chosen(o.which);
  o.run.commit = lacuna_commit;
  o.run.threads = usable_threads(o.run.threads);
  if (const int gpu = common::gpu_of(o.device); gpu >= 0)
    o.run.networks = [gpu, threads = o.run.threads,
                      function = from_cuda_backend<decltype(lacuna_train_and_fill_on_cuda)>("lacuna_train_and_fill_on_cuda")](
                         const experiment::NetworkJob& job) {
      experiment::NetworkFill done;
      function(gpu, threads, job, done);
      return done;
    };
  experiment::Reproduction reproduce(experiment::read_budget(o.settings, o.run.budget), o.run);
  if (tables.size() > 1) {
    std::erase_if(tables, [&](const auto& table) { return !reproduce.concerns(table); });
    require<OptionError>(!tables.empty(), "no table has a column of --columns and a row of --rows (ERA5's need --era5 FILE...)");
  }
  for (const auto& table : tables) experiment::print(experiment::Sheet(reproduce(table)), stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  return run_program(
      "lacuna-reproduce", "Reproduces the tables of \"Incomplete Data, Complete Dynamics\"", argc, argv,
      [&](CLI::App& app) { declare(app, o); }, [&](const CLI::App&) { run(o); });
}
