#include "common/progress_bar.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "catch.hpp"

using namespace lacuna;

namespace {

/// What `work` writes to standard error where that is `fd`, which is closed; read back from `from`.
template <class Work>
std::string written(int fd, int from, const Work& work) {
  const int before = dup(STDERR_FILENO);
  REQUIRE(dup2(fd, STDERR_FILENO) >= 0);
  close(fd);
  work();
  REQUIRE(dup2(before, STDERR_FILENO) >= 0);
  close(before);
  std::string out;
  REQUIRE(fcntl(from, F_SETFL, O_NONBLOCK) == 0);
  char some[256];
  for (ssize_t count; (count = read(from, some, sizeof some)) > 0;) out.append(some, static_cast<std::size_t>(count));
  close(from);
  return out;
}

const auto half_done = [] {
  common::ProgressBar progress;
  progress.step(0.5, 10, 1.25, 2.0);
  progress.finish();
  progress.show("making", 1.0);
};

}  // namespace

TEST_CASE("a terminal gets a bar with loss, rate and time left") {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(terminal >= 0);
  REQUIRE(grantpt(terminal) == 0);
  REQUIRE(unlockpt(terminal) == 0);
  const std::string out = written(open(ptsname(terminal), O_RDWR | O_NOCTTY), terminal, half_done);
  CHECK_THAT(out, Catch::Matchers::Contains("training [###############...............]  50 %"));
  CHECK_THAT(out, Catch::Matchers::Contains("step 10  loss 1.2500  5.0 steps/s  0:02 left"));
  CHECK_THAT(out, Catch::Matchers::Contains("making [##############################] 100 %  0:00 left"));
  CHECK(out.back() == '\n');
}

TEST_CASE("anything else gets nothing") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK(written(ends[1], ends[0], half_done).empty());
}
