#include "lacuna/model/network.hpp"

namespace lacuna::model {

template AnyNetwork<cpu::Device> in_precision(const SpaceTimeUNetFactory&, const train::NetworkShape&, Parameters<float>&,
                                              std::uint64_t);

}  // namespace lacuna::model
