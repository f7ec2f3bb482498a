#include "simnet/huge_pages.hpp"
#include "simnet/program/commands.hpp"

int main(int argc, char** argv) {
  kith::simnet::use_huge_pages(argv);
  return kith::simnet::run_command_line({argv + (argc > 0 ? 1 : 0), argv + argc});
}
