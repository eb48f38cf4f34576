#include "lacuna/core/digest.hpp"

#include <limits>
#include <set>
#include <string>

#include "catch.hpp"

using namespace lacuna;

TEST_CASE("Every bit, the length and the order of bytes count") {
  std::set<std::uint64_t> seen;
  std::size_t made = 0;
  for (std::size_t length = 0; length < 70; ++length) {
    std::string bytes(length, '\0');
    const auto digest_now = [&] { return digest_bytes(std::as_bytes(std::span(bytes.data(), bytes.size()))); };
    seen.insert(digest_now());
    ++made;
    for (std::size_t bit = 0; bit < 8 * length; ++bit) {
      bytes[bit / 8] = static_cast<char>(1 << bit % 8);
      seen.insert(digest_now());
      ++made;
      bytes[bit / 8] = 0;
    }
  }
  CHECK(seen.size() == made);
  const std::string ab = "aaaaaaaabbbbbbbb", ba = "bbbbbbbbaaaaaaaa";
  CHECK(digest_bytes(std::as_bytes(std::span(ab))) != digest_bytes(std::as_bytes(std::span(ba))));
  CHECK(digest_bytes(std::as_bytes(std::span(ab)), 1) != digest_bytes(std::as_bytes(std::span(ab))));
}

TEST_CASE("Numbers count bit for bit, but all NaN are the same") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), other = std::bit_cast<float>(0x7fc00001U);
  CHECK(digest(std::vector<float>{1, nan}) == digest(std::vector<float>{1, other}));
  CHECK(digest(std::vector<float>{1, 0.0F}) != digest(std::vector<float>{1, -0.0F}));
  CHECK(digest(std::vector<double>{1, 2}) != digest(std::vector<double>{2, 1}));
}
