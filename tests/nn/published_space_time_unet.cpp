#include "lacuna/nn/published_space_time_unet.hpp"

#include "catch.hpp"
#include "support/fill.hpp"
#include "support/probe.hpp"

using namespace lacuna;

namespace {

const nn::SpaceTimeUNet::Settings settings{
    .inputs = 3, .outputs = 2, .hidden = 4, .multipliers = {1, 3}, .heads = 3, .spatial_features = 4, .temporal_features = 6};

template <class T>
Parameters<T> random_parameters(std::uint64_t seed) {
  Parameters<T> p;
  const nn::SpaceTimeUNet network(settings, p, seed);
  return p;
}

}  // namespace

TEST_CASE("Published weights: convolutions change their layout, transposed ones another way, the rest its shape alone") {
  auto p = random_parameters<double>(1);
  const auto tensors = nn::save_published_unet(p);
  CHECK(tensors.tensors.size() == p.entries().size());
  const auto value = [&](const std::string& name, std::size_t i) {
    for (const auto& entry : p.entries())
      if (entry.name == name) return p.value(entry.at)[i];
    FAIL("there is no parameter " << name);
    return 0.0;
  };
  using Sizes = std::vector<std::int64_t>;
  const auto& conv = tensors.at("cnn.downs.1.0.block1.proj.weight");  // (12, 4, 1, 3, 3)
  CHECK(conv.shape == Sizes{12, 4, 1, 3, 3});
  // out 5, in 2, row 1, column 0; ours is (out, row, column, in)
  CHECK(conv.as<double>()[((5 * 4 + 2) * 3 + 1) * 3 + 0] == value("downs.1.0.block1.conv.weight", ((5 * 3 + 1) * 3 + 0) * 4 + 2));
  const auto& up = tensors.at("cnn.ups.0.4.weight");  // (in, out, 1, 4, 4)
  CHECK(up.shape == Sizes{4, 4, 1, 4, 4});
  CHECK(up.as<double>()[((1 * 4 + 3) * 4 + 2) * 4 + 0] == value("ups.0.4.weight", ((3 * 4 + 2) * 4 + 0) * 4 + 1));
  CHECK(tensors.at("cnn.downs.0.2.fn.fn.to_qkv.weight").shape == Sizes{36, 4, 1, 1});
  CHECK(tensors.at("cnn.downs.0.2.fn.fn.to_out.bias").shape == Sizes{4});
  CHECK(tensors.at("cnn.downs.0.3.fn.fn.fn.to_qkv.weight").shape == Sizes{54, 4});
  CHECK(tensors.at("cnn.downs.0.3.fn.norm.gamma").shape == Sizes{1, 4, 1, 1, 1});
  CHECK(tensors.at("cnn.downs.0.0.block2.norm.gamma").shape == Sizes{4, 1, 1, 1});
  CHECK(tensors.at("cnn.downs.1.0.res_conv.weight").shape == Sizes{12, 4, 1, 1, 1});
  CHECK(tensors.at("cnn.downs.1.0.mlp.1.weight").shape == Sizes{24, 16});
  CHECK(tensors.at("cnn.time_rel_pos_bias.relative_attention_bias.weight").shape == Sizes{32, 3});
  CHECK(tensors.at("cnn.init_temporal_attn.fn.fn.fn.rotary_emb.freqs").shape == Sizes{3});
}

TEST_CASE("Published weights: what is exported comes back, in float and double, and tells its settings") {
  const auto check = [](auto scalar) {
    using T = decltype(scalar);
    auto source = random_parameters<T>(1), target = random_parameters<T>(2);
    REQUIRE(source.values() != target.values());
    const auto tensors = nn::save_published_unet(source, "net.");
    nn::load_published_unet(target, tensors, "net.");
    CHECK(source.values() == target.values());
    const auto s = nn::published_unet_settings(tensors, "net.");
    CHECK((s.inputs == 3 && s.outputs == 2 && s.hidden == 4 && s.multipliers == std::vector{1, 3} && s.heads == 3 &&
           s.spatial_features == 4 && s.temporal_features == 6));
  };
  check(0.0f);
  check(0.0);
}

TEST_CASE("Published weights: tensors that are missing or of another shape are named") {
  auto p = random_parameters<float>(1);
  auto tensors = nn::save_published_unet(p);
  const auto message = [&] { return test::message_of<DataError>([&] { nn::load_published_unet(p, tensors); }); };
  tensors.tensors["other"] = tensors.at("cnn.init_conv.bias");  // is let be
  CHECK(message().empty());
  const auto loaded = p.values();
  tensors = nn::save_published_unet(random_parameters<float>(2));
  tensors.tensors["cnn.init_conv.weight"].shape = {4, 5, 1, 5, 3};
  CHECK(message() == "cnn.init_conv.weight has shape (4, 5, 1, 5, 3), expected (4, 3, 1, 5, 5)");
  tensors.tensors.erase("cnn.init_conv.weight");
  CHECK(message() == "there is no tensor cnn.init_conv.weight");
  CHECK(p.values() == loaded);
  const auto settings_message = [&] { return test::message_of<DataError>([&] { nn::published_unet_settings(tensors); }); };
  CHECK(settings_message() == "there is no tensor cnn.init_conv.weight");
  tensors = nn::save_published_unet(p);
  tensors.tensors["cnn.mid_spatial_attn.fn.fn.fn.to_qkv.weight"].shape = {35, 12};
  CHECK(settings_message() == "cnn.mid_spatial_attn.fn.fn.fn.to_qkv.weight has 35 rows, expected a multiple of 9");
  tensors.tensors["cnn.init_conv.weight"].shape = {4};
  CHECK(settings_message() == "cnn.init_conv.weight has 1 axes, expected a size on axis 1");
}
