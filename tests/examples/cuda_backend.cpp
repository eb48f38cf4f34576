// lacuna-fill and lacuna-reproduce --device cuda as a user runs them: on the emulation of a GPU where it is built, and what it
// says where there is none.
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "catch.hpp"
#include "examples/program.hpp"
#include "lacuna/data/netcdf.hpp"
#include "support/waves.hpp"

using namespace lacuna;

namespace {

const std::string training = " --steps 8 --hidden 4 --batch 2 --members 2 --mask pixels --background climatology --window 1 ";

struct Tool : Program {
  explicit Tool(const std::string& program = LACUNA_FILL) : Program(program) {
    auto fields = waves::make(6, 1, waves::Gaps::pixels);
    fields.time_units = "days since 2000-01-01";
    data::write_netcdf(folder / "in.nc", fields, true);
  }
  std::string arguments(const std::string& out) const {
    return (folder / "in.nc") + " -v wave0 -o " + (folder / out) + training + "--report " + (folder / (out + ".json")) + " ";
  }
  std::vector<float> filled(const std::string& out, const std::string& variable) const {
    return data::read_netcdf({folder / out}, {variable}).values;
  }
  nlohmann::json report(const std::string& out) const { return nlohmann::json::parse(content(folder / (out + ".json"))); }
};

}  // namespace

TEST_CASE("a device that does not exist, or that an option has no meaning on, gets one line") {
  const Tool tool;
  tool.fails(tool.arguments("out.nc") + "--device gpu", "--device gpu: expected cpu, cuda or cuda:N");
  tool.fails(tool.arguments("out.nc") + "--device cuda:x", "--device cuda:x: expected cpu, cuda or cuda:N");
  tool.fails(tool.arguments("out.nc") + "--precision tf32", "--precision tf32: expected --device cuda");
  tool.fails((tool.folder / "in.nc") + " -v wave0 -o " + (tool.folder / "out.nc") + " --method nearest --device cuda",
             "--device: has no meaning with --method nearest");
  const auto run = tool(tool.arguments("out.nc") + "--device cuda:99");  // which no machine has
  CHECK(run.code == 1);
  CHECK(std::count(run.error.begin(), run.error.end(), '\n') == 1);
#ifdef LACUNA_HAS_CUDA_BACKEND
  CHECK_THAT(run.error, Catch::Matchers::Contains("CUDA: "));
#else
  CHECK_THAT(run.error, Catch::Matchers::Contains("liblacuna-cuda.so"));
#endif
}

#ifdef LACUNA_EMULATED_GPU
TEST_CASE("a network that the CPU trained imputes the same on a GPU, and one trained there has the same error") {
  const Tool cpu, gpu("LD_LIBRARY_PATH=" LACUNA_EMULATED_GPU " " LACUNA_FILL);
  const std::string kept = " --checkpoint " + (cpu.folder / "kept");
  auto run = cpu(cpu.arguments("cpu.nc") + kept);
  INFO(run.error);
  REQUIRE(run.code == 0);
  run = gpu(gpu.arguments("resumed.nc") + kept + " --resume --device cuda");
  INFO(run.error);
  REQUIRE(run.code == 0);
  CHECK_THAT(run.out, Catch::Matchers::Contains("resumed at step 8") &&
                          Catch::Matchers::Contains("on cuda:0 (Emulated device 0)") &&
                          Catch::Matchers::Contains("of the GPU's"));
  for (const char* variable : {"wave0", "wave0_spread"}) {
    const auto a = cpu.filled("cpu.nc", variable), b = gpu.filled("resumed.nc", variable);
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i)
      CHECK(((std::isnan(a[i]) && std::isnan(b[i])) || b[i] == Approx(a[i]).margin(1e-4)));  // waves have a deviation of 1.4
  }
  run = gpu(gpu.arguments("trained.nc") + "--device cuda");
  INFO(run.error);
  REQUIRE(run.code == 0);
  const auto a = cpu.report("cpu.nc"), b = gpu.report("trained.nc");
  CHECK(a["device"] == "cpu");
  CHECK(b["device"] == "cuda:0 (Emulated device 0)");
  CHECK(b["planned_device_memory_bytes"] > 0);
  CHECK(b["withheld_nmse"]["lacuna"].get<double>() == Approx(a["withheld_nmse"]["lacuna"].get<double>()).epsilon(1e-3));
}

TEST_CASE("a Fourier neural operator is trained in bfloat16 on a GPU as on the CPU") {
  const Tool cpu, gpu("LD_LIBRARY_PATH=" LACUNA_EMULATED_GPU " " LACUNA_FILL);
  const std::string narrow = "--network fno --precision bfloat16 ";
  for (const auto& [tool, device] : {std::pair(&cpu, "cpu"), std::pair(&gpu, "cuda")}) {
    const auto run = (*tool)(tool->arguments("out.nc") + narrow + "--device " + device);
    INFO(run.error);
    REQUIRE(run.code == 0);
    CHECK(run.out.find("trained in float") == std::string::npos);
    CHECK(tool->report("out.nc")["precision"] == "bfloat16");
  }
  const auto a = cpu.report("out.nc"), b = gpu.report("out.nc");
  CHECK(b["withheld_nmse"]["lacuna"].get<double>() == Approx(a["withheld_nmse"]["lacuna"].get<double>()).epsilon(1e-2));
}

TEST_CASE("a table of the paper comes out on a GPU as on the CPU") {
  const Program reproduce(LACUNA_REPRODUCE), gpu("LD_LIBRARY_PATH=" LACUNA_EMULATED_GPU " " LACUNA_REPRODUCE);
  const auto table = [&](const Program& program, const std::string& device) {
    const auto run =
        program("5 --budget smoke --columns p80 --threads 1 --folder " + (program.folder / "r") + " --device " + device);
    INFO(run.error);
    REQUIRE(run.code == 0);
    return nlohmann::json::parse(content(program.folder / "r/smoke/table5.json"));
  };
  const auto a = table(reproduce, "cpu"), b = table(gpu, "cuda");
  CHECK(a["made"].size() == 1);
  REQUIRE(b["made"].size() == 2);
  CHECK(b["made"][0]["device"] == "cpu");  // kriging
  CHECK(b["made"][1]["device"] == "cuda:0 (Emulated device 0)");
  std::size_t compared = 0;
  for (std::size_t r = 0; r < a["rows"].size(); ++r)
    for (std::size_t c = 0; c < a["columns"].size(); ++c) {
      const auto &x = a["rows"][r]["cells"][c], &y = b["rows"][r]["cells"][c];
      REQUIRE(x.is_null() == y.is_null());
      if (x.is_null()) continue;
      INFO(a["rows"][r]["label"] << ", " << a["columns"][c]["label"]);
      CHECK(y["mean"].get<double>() == Approx(x["mean"].get<double>()).epsilon(1e-3));
      ++compared;
    }
  CHECK(compared == 10);  // kriging, UNet and FNO, two sets
}
#endif
