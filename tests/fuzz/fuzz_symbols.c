/* fuzz_symbols.c - a symbol table that lies, then addresses looked up in it */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct symbolizer *symbolizer;
	uint64_t address = 0;

	if (symbolizer_open(&symbolizer))
		abort();
	(void)symbolizer_load(symbolizer, (const char *)data, bytes);   /* refusing is right, too */
	for (size_t i = 0; i < 64; i++) {
		const struct symbol *symbol;

		if (bytes >= sizeof(address))
			memcpy(&address, data + i % (bytes - sizeof(address) + 1), sizeof(address));
		symbol = symbolizer_resolve(symbolizer, i & 1 ? address : 0xffffffff81000000 + i,
					    i & 2);
		if (symbol && strlen(symbolizer_name(symbolizer, symbol)) != symbol->name_bytes)
			abort();
	}
	symbolizer_close(symbolizer);
	return 0;
}
