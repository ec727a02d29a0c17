/* functions.c - search in the table made from functions.tsv */
#include "functions.h"

#include <string.h>

static bool row_matches(const char *symbol, size_t bytes, bool is_prefix,
			const char *name, size_t name_bytes)
{
	if (is_prefix ? bytes > name_bytes : bytes != name_bytes)
		return false;
	return memcmp(symbol, name, bytes) == 0;
}

static uint32_t key_of(const char *name, size_t name_bytes)
{
	uint32_t key = 0;
	size_t i;

	for (i = 0; i < sizeof(key); i++)
		key = key << 8 | (i < name_bytes ? (unsigned char)name[i] : 0);
	return key;
}

/* Most symbols of a kernel are in no row: keys tell them apart quickly. */
static bool row_is_above(const struct function_row *row, uint32_t key,
			 const char *name, size_t name_bytes)
{
	size_t common = row->bytes < name_bytes ? row->bytes : name_bytes;
	int order;

	if (row->key != key)
		return row->key > key;
	order = memcmp(row->symbol, name, common);
	return order > 0 || (order == 0 && row->bytes > name_bytes);
}

/* Rows up to which none is above name: the number of them. */
static size_t rows_below(const char *name, size_t name_bytes)
{
	uint32_t key = key_of(name, name_bytes);
	size_t low = 0, high = functions_row_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (row_is_above(&functions_rows[middle], key, name, name_bytes))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* -1, 0 or 1, as the row's module is below, equal or above. */
static int module_order(const char *row_module, const char *module, size_t module_bytes)
{
	int order = strncmp(row_module, module, module_bytes);

	if (order)
		return order < 0 ? -1 : 1;
	return row_module[module_bytes] ? 1 : 0;
}

/* Rows of the module: those that name a function, or the one for all the rest. */
static bool find_in_module(const char *name, size_t name_bytes, const char *module,
			   size_t module_bytes, bool rest, function_id *id)
{
	size_t low = 0, high = functions_module_row_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (module_order(functions_module_rows[middle].module, module, module_bytes) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < functions_module_row_count; low++) {
		const struct function_module_row *row = &functions_module_rows[low];

		if (module_order(row->module, module, module_bytes))
			return false;
		if ((row->bytes == 0) == rest &&
		    row_matches(row->symbol, row->bytes, row->is_prefix,
				name, name_bytes)) {
			*id = row->id;
			return true;
		}
	}
	return false;
}

function_id functions_find(const char *name, size_t name_bytes,
			   const char *module, size_t module_bytes)
{
	const char *dot = memchr(name, '.', name_bytes);
	size_t position;
	function_id id;

	if (dot)
		name_bytes = (size_t)(dot - name);
	if (name_bytes == 0)
		return 0;

	if (module && module_bytes &&
	    find_in_module(name, name_bytes, module, module_bytes, false, &id))
		return id;
	/* The longest row that begins name is the last one not above it, or a
	 * prefix of that one. */
	for (position = rows_below(name, name_bytes); position;
	     position = functions_rows[position - 1].parent) {
		const struct function_row *row = &functions_rows[position - 1];

		if (row_matches(row->symbol, row->bytes, row->is_prefix, name, name_bytes))
			return row->id;
	}
	if (module && module_bytes &&
	    find_in_module(name, name_bytes, module, module_bytes, true, &id))
		return id;
	return 0;
}
