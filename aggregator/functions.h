/* aggregator/functions.h - what kernel functions mean, from functions.tsv
 *
 * No kernel function name stands in C: all knowledge is rows of functions.tsv,
 * turned into a sorted table when netto is built. A symbol's meaning is looked
 * up once, when its symbol table is loaded; the classifier then works on the
 * small numbers found here.
 */
#ifndef NETTO_AGGREGATOR_FUNCTIONS_H
#define NETTO_AGGREGATOR_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "labels.h"

/* Index of a set of meanings; 0: the function is in no row. */
typedef uint16_t function_id;

#define FUNCTION_UNKNOWN UINT16_MAX   /* of an address that no symbol holds */

/* Meaning of a symbol as kallsyms spells it (suffixes such as .constprop.0 are
 * cut here) in module (NULL or bytes 0: the kernel image). */
function_id functions_find(const char *name, size_t name_bytes,
			   const char *module, size_t module_bytes);

/* Where the frames of a context end. From 1 to CONTEXT_COUNT it is 1 + the
 * context which the function opens. */
enum boundary {
	BOUNDARY_NONE,
	BOUNDARY_OUTSIDE = CONTEXT_COUNT + 1,   /* a clock that is no context: RCU, block */
	BOUNDARY_INTERRUPT,                     /* likewise, entered by an interrupt */
	BOUNDARY_DISPATCHER,                    /* runs the softirqs */
};

/* Frames whose component is named by a frame outside them. */
enum named_by {
	NAMED_BY_ITSELF,
	NAMED_BY_HOOK,      /* netfilter rules: by the caller of the hook */
	NAMED_BY_FILTER,    /* TC classifiers and actions: by who classifies */
	NAMED_BY_RUNNER,    /* BPF programs: by who runs them */
	NAMED_BY_PROGRAM,   /* BPF helpers: by the program; a tracer's without one */
	NAMED_BY_CALLER,    /* by the caller if it names what it calls, else by itself */
};

enum path_flag {
	PATH_START = 1 << 0,     /* a receive starts anew here, also a nested one */
	PATH_RECEIVE = 1 << 1,   /* IP output directly inside is forwarding */
	PATH_OUTPUT = 1 << 2,    /* IP output, of forwarded and of local packets */
	PATH_PREEMPT = 1 << 3,   /* a task preempted at an interrupt's end, not interrupt time */
	PATH_TIMERS = 1 << 4,    /* a thread of timers: whoever sleeps is woken there */
};

enum irq_kind { IRQ_OTHER, IRQ_NETWORK, IRQ_SHARED };

/* Meaning of one function. Components, contexts and the like are stored plus
 * one, so that 0 is none. */
struct meaning {
	uint8_t boundary;    /* enum boundary */
	uint8_t call;        /* 1 + context of this socket call */
	uint8_t component;   /* 1 + component */
	uint8_t named;       /* enum named_by */
	uint8_t hook;        /* 1 + component of the netfilter rules called from here */
	uint8_t filter;      /* 1 + component of the classifiers called from here */
	uint8_t runner;      /* 1 + component of the BPF programs run from here */
	uint8_t caller;      /* 1 + component of callees named by this caller */
	uint8_t erased;      /* 1 + component it stands for directly inside a dispatcher */
	uint8_t step;        /* enum step; STEP_NONE: none */
	uint8_t family;      /* enum family */
	uint8_t work;        /* enum work */
	uint8_t path;        /* enum path_flag */
	uint8_t irq;         /* enum irq_kind, as a hard interrupt handler */
	bool network;        /* proof that the stack is the network's */
};

/* Meanings by function_id; [0] is empty. */
extern const struct meaning functions_meanings[];
extern const size_t functions_meaning_count;

/* Rows by symbol, a prefix before an exact row of the same text. */
struct function_row {
	uint32_t key;      /* the symbol's first four bytes, the first one highest */
	const char *symbol;
	uint8_t bytes;
	bool is_prefix;
	function_id id;
	uint16_t parent;   /* row + 1 of the longest prefix of this symbol; 0: none */
};

extern const struct function_row functions_rows[];
extern const size_t functions_row_count;

/* Rows of one module, the longest symbol first; ordered by module. */
struct function_module_row {
	const char *module;
	const char *symbol;
	uint8_t bytes;
	bool is_prefix;
	function_id id;
};

extern const struct function_module_row functions_module_rows[];
extern const size_t functions_module_row_count;

/* Glob patterns of interrupt names that are a network device's. */
extern const char *const functions_irq_names[];
extern const size_t functions_irq_name_count;

#endif
