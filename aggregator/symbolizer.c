/* aggregator/symbolizer.c - link-time address to kernel function */
#include "symbolizer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kallsyms.h"

#define SYMBOLS_MAX (4u << 20)
#define SYMBOLS_FIRST (128u << 10)
#define NAMES_FIRST_BYTES (4u << 20)
#define NAME_BYTES_MAX 511            /* KSYM_NAME_LEN is 512 since 6.1, 128 before */
#define FUNCTION_BYTES_MAX (1u << 20) /* beyond lies a gap between modules, no function */
#define CACHE_WAYS 4
#define CACHE_SETS (4u << 10)
#define ADDRESS_BITS 48               /* of an address; those above are ones in kernel code */
#define FUNCTION_BITS 16
_Static_assert(ADDRESS_BITS + FUNCTION_BITS == 64, "both make one entry");

/* x86 gives the padding in front of a function, which nothing runs, a symbol
 * of its own since 6.2 (scripts/kallsyms.c). */
static const char padding_prefix[] = "__pfx_";
#define PADDING_PREFIX_BYTES (sizeof(padding_prefix) - 1)

/* Meanings of addresses, the last one put in first. Eight bytes each, so that
 * the few thousand addresses of a loaded kernel fit, beside all else, in a
 * processor's second cache. 0: empty. */
struct cache_set {
	uint64_t entries[CACHE_WAYS];   /* address << 16 | function */
};

/* Each name stands in names between the letter of its symbol's type and a NUL. */
struct table {
	struct symbol *symbols;
	size_t count, max;
	size_t gaps;                    /* of count: no functions, but where one ends */
	char *names;
	size_t names_bytes, names_max;
};

struct symbolizer {
	struct table table;
	struct cache_set cache[CACHE_SETS];
};

int symbolizer_open(struct symbolizer **out)
{
	struct symbolizer *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*out = s;
	return 0;
}

static void table_close(struct table *table)
{
	free(table->symbols);
	free(table->names);
	memset(table, 0, sizeof(*table));
}

/* Room for one symbol more and its name. 0; -ENOMEM; -EFBIG. */
static int table_reserve(struct table *table, size_t name_bytes)
{
	if (table->count == table->max) {
		size_t max = table->max ? table->max * 2 : SYMBOLS_FIRST;
		struct symbol *symbols;

		if (table->max >= SYMBOLS_MAX)
			return -EFBIG;
		symbols = realloc(table->symbols, max * sizeof(*symbols));
		if (!symbols)
			return -ENOMEM;
		table->symbols = symbols;
		table->max = max;
	}
	if (table->names_max - table->names_bytes < name_bytes + 2) {
		size_t max = table->names_max ? table->names_max * 2 : NAMES_FIRST_BYTES;
		char *names = realloc(table->names, max);

		if (!names)
			return -ENOMEM;
		table->names = names;
		table->names_max = max;
	}
	return 0;
}

static bool is_gap(const struct kallsyms_line *line)
{
	return line->name_bytes == strlen(KALLSYMS_GAP) &&
	       !memcmp(line->name, KALLSYMS_GAP, line->name_bytes);
}

static int table_add(struct table *table, const struct kallsyms_line *line)
{
	size_t name_bytes = line->name_bytes < NAME_BYTES_MAX ? line->name_bytes : NAME_BYTES_MAX;
	struct symbol *symbol;
	char *name;
	int err;

	err = table_reserve(table, name_bytes);
	if (err)
		return err;
	name = table->names + table->names_bytes;
	name[0] = line->type;
	memcpy(name + 1, line->name, name_bytes);
	name[1 + name_bytes] = '\0';

	symbol = &table->symbols[table->count++];
	symbol->address = line->address;
	symbol->name_offset = (uint32_t)(table->names_bytes + 1);
	symbol->name_bytes = (uint16_t)name_bytes;
	symbol->is_gap = is_gap(line);
	symbol->function = symbol->is_gap ? FUNCTION_UNKNOWN :
			   functions_find(line->name, line->name_bytes, line->module,
					  line->module_bytes);
	table->names_bytes += name_bytes + 2;
	return 0;
}

static bool is_padding(const struct kallsyms_line *line)
{
	return line->name_bytes >= PADDING_PREFIX_BYTES &&
	       !memcmp(line->name, padding_prefix, PADDING_PREFIX_BYTES);
}

static int table_parse(struct table *table, const char *text, const char *end)
{
	struct kallsyms_line line;
	int found;

	while ((found = kallsyms_next(&text, end, &line)) > 0) {
		int err;

		if (!line.address || is_padding(&line))
			continue;
		err = table_add(table, &line);
		if (err)
			return err;
	}
	if (found < 0)
		return found;
	return table->count ? 0 : -ENODATA;
}

static int compare_symbols(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->name_offset < b->name_offset ? -1 : a->name_offset > b->name_offset;
}

/* The kernel's own list is in order; modules need not be. */
static void table_sort(struct table *table)
{
	for (size_t i = 1; i < table->count; i++) {
		if (table->symbols[i].address < table->symbols[i - 1].address) {
			qsort(table->symbols, table->count, sizeof(*table->symbols),
			      compare_symbols);
			return;
		}
	}
}

