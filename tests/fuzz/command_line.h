/* tests/fuzz/command_line.h - any lines as the arguments of a program */
#ifndef NETTO_FUZZ_COMMAND_LINE_H
#define NETTO_FUZZ_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void (*command_line_fn)(int argc, char *argv[]);

/* Call parse with each line of data as one argument. False: it ended the program,
 * as it may: after help with 0, else with one line that says why and a status for
 * it. argv stays until the next call. */
bool command_line_parse(const uint8_t *data, size_t bytes, command_line_fn parse);

#endif
