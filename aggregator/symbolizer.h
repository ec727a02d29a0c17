/* aggregator/symbolizer.h - link-time address to kernel function
 *
 * Holds one symbol table at a time, sorted, with each symbol's meaning
 * (functions.h) looked up at load, and a cache of meanings by address.
 */
#ifndef NETTO_AGGREGATOR_SYMBOLIZER_H
#define NETTO_AGGREGATOR_SYMBOLIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "functions.h"

struct symbol {
	uint64_t address;
	uint32_t name_offset;     /* into the table's names; use symbolizer_name() */
	uint16_t name_bytes : 15;
	uint16_t is_gap : 1;      /* no function: KALLSYMS_GAP */
	function_id function;
};

struct symbolizer;

/* An empty table. 0; -ENOMEM. */
int symbolizer_open(struct symbolizer **symbolizer);

/* Replace the table by what text holds (kallsyms format; copied). On failure
 * the old table stays. 0; -EINVAL: not kallsyms; -ENODATA: no text symbols or
 * only zero addresses; -ENOMEM; -EFBIG: over 4 million symbols. */
int symbolizer_load(struct symbolizer *symbolizer, const char *text, size_t bytes);

/* Symbol that holds address, or NULL: none, a gap, or address 0. is_return: the
 * address is a return address (every frame but the leaf), which may already
 * belong to the next symbol when the call was the last instruction. */
const struct symbol *symbolizer_resolve(const struct symbolizer *symbolizer, uint64_t address,
					bool is_return);

/* Meanings of a stack's frames, leaf first (all but the leaf are return
 * addresses); FUNCTION_UNKNOWN where there is no symbol. Remembered by address. */
void symbolizer_functions(struct symbolizer *symbolizer, const uint64_t *frames, size_t count,
			  function_id *functions);

/* Name of a symbol, terminated, valid until the next load. */
const char *symbolizer_name(const struct symbolizer *symbolizer, const struct symbol *symbol);

/* Functions known. */
size_t symbolizer_count(const struct symbolizer *symbolizer);

/* Takes NULL. */
void symbolizer_close(struct symbolizer *symbolizer);

#endif
