#pragma once

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "../data/scratch.hpp"
#include "catch.hpp"

/// What a program said, and its exit code.
struct Run {
  int code;
  std::string out, error;
};

/// A program as a user runs it, with a folder of its own.
class Program {
 public:
  Scratch folder;

  explicit Program(std::string path) : path_(std::move(path)) {}

  Run operator()(const std::string& arguments) const {
    const std::string out = folder / "stdout", error = folder / "stderr";
    const int status = std::system((path_ + " " + arguments + " >" + out + " 2>" + error).c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(out), content(error)};
  }
  /// Checks exit code 1 and one line that says `what`.
  void fails(const std::string& arguments, const std::string& what) const {
    INFO(arguments);
    const auto run = (*this)(arguments);
    CHECK(run.code == 1);
    CHECK_THAT(run.error, Catch::Matchers::Contains(what));
    CHECK(std::count(run.error.begin(), run.error.end(), '\n') == 1);
  }

 private:
  std::string path_;
};
