#include "lacuna/data/safetensors.hpp"

#include <limits>

#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;
using Catch::Matchers::Contains;

namespace {

void put_file(const std::string& path, const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  put_content(path, std::string(reinterpret_cast<const char*>(&length), 8) + header + data);
}

}  // namespace

TEST_CASE("Tensors and metadata come back as they were, and the same content gives the same bytes") {
  const Scratch scratch;
  Tensors out;
  const std::vector<float> weights = {1, -2.5F, std::numeric_limits<float>::infinity(), 4, 5, 6};
  out.tensors["conv.weight"] = Tensor::from(std::span<const float>(weights), {2, 3});
  out.tensors["moments"] = Tensor::from(std::vector<double>{0.1, 1e300});
  out.tensors["step"] = Tensor::from(std::vector<std::int64_t>{-7});
  out.tensors["flags"] = Tensor::from(std::vector<std::uint8_t>{0, 255, 3});
  out.tensors["counter"] = Tensor::from(std::vector<std::uint64_t>{~0ULL});
  out.tensors["empty"] = Tensor::from(std::vector<float>{});
  out.metadata = {{"format", "pt"}, {"note", "ümlaut \"quoted\"\n"}};
  write_safetensors(scratch / "a", out);
  const Tensors in = read_safetensors(scratch / "a");
  CHECK(in.metadata == out.metadata);
  CHECK(in.tensors.size() == 6);
  CHECK(in.at("conv.weight").as<float>() == weights);
  CHECK(in.at("conv.weight").shape == std::vector<std::int64_t>{2, 3});
  CHECK(in.at("moments").as<double>() == std::vector<double>{0.1, 1e300});
  CHECK(in.at("step").as<std::int64_t>() == std::vector<std::int64_t>{-7});
  CHECK(in.at("flags").as<std::uint8_t>() == std::vector<std::uint8_t>{0, 255, 3});
  CHECK(in.at("counter").as<std::uint64_t>() == std::vector<std::uint64_t>{~0ULL});
  CHECK(in.at("empty").as<float>().empty());
  CHECK(in.at("moments").as_float()[0] == 0.1F);
  write_safetensors(scratch / "b", in);
  CHECK(content(scratch / "a") == content(scratch / "b"));
  CHECK(error_of([&] { in.at("bias"); }) == "there is no tensor bias");
  CHECK(error_of([&] { in.at("step").as<float>(); }) == "tensor holds I64, not F32");
}

TEST_CASE("A file of the format's own making reads") {
  const Scratch scratch;
  put_file(scratch / "a", R"({"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}   )", std::string("\x80\x3f\x20\xc0", 4));
  CHECK(read_safetensors(scratch / "a").at("w").as_float() == std::vector<float>{1, -2.5F});
}

TEST_CASE("Damaged files get one line that says what is wrong") {
  const Scratch scratch;
  const std::string path = scratch / "a";
  const auto failure = [&] { return error_of([&] { read_safetensors(path); }); };
  const auto with = [&](const std::string& entries, std::size_t bytes) {
    put_file(path, "{" + entries + "}", std::string(bytes, '\0'));
    return failure();
  };
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  CHECK(failure() == path + ": there is no such file");
  put_content(path, "abc");
  CHECK(failure() == path + ": is truncated: 3 bytes are no safetensors file");
  put_content(path, "CDF\1 something else");
  CHECK_THAT(failure(), Contains("is truncated or no safetensors file: its header claims"));
  CHECK_THAT(with("nonsense", 0), Contains("the header is damaged"));
  CHECK(with(a, 8).empty());
  CHECK(with(a, 7) == path + ": tensor a lies at 0 to 8, the file has 7 bytes of data");
  CHECK(with(a, 9) == path + ": 9 bytes of data, the tensors need 8");
  CHECK(with(a + R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]})", 12) ==
        path + ": tensor b overlaps the one before it");
  CHECK(with(a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]})", 16) ==
        path + ": there are 4 bytes before tensor b that belong to none");
  CHECK(with(R"("a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]})", 8) ==
        path + ": tensor a has 8 bytes, its shape and dtype need 12");
  CHECK(with(R"("a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]})", 8) == path + ": tensor a has the unknown dtype F31");
  CHECK_THAT(with(R"("a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]})", 8), Contains("has a shape that is not of sizes"));
  CHECK_THAT(with(R"("a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]})", 8), Contains("is too large"));
  CHECK_THAT(with(R"("a":{"dtype":"F32","shape":2,"data_offsets":[0,8]})", 8), Contains("has a shape that is not of sizes"));
  CHECK_THAT(with(R"("a":{"dtype":"F32","shape":{"n":2},"data_offsets":[0,8]})", 8),
             Contains("has a shape that is not of sizes"));
  CHECK_THAT(with(R"("a":{"dtype":"F32","shape":[0,18446744073709551615],"data_offsets":[0,0]})", 0),
             Contains("has a shape that is not of sizes"));
  CHECK_THAT(with(R"("a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]})", 8), Contains("lies at 8 to 0"));
  CHECK_THAT(with(R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0]})", 8), Contains("data_offsets that are not two numbers"));
  CHECK_THAT(with(R"("a":{"dtype":"F32","shape":[2]})", 8), Contains("the header is damaged"));
  CHECK_THAT(with(R"("__metadata__":{"a":1})", 0), Contains("the header is damaged"));
  CHECK(with(R"("a\nb":{"dtype":"F\n31","shape":[2],"data_offsets":[0,8]})", 8) ==
        path + R"(: tensor a\nb has the unknown dtype F\n31)");
}

TEST_CASE("What could not be read again is not written") {
  const Scratch scratch;
  const std::string path = scratch / "a";
  const auto failure = [&](const std::vector<std::int64_t>& shape) {
    Tensors out;
    out.tensors["w"] = {"F32", shape, {}};
    return error_of([&] { write_safetensors(path, out); });
  };
  CHECK(failure({0, -1}) == path + ": tensor w has the shape [0,-1], which has no size");
  CHECK_THAT(failure({std::int64_t{1} << 62, 4}), Contains("which has no size"));  // 2^66 bytes, 0 in 64 bits
  CHECK_THROWS_AS(Tensor::from(std::span<const float>(), {std::int64_t{1} << 62, 4}), ShapeError);
  Tensors out;
  out.metadata["input"] = "caf\xe9.nc";
  CHECK_THAT(error_of([&] { write_safetensors(path, out); }),
             Contains(path + ": cannot be written: names and metadata must be UTF-8, got"));
  CHECK(scratch.entries() == 0);
}

TEST_CASE("A failed write leaves the old file") {
  const Scratch scratch;
  Tensors out;
  out.tensors["w"] = Tensor::from(std::vector<float>(10000));
  put_content(scratch / "a", "precious");
  {
    const FullDisk full(20000);
    CHECK(error_of([&] { write_safetensors(scratch / "a", out); }) == scratch / "a" + ": cannot be written: File too large");
  }
  CHECK(content(scratch / "a") == "precious");
  out.tensors["w"].shape = {3};
  CHECK(error_of([&] { write_safetensors(scratch / "a", out); }) ==
        scratch / "a" + ": tensor w of dtype F32 has 40000 bytes, expected 12");
  CHECK(content(scratch / "a") == "precious");
  CHECK(scratch.entries() == 1);
  CHECK_THROWS_AS(Tensor::from(std::span<const float>(), {2}), ShapeError);
}
