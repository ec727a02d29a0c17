/* aggregator/backend.h - what an output is
 *
 * One file, one struct of functions, one line in backends.c. Backends run side
 * by side on the loop's thread and cannot hold each other up: period() never
 * blocks, and what a backend cannot deliver it counts and says.
 */
#ifndef NETTO_AGGREGATOR_BACKEND_H
#define NETTO_AGGREGATOR_BACKEND_H

#include <stdint.h>
#include <uv.h>

#include "options.h"
#include "totals.h"

/* A backend's own part of netto's self-metrics, kept by the backend. */
struct backend_counts {
	uint64_t delivered;   /* lines, scrapes, redraws */
	uint64_t dropped;     /* what was due and could not be delivered */
};

struct backend_ctx {
	uv_loop_t *loop;
	const struct options *options;
	void (*quit)(void);              /* ask the program to end, as a signal would */
	struct backend_counts counts;
	void *state;                     /* the backend's own */
};

struct backend {
	const char *name;                                                 /* option and messages */
	bool (*wanted)(const struct options *options);                    /* named on the command line? */
	int (*start)(struct backend_ctx *ctx);                            /* once; says its own error; 0 or -errno or EXIT_ERR() */
	void (*period)(struct backend_ctx *ctx, const struct totals *t);  /* each period; never blocks */
	void (*silence)(struct backend_ctx *ctx, const struct totals *t); /* collector absent, once a second; NULL: nothing to show */
	void (*reopen)(struct backend_ctx *ctx);                          /* SIGHUP; NULL: nothing to reopen */
	void (*stop)(struct backend_ctx *ctx);                            /* once, after a start that returned 0 */
};

/* Start all wanted backends; on failure those started are stopped again. */
int backends_start(uv_loop_t *loop, const struct options *options, void (*quit)(void));
void backends_period(const struct totals *totals);
void backends_silence(const struct totals *totals);
void backends_reopen(void);
void backends_stop(void);

/* Self-metrics of the backends that run: name and counts of the i-th, or NULL
 * past the last. */
const struct backend_counts *backends_counts(size_t i, const char **name);

#endif
