#pragma once

#include "catch.hpp"
#include "cuda_emulation/language.hpp"

namespace lacuna::test {

/// Runs `work` with the emulated GPU's blocks and threads in three orders; its Order is the argument.
template <class Work>
void in_every_order(const Work& work) {
  using cuda_emulation::Order;
  for (const Order order : {Order::forward, Order::reverse, Order::random}) {
    INFO("order " << static_cast<int>(order));
    cuda_emulation::machine.order = order;
    work();
  }
  cuda_emulation::machine.order = Order::forward;
}

}  // namespace lacuna::test
