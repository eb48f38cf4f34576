#!/usr/bin/env python3
"""Parts that lack a member do not make a Model, and the compiler's first error names what is missing.

usage: check.py COMPILER FLAGS...
"""

import subprocess
import sys
import tempfile
from pathlib import Path

PARTS = """
#include <lacuna/mask/pixels.hpp>
#include <lacuna/model/parts.hpp>
#include <lacuna/schedule/variance_preserving.hpp>
using namespace lacuna;
struct Network {
  template <class D> Variable<float> operator()(Graph<float, D>&, const Variable<float>& x, const float*) const { return x; }
};
struct Draw { bool in_context(mask::Cell) const; bool in_query(mask::Cell) const; };
template <class N = Network, class P = mask::Pixels, class S = schedule::VariancePreserving, class M = schedule::DataMatching>
inline constexpr bool checked = model::check_parts<N, P, S, M, cpu::Device>();
"""

# What is wrong, the code, and words of the first error.
CASES = [
    ("a network that cannot be called", "struct N {}; bool b = checked<N>;", "the network needs a const operator()"),
    (
        "a network that is not const",
        "struct N { Variable<float> operator()(Graph<float>&, const Variable<float>&, const float*); }; bool b = checked<N>;",
        "the network needs a const operator()",
    ),
    ("a policy without draw", "struct P {}; bool b = checked<Network, P>;", "the mask policy needs a const draw("),
    (
        "a draw without in_context",
        "struct D { bool in_query(mask::Cell) const; };"
        "struct P { D draw(PhiloxKey, std::uint64_t, const mask::Window&) const; }; bool b = checked<Network, P>;",
        "needs a const bool in_context(mask::Cell)",
    ),
    (
        "a draw without in_query",
        "struct D { bool in_context(mask::Cell) const; };"
        "struct P { D draw(PhiloxKey, std::uint64_t, const mask::Window&) const; }; bool b = checked<Network, P>;",
        "needs a const bool in_query(mask::Cell)",
    ),
    (
        "a schedule without alpha",
        "struct S { double sigma(double) const; double log_snr(double) const; double time_of_log_snr(double) const; };"
        "bool b = checked<Network, mask::Pixels, S>;",
        "the noise schedule needs a const double alpha(double t)",
    ),
    (
        "a schedule without sigma",
        "struct S { double alpha(double) const; double log_snr(double) const; double time_of_log_snr(double) const; };"
        "bool b = checked<Network, mask::Pixels, S>;",
        "the noise schedule needs a const double sigma(double t)",
    ),
    (
        "a schedule without the inverse of log_snr",
        "struct S { double alpha(double) const; double sigma(double) const; double log_snr(double) const; };"
        "bool b = checked<Network, mask::Pixels, S>;",
        "time_of_log_snr(double)",
    ),
    (
        "a matching without clean",
        "struct M { static constexpr bool needs_noisy = false; float target(float, float, float, float) const;"
        "float noise(float, float, float, float) const; };"
        "bool b = checked<Network, mask::Pixels, schedule::VariancePreserving, M>;",
        "the matching needs a const float clean(",
    ),
    (
        "a factory that takes other arguments",
        "struct F { Network operator()(int) const; }; using N = model::NetworkOf<F>; N n;",
        "the network factory must be callable as factory(",
    ),
    (
        "a background without fit",
        "struct B { void evaluate(const baseline::BackgroundRequest&, float*) const; };"
        "auto b = model::any_background(B{});",
        "the background needs a fit(const baseline::BackgroundData&)",
    ),
    (
        "a background without evaluate",
        "struct B { void fit(const baseline::BackgroundData&); }; auto b = model::any_background(B{});",
        "the background needs a const evaluate(",
    ),
]


def first_error(compiler, flags, code):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "case.cpp"
        source.write_text(PARTS + code + "\n")
        done = subprocess.run([compiler, *flags, "-fsyntax-only", str(source)], capture_output=True, text=True, check=False)
        lines = [line for line in done.stderr.splitlines() if "error:" in line]
        return lines[0] if lines else ("" if done.returncode == 0 else done.stderr[-400:])


def main():
    compiler, *flags = sys.argv[1:]
    bad = []
    sound = first_error(compiler, flags, "bool b = checked<>;")
    if sound:
        bad.append(f"sound parts do not compile: {sound}")
    for what, code, words in CASES:
        line = first_error(compiler, flags, code)
        if words not in line:
            bad.append(f"{what}: expected a first error with '{words}', came: {line or 'no error'}")
    print("\n".join(bad) or f"{len(CASES)} mistakes are named by {compiler}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
