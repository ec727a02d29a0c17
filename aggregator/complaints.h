/* aggregator/complaints.h - say once what stays wrong
 *
 * For whoever tries again every second: a line that was said already is not
 * said again until something went well in between.
 */
#ifndef NETTO_AGGREGATOR_COMPLAINTS_H
#define NETTO_AGGREGATOR_COMPLAINTS_H

#include <stdbool.h>

#define COMPLAINTS_MAX 16      /* distinct lines remembered */
#define COMPLAINT_BYTES 256

struct complaints {
	char lines[COMPLAINTS_MAX][COMPLAINT_BYTES];
	unsigned int count;        /* ever said; the latest are remembered */
};

/* Warn, unless the same line was said. */
__attribute__((format(printf, 2, 3)))
void complaints_say(struct complaints *complaints, const char *format, ...);

/* Why a file of the runtime directory (runtime_files.h) cannot be used. */
void complaints_say_file(struct complaints *complaints, const char *dir, const char *name, int err);

/* All is well: forget. Whether there had been complaints. */
bool complaints_end(struct complaints *complaints);

#endif
