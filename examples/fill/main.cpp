// lacuna-fill: fills the gaps of a real file, end to end.

#include <CLI/CLI.hpp>
#include <string>

#include "common/cuda_backend.hpp"
#include "common/run_program.hpp"
#include "fill/command_line.hpp"
#include "fill/run.hpp"
#include "lacuna/impute.hpp"

namespace {

void run(const lacuna::fill::Options& options) {
  const int gpu = options.method == "diffusion" ? lacuna::common::gpu_of(options.device) : -1;
  if (gpu < 0) {
    lacuna::fill::run(options, lacuna::impute);
    return;
  }
  lacuna::fill::run(options,
                    [gpu, imputer = from_cuda_backend<decltype(lacuna_impute_on_cuda)>("lacuna_impute_on_cuda")](
                        const lacuna::data::Fields& fields, const lacuna::Settings& settings, lacuna::Observer& observer) {
                      lacuna::Result result;
                      imputer(gpu, fields, settings, observer, result);
                      return result;
                    });
}

}  // namespace

int main(int argc, char** argv) {
  lacuna::fill::Options options;
  Words words;
  return run_program(
      "lacuna-fill",
      "Fills the gaps of gridded data with a diffusion model trained on nothing but the gappy data, with an uncertainty", argc,
      argv, [&](CLI::App& app) { declare(app, options, words); },
      [&](const CLI::App& app) {
        take_words(app, words, options);
        options.command = "lacuna-fill";
        for (int i = 1; i < argc; ++i) options.command += std::string(" ") + argv[i];
        run(options);
      });
}
