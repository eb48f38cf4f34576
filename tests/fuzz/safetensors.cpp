// read_safetensors of any bytes: what it accepts, write_safetensors writes, and it reads again the same.

#include "lacuna/data/safetensors.hpp"

#include "input.hpp"

using namespace lacuna;

namespace {

template <class... Ts>
void convert(const data::Tensor& tensor) {
  const auto as = [&]<class T>(T) {
    std::size_t count = 0;
    const bool other = fuzz::refused([&] { count = tensor.as<T>().size(); });
    fuzz::expect(other == (tensor.dtype != data::dtype_of<T>()), "a tensor converts to the type of its dtype only");
    fuzz::expect(other || count * sizeof(T) == tensor.bytes.size(), "a tensor converts whole");
  };
  (as(Ts{}), ...);
  fuzz::refused([&] { tensor.as_float(); });
}

void expect_round_trip(const data::Tensors& in) {
  const std::string path = fuzz::folder() / "copy";
  data::write_safetensors(path, in);
  const data::Tensors copy = data::read_safetensors(path);
  fuzz::expect(copy.metadata == in.metadata, "metadata come back as written");
  fuzz::expect(copy.tensors.size() == in.tensors.size(), "as many tensors come back as were written");
  for (const auto& [name, tensor] : in.tensors) {
    const data::Tensor& back = copy.at(name);
    fuzz::expect(back.dtype == tensor.dtype && back.shape == tensor.shape && back.bytes == tensor.bytes,
                 "tensors come back as written", name);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string path = fuzz::safetensors_file("in", {bytes, size});
  data::Tensors in;
  if (fuzz::refused([&] { in = data::read_safetensors(path); })) return 0;
  for (const auto& [name, tensor] : in.tensors)
    convert<float, double, std::int8_t, std::uint8_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(tensor);
  expect_round_trip(in);
  return 0;
}
