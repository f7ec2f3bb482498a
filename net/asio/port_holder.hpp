// Who listens on a TCP port of this machine, from /proc: the socket's inode from /proc/net/tcp and
// tcp6, then the process that has a descriptor of it. Processes of other users stay invisible
// without privileges: then there is no answer. Only for the text of an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kith::net {

struct PortHolder {
  int pid = 0;
  std::string program;  // /proc/PID/comm, unprintable bytes replaced
};

std::optional<PortHolder> find_port_holder(std::uint16_t port);

}  // namespace kith::net
