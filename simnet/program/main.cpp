#include "simnet/program/commands.hpp"

int main(int argc, char** argv) {
  return kith::simnet::run_command_line({argv + (argc > 0 ? 1 : 0), argv + argc});
}
