// Checkpoint::load of a state made of any bytes: what it restores fits the network and is saved and loaded again the same.

#include "lacuna/model/checkpoint.hpp"

#include <array>
#include <cmath>

#include "input.hpp"

using namespace lacuna;

namespace {

struct State {
  Parameters<float> parameters;
  train::OptimizerState<float> optimizer;
  model::Checkpoint::Run run;

  State() { parameters.add("weight", {2, 1}); }

  bool load(const model::Checkpoint& checkpoint) {
    return !fuzz::refused([&] {
      const auto loaded = checkpoint.load(parameters, optimizer);
      fuzz::expect(loaded.has_value(), "there is a checkpoint");
      run = *loaded;
    });
  }
  auto vectors() const {
    return std::array{&parameters.values(), &optimizer.first_moment, &optimizer.second_moment, &optimizer.average};
  }
};

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same(const model::TrainingState& a, const model::TrainingState& b) {
  return same(a.seconds, b.seconds) && same(a.last_evaluated, b.last_evaluated) && same(a.best, b.best) &&
         same(a.stale_evaluations, b.stale_evaluations) && same(a.decay_from, b.decay_from) &&
         same(a.decay_length, b.decay_length);
}

/// Puts the state's file into the folder, as fuzz::safetensors_file makes it. One whose header was put together is sealed, so
/// that what lies behind the checksum is reached too.
void put_state(fuzz::Bytes in) {
  const std::string path = fuzz::safetensors_file(model::Checkpoint::file_name, in);
  if (!in.rest().starts_with('{')) return;
  fuzz::refused([&] {
    data::Tensors all = data::read_safetensors(path);
    model::seal(all);
    data::write_safetensors(path, all);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  put_state({bytes, size});
  const model::Checkpoint checkpoint(fuzz::folder(), {{"seed", "1"}, {"precision", "float"}});
  State state;
  const bool readable = !fuzz::refused([&] { model::Checkpoint::check_readable(fuzz::folder()); });
  if (!state.load(checkpoint)) return 0;
  fuzz::expect(readable, "what loads was found readable before");
  for (const auto* values : state.vectors()) fuzz::expect(values->size() == 2, "what is restored fits the network");
  checkpoint.save(state.parameters, state.optimizer, state.run);
  State again;
  fuzz::expect(again.load(checkpoint), "what was saved loads");
  fuzz::expect(again.optimizer.step == state.optimizer.step && again.run.threads == state.run.threads &&
                   same(again.run.training, state.run.training),
               "the run comes back as it was");
  return 0;
}