static bool is_global(const struct table *table, const struct symbol *symbol)
{
	char type = table->names[symbol->name_offset - 1];

	return type == 'T' || type == 'W';
}

/* Of two names for one address: a function, then the one that means something to the
 * classifier, then the one that other files can call, then the first. */
static bool is_better(const struct table *table, const struct symbol *a, const struct symbol *b)
{
	if (a->is_gap != b->is_gap)
		return b->is_gap;
	if (!a->function != !b->function)
		return a->function;
	return is_global(table, a) && !is_global(table, b);
}

/* Leave one symbol an address. */
static void table_drop_aliases(struct table *table)
{
	struct symbol *last = table->symbols;

	for (size_t i = 1; i < table->count; i++) {
		const struct symbol *symbol = &table->symbols[i];

		if (symbol->address != last->address)
			*++last = *symbol;
		else if (is_better(table, symbol, last))
			*last = *symbol;
	}
	table->count = (size_t)(last - table->symbols) + 1;
	for (size_t i = 0; i < table->count; i++)
		table->gaps += table->symbols[i].is_gap;
}

/* Give back what was reserved and not used; failing that it stays. */
static void table_fit(struct table *table)
{
	struct symbol *symbols = realloc(table->symbols, table->count * sizeof(*symbols));
	char *names = realloc(table->names, table->names_bytes);

	if (symbols)
		table->symbols = symbols;
	if (names)
		table->names = names;
}

int symbolizer_load(struct symbolizer *s, const char *text, size_t bytes)
{
	struct table table = { 0 };
	int err;

	err = table_parse(&table, text, text + bytes);
	if (err) {
		table_close(&table);
		return err;
	}
	table_sort(&table);
	table_drop_aliases(&table);
	table_fit(&table);
	table_close(&s->table);
	s->table = table;
	memset(s->cache, 0, sizeof(s->cache));
	return 0;
}

static const struct symbol *search(const struct table *table, uint64_t address)
{
	size_t low = 0, high = table->count;

	/* Below low none is above address, from high on all are. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - table->symbols[low - 1].address >= FUNCTION_BYTES_MAX)
		return NULL;
	return table->symbols[low - 1].is_gap ? NULL : &table->symbols[low - 1];
}

const struct symbol *symbolizer_resolve(const struct symbolizer *s, uint64_t address,
					bool is_return)
{
	return address > is_return ? search(&s->table, address - is_return) : NULL;
}

static function_id find_function(const struct symbolizer *s, uint64_t address)
{
	const struct symbol *symbol = search(&s->table, address);

	return symbol ? symbol->function : FUNCTION_UNKNOWN;
}

static struct cache_set *cache_set_of(struct symbolizer *s, uint64_t address)
{
	/* The multiplier is 2^64 / phi; its product's middle bits hang on all below. */
	return &s->cache[(address * 0x9e3779b97f4a7c15ull) >> 40 & (CACHE_SETS - 1)];
}

static void cache_put(struct cache_set *set, uint64_t entry)
{
	memmove(&set->entries[1], &set->entries[0], (CACHE_WAYS - 1) * sizeof(entry));
	set->entries[0] = entry;
}

/* The set's entry of address; 0: it is not there. In which way it is cannot be
 * foreseen, so looking at all of them is cheaper than a branch on each. */
static inline uint64_t cache_find(const struct cache_set *set, uint64_t address)
{
	const uint64_t wanted = address << FUNCTION_BITS;
	uint64_t found = 0;

#pragma GCC unroll 4
	for (size_t i = 0; i < CACHE_WAYS; i++) {
		uint64_t entry = set->entries[i];

		found |= (entry ^ wanted) >> FUNCTION_BITS ? 0 : entry;
	}
	return found;
}

static inline function_id cached_function(struct symbolizer *s, uint64_t address)
{
	struct cache_set *set = cache_set_of(s, address);
	uint64_t entry;

	if (address >> ADDRESS_BITS != UINT64_MAX >> ADDRESS_BITS)
		return find_function(s, address);
	entry = cache_find(set, address);
	if (!entry) {
		entry = address << FUNCTION_BITS | find_function(s, address);
		cache_put(set, entry);
	}
	return (function_id)entry;
}

void symbolizer_functions(struct symbolizer *s, const uint64_t *frames, size_t count,
			  function_id *functions)
{
	for (size_t i = 0; i < count; i++) {
		const bool is_return = i > 0;

		functions[i] = frames[i] > is_return ? cached_function(s, frames[i] - is_return)
						     : FUNCTION_UNKNOWN;
	}
}

const char *symbolizer_name(const struct symbolizer *s, const struct symbol *symbol)
{
	return s->table.names + symbol->name_offset;
}

size_t symbolizer_count(const struct symbolizer *s)
{
	return s->table.count - s->table.gaps;
}

void symbolizer_close(struct symbolizer *s)
{
	if (!s)
		return;
	table_close(&s->table);
	free(s);
}
