#include "runtime/cli/command_line.hpp"

int main(int count, char** arguments) { return troupe::run_command_line(count, arguments); }
