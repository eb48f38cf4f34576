// read_npy_array of any bytes: what it accepts, write_npy writes, and it reads again the same. read_npy besides.

#include "lacuna/data/npy.hpp"

#include <bit>

#include "input.hpp"

using namespace lacuna;

namespace {

/// An input that begins with '{' is a dictionary of one line, to which the beginning is added, and data; any other is the file.
std::string npy_file(fuzz::Bytes in) {
  if (!in.rest().starts_with('{')) return fuzz::file("in.npy", in.rest());
  const std::string_view dictionary = in.until('\n');
  std::string content(data::npy::magic, 6);
  content += {'\x02', '\0'};
  for (std::size_t byte = 0; byte < 4; ++byte) content += static_cast<char>(dictionary.size() >> (8 * byte) & 255U);
  return fuzz::file("in.npy", content.append(dictionary).append(in.rest()));
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string path = npy_file({bytes, size});
  data::NpyArray in;
  if (fuzz::refused([&] { in = data::read_npy_array(path); })) return 0;
  const std::string copy = fuzz::folder() / "copy.npy";
  data::write_npy(copy, in.shape, in.values, true);
  const data::NpyArray back = data::read_npy_array(copy);
  fuzz::expect(back.shape == in.shape && same_bits(back.values, in.values), "an array comes back as written");

  data::Fields fields;
  if (fuzz::refused([&] { fields = data::read_npy(path); })) return 0;
  data::require_consistent(fields);
  fuzz::expect(same_bits(fields.values, in.values), "fields hold the array's values");
  return 0;
}
