/* deploy/launcher/check_report.h - what "netto-collector --check" says, see collector/check.h */
#ifndef NETTO_LAUNCHER_CHECK_REPORT_H
#define NETTO_LAUNCHER_CHECK_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_BYTES_MAX 65536
#define REPORT_PROBES_MAX 128

enum probe_state { PROBE_ATTACHED, PROBE_OFF, PROBE_UNTRIED, PROBE_STATE_COUNT };
enum addresses { ADDRESSES_UNKNOWN, ADDRESSES_SHOWN, ADDRESSES_HIDDEN, ADDRESSES_COUNT };

extern const char *const probe_state_names[PROBE_STATE_COUNT];
extern const char *const addresses_names[ADDRESSES_COUNT];

/* Texts point into what was parsed. */
struct report_probe {
	const char *name;
	const char *function;
	enum probe_state state;
	const char *reason;     /* "" when attached */
};

struct check_report {
	struct report_probe probes[REPORT_PROBES_MAX];
	size_t probe_count;
	enum addresses addresses;
	uint64_t interval_ns;   /* 0: unknown */
	bool exact_tx;          /* the socket probes time sends */
	bool exact_rx;          /* and receives */
	int status;             /* exit status */
	const char *message;    /* why not 0, else "" */
};

/* Parse text, which is cut into pieces and has to outlive the report. 0;
 * -EPROTO: not a report, or not a whole one. */
int check_report_parse(struct check_report *report, char *text);

/* Whether a function of that probe is in that state. */
bool check_report_has(const struct check_report *report, const char *probe,
		      enum probe_state state);

#endif
