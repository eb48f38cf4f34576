// lacuna-fill: fills the gaps of a real file, end to end. A thin main over lacuna/fill.

#include "lacuna/fill/fill.hpp"

#include <CLI/CLI.hpp>
#include <string>

#include "cuda_backend.hpp"
#include "fill_options.hpp"
#include "run_program.hpp"

namespace {

void run(const lacuna::fill::Options& options) {
  if (options.method != "diffusion" || lacuna::fill::gpu_of(options.device) < 0) {
    lacuna::fill::run(options);
    return;
  }
  lacuna::fill::run(options, [imputer = from_cuda_backend<decltype(lacuna_impute_on_cuda)>("lacuna_impute_on_cuda")](
                                 const lacuna::data::Fields& fields, const lacuna::fill::Options& o) {
    lacuna::fill::Result result;
    imputer(fields, o, result);
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
