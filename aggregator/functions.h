/* aggregator/functions.h - what kernel functions mean, from functions.tsv
 *
 * No kernel function name stands in C: all knowledge is rows of functions.tsv,
 * turned into a sorted table when netto is built. A symbol's meaning is looked
 * up once, when its symbol table is loaded; the classifier then works on the
 * small numbers found here.
 */
#ifndef NETTO_AGGREGATOR_FUNCTIONS_H
#define NETTO_AGGREGATOR_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Index of a set of meanings; 0: the function is in no row. */
typedef uint16_t function_id;

/* Meaning of a symbol as kallsyms spells it (suffixes such as .constprop.0 are
 * cut here) in module (NULL or bytes 0: the kernel image). */
function_id functions_find(const char *name, size_t name_bytes,
			   const char *module, size_t module_bytes);

#endif
