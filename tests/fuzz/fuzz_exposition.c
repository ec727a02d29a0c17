/* fuzz_exposition.c - any bytes as a label value
 *
 * Holds that the value stays inside its quotes, on its line, and free of
 * control characters.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exposition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check(const char *line, size_t bytes)
{
	if (bytes < 4 || strncmp(line, "l=\"", 3) || line[bytes - 1] != '"')
		abort();
	for (size_t i = 3; i < bytes - 1; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f || line[i] == '"')
			abort();
		if (line[i] == '\\' && line[++i] != '\\' && line[i] != '"')
			abort();
		if (i >= bytes - 1)   /* the last quote was escaped */
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char *value = strndup((const char *)data, bytes);
	char *line = NULL;
	size_t line_bytes;
	FILE *out = open_memstream(&line, &line_bytes);

	if (!value || !out)
		abort();
	exposition_write_label(out, "l", value);
	fclose(out);
	check(line, line_bytes);
	free(line);
	free(value);
	return 0;
}
