#pragma once

/// The one table of tolerances. Relative ones are to the largest magnitude of the compared tensor; a non-finite mismatch fails
/// whatever the tolerance.
namespace lacuna::test::tolerance {

/// Same formula, same order, another instruction set: fused multiply-adds and a two-ulp exponential.
inline constexpr double vector_against_plain = 2e-6;
/// Float sums of up to a few thousand products in another order: sqrt(n) half-ulps, with a margin of about ten.
inline constexpr double float_sum = 2e-5;
/// A GPU kernel against the CPU's op: float sums of a tree against the CPU's, both of up to some ten thousand products.
inline constexpr double kernel = 1e-5;
/// Whole float networks (about thirty layers) by two convolution libraries: float_sum, carried through the layers.
inline constexpr double float_network = 1e-4;
/// Whole float networks against another implementation, whose norms and sigmoids round differently too.
inline constexpr double float_network_other_code = 2e-4;
/// One op in bfloat16 against float on operands that bfloat16 holds: result and incoming gradient are rounded to eight bits each.
inline constexpr double bfloat16 = 0x1p-7;
/// Whole networks in bfloat16 against float, the roundings of some thirty layers; a relative distance.
inline constexpr double bfloat16_network = 3e-2;
/// Double sums in another order.
inline constexpr double double_sum = 1e-13;
/// Fourth-order central differences in double, steps of 1e-3 (1e-4 where the function bends more): truncation and rounding
/// of the order of 1e-11 each.
inline constexpr double gradient = 1e-9;
/// The same through a whole network, whose higher derivatives are larger.
inline constexpr double network_gradient = 1e-7;

}  // namespace lacuna::test::tolerance
