/* deploy/launcher/check.h - netto check: what this kernel offers, and what is missing */
#ifndef NETTO_LAUNCHER_CHECK_H
#define NETTO_LAUNCHER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "check_facts.h"
#include "check_options.h"
#include "check_report.h"
#include "labels.h"

#define CHECK_NOTES_MAX 8
#define CHECK_TEXT_BYTES 256

enum source {
	SOURCE_EXACT,
	SOURCE_SAMPLED,
	SOURCE_NONE,            /* not measured at all */
	SOURCE_UNKNOWN,         /* the probes were not tried */
	SOURCE_COUNT
};

extern const char *const source_names[SOURCE_COUNT];

struct check {
	bool exact_auto;                /* --exact-syscalls is auto */
	struct check_facts facts;
	struct check_report report;     /* of the collector; empty without one */
	enum source sources[CONTEXT_COUNT];
	char notes[CHECK_NOTES_MAX][CHECK_TEXT_BYTES];  /* what could be better */
	size_t note_count;
	int status;                     /* exit status: 0 if netto can run */
	char message[2 * CHECK_TEXT_BYTES];     /* the last line */
};

/* What a part of netto was measured to cost at 997 Hz, in time or in % of a
 * machine that is busy or idle, and on what machine (README.md). */
struct check_cost {
	const char *part;       /* tracepoint: of --exact-syscalls; sampling: with both processes */
	const char *text;
};

extern const struct check_cost check_costs[];
extern const size_t check_cost_count;
extern const char check_costs_where[];

/* Facts and report are there: say what follows for each context and for the
 * whole. rate_hz is what netto is to be started with, 0: its default, or what
 * the kernel allows. */
void check_conclude(struct check *check, uint32_t rate_hz);

struct check_style {
	unsigned int columns;   /* lines are wrapped there; 0: never */
	bool colour;
};

/* One screen for people. */
void check_print_text(const struct check *check, const struct check_style *style, FILE *out);

/* One JSON object and a line end. 0 or -ENOMEM. */
int check_print_json(const struct check *check, FILE *out);

/* The whole command; says its own error. 0 or EXIT_ERR(). */
int check_command(const struct check_options *options);

#endif
