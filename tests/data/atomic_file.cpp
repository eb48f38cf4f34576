#include "lacuna/data/atomic_file.hpp"

#include "scratch.hpp"

using namespace lacuna;
using namespace lacuna::data;
using Catch::Matchers::Contains;

namespace {

std::vector<std::byte> bytes_of(const std::string& s) {
  const auto all = std::as_bytes(std::span(s.data(), s.size()));
  return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("Pieces are written one after another, over what was there") {
  const Scratch scratch;
  const auto one = bytes_of("one "), two = bytes_of("two");
  put_content(scratch / "a", "something much longer");
  write_atomically(scratch / "a", {one, {}, two});
  CHECK(content(scratch / "a") == "one two");
  CHECK(scratch.entries() == 1);
}

TEST_CASE("A full disk leaves the old file, no other, and says why") {
  const Scratch scratch;
  put_content(scratch / "a", "old");
  const std::vector<std::byte> large(100000);
  {
    const FullDisk full(5000);
    CHECK(error_of([&] { write_atomically(scratch / "a", {large}); }) == scratch / "a" + ": cannot be written: File too large");
  }
  CHECK(content(scratch / "a") == "old");
  CHECK(scratch.entries() == 1);
}

TEST_CASE("Without commit nothing has happened") {
  const Scratch scratch;
  put_content(scratch / "a", "old");
  {
    const AtomicFile first(scratch / "a"), second(scratch / "a");
    CHECK(first.temporary() != second.temporary());
    put_content(first.temporary(), "half");
  }
  CHECK(content(scratch / "a") == "old");
  CHECK(scratch.entries() == 1);
}

TEST_CASE("A symbolic link stays one, its target is replaced") {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "folder");
  put_content(scratch / "folder/target", "old");
  std::filesystem::create_symlink("folder/target", scratch / "link");
  write_atomically(scratch / "link", {bytes_of("new")});
  CHECK(std::filesystem::is_symlink(scratch / "link"));
  CHECK(content(scratch / "folder/target") == "new");
}

TEST_CASE("An output that cannot be is refused before any work") {
  const Scratch scratch;
  const std::string in = scratch / "in", out = scratch / "out";
  put_content(in, "input");
  put_content(out, "output");
  const auto failure = [](const std::string& path, const std::vector<std::string>& inputs = {}, bool overwrite = true) {
    return error_of([&] { require_writable_output(path, inputs, overwrite); });
  };
  CHECK(failure(out, {in}).empty());
  CHECK(failure(scratch / "new", {in}, false).empty());
  CHECK(failure("") == "output: the file name is empty");
  CHECK_THAT(failure(scratch / "none/out"), Contains("none does not exist"));
  CHECK_THAT(failure(scratch / "."), Contains("the output is a folder"));
  CHECK(failure("/dev/null") == "/dev/null: the output is not a regular file");
  CHECK(failure(out, {in}, false) == out + ": exists already and overwriting was not asked for");
  CHECK(failure(in, {out, in}) == in + ": the output is the input " + in);
  std::filesystem::create_hard_link(in, scratch / "same");
  CHECK_THAT(failure(scratch / "same", {in}), Contains("the output is the input"));
  if (::geteuid() != 0) {  // nothing is read-only to root
    std::filesystem::permissions(scratch / ".", std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    CHECK_THAT(failure(scratch / "new"), Contains("the folder cannot be written: Permission denied"));
    std::filesystem::permissions(scratch / ".", std::filesystem::perms::owner_all);
  }
}

TEST_CASE("A file that appeared meanwhile is kept, and what was computed beside it") {
  const Scratch scratch;
  AtomicFile file(scratch / "out", Existing::kept);
  put_content(file.temporary(), "computed");
  put_content(scratch / "out", "another's");
  CHECK(error_of([&] { file.commit(); }) == scratch / "out" +
                                                ": another program has made this file meanwhile; what was to be "
                                                "written is kept in " +
                                                (scratch / "out.1"));
  CHECK(content(scratch / "out") == "another's");
  CHECK(content(scratch / "out.1") == "computed");
}

TEST_CASE("A link to a file that is not there yet stays a link, and its target is made") {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "folder");
  std::filesystem::create_symlink("folder/target", scratch / "link");
  write_atomically(scratch / "link", {bytes_of("new")}, Existing::kept);
  CHECK(std::filesystem::is_symlink(scratch / "link"));
  CHECK(content(scratch / "folder/target") == "new");
  std::filesystem::create_symlink("absent/target", scratch / "nowhere");
  CHECK_THAT(error_of([&] { require_writable_output(scratch / "nowhere"); }), Contains("absent does not exist"));
  std::filesystem::create_symlink("circle", scratch / "circle");
  CHECK_THAT(error_of([&] { require_writable_output(scratch / "circle"); }), Contains("circle"));
}

TEST_CASE("Permissions of a file that is replaced stay") {
  const Scratch scratch;
  put_content(scratch / "a", "old");
  std::filesystem::permissions(scratch / "a", std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  write_atomically(scratch / "a", {bytes_of("new")});
  CHECK(std::filesystem::status(scratch / "a").permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("The longest name that the system has can be written, a longer one is refused") {
  const Scratch scratch;
  const std::string longest = scratch / std::string(NAME_MAX, 'n');
  write_atomically(longest, {bytes_of("new")});
  CHECK(content(longest) == "new");
  CHECK_THAT(error_of([&] { require_writable_output(longest + "n"); }), Contains("too long"));
}
