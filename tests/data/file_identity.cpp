#include "lacuna/data/file_identity.hpp"

#include <filesystem>

#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;

TEST_CASE("Replacing, writing, growing and touching change a file's identity; reading does not") {
  const Scratch scratch;
  const std::string path = scratch / "a";
  put_content(path, "old");
  const FileIdentity before = file_identity(path);
  CHECK(content(path) == "old");
  CHECK(file_identity(path) == before);
  SECTION("replaced by a file of the same size and time") {
    put_content(scratch / "b", "new");
    std::filesystem::last_write_time(scratch / "b", std::filesystem::last_write_time(path));
    std::filesystem::rename(scratch / "b", path);
  }
  SECTION("touched") { std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(1)); }
  SECTION("longer") { put_content(path, "older"); }
  CHECK_FALSE(file_identity(path) == before);
  std::filesystem::remove(path);
  CHECK(error_of([&] { file_identity(path); }) == path + ": cannot be found: No such file or directory");
}
