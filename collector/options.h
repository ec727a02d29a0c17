/* collector/options.h - the command line of netto-collector */
#ifndef NETTO_COLLECTOR_OPTIONS_H
#define NETTO_COLLECTOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "probes.h"

struct options {
	const char *runtime_dir;   /* argv's own */
	uint32_t rate_hz;
	uint64_t period_ns;        /* between two snapshots of the counters */
	uint32_t ring_bytes;
	uid_t uid;                 /* who to become; never root */
	gid_t gid;
	bool filter;               /* false: every sample in kernel mode passes */
	enum probes_exact_mode exact;
	bool check;                /* only try the probes, and report */
};

/* Fill options; on --help, --version or bad usage prints and ends the program
 * (0 or 64; 77 for a --user that only root could become). */
void options_parse(struct options *options, int argc, char *argv[]);

#endif
