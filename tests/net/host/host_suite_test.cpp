#include "support.hpp"

namespace kith::host {

INSTANTIATE_TEST_SUITE_P(Worlds, HostSuite,
                         testing::Values(World{"memory", make_memory_harness},
                                         World{"sim", make_sim_harness},
                                         World{"sockets", make_asio_harness},
                                         World{"messages", make_sim_host_harness}),
                         [](const auto& world) { return world.param.name; });

}  // namespace kith::host
