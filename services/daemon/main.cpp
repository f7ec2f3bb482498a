#include "services/daemon/commands.hpp"

int main(int argc, char** argv) {
  return kith::daemon::run_command_line({argv + (argc > 0 ? 1 : 0), argv + argc});
}
