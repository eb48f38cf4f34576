#include "lacuna/observer.hpp"

#include "catch.hpp"

using namespace lacuna;

TEST_CASE("an observer that nothing was made of hears all and stops nothing") {
  CHECK_NOTHROW(silent().begins(Stage::gaps));
  CHECK_NOTHROW(silent().tells(Stage::gaps, "words"));
  CHECK_NOTHROW(silent().warns("words"));
  CHECK_NOTHROW(silent().progresses({}));
  CHECK_NOTHROW(silent().saved("folder", true));
  CHECK_FALSE(silent().stops());
}

TEST_CASE("what was stopped says where its state is, or that there is none") {
  CHECK(std::string(Stopped(7, "state").what()) == "stopped after step 7 of the training; the state is kept in state");
  CHECK(std::string(Stopped(7, "").what()) ==
        "stopped after step 7 of the training; nothing is kept without a checkpoint's folder");
}
