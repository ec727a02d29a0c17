/* aggregator/complaints.h - say once what stays wrong
 *
 * For whoever tries again every second: a line that was said already is not
 * said again until something went well in between.
 */
#ifndef NETTO_AGGREGATOR_COMPLAINTS_H
#define NETTO_AGGREGATOR_COMPLAINTS_H

#define COMPLAINTS_MAX 16      /* distinct lines remembered */
#define COMPLAINT_BYTES 256

struct complaints {
	char lines[COMPLAINTS_MAX][COMPLAINT_BYTES];
	unsigned int count;        /* ever said; the latest are remembered */
};

/* Warn, unless the same line was said. */
__attribute__((format(printf, 2, 3)))
void complaints_say(struct complaints *complaints, const char *format, ...);

/* The same for news that are no complaint. */
void complaints_note(struct complaints *complaints, const char *line);

/* Why a file of the runtime directory (runtime_files.h) cannot be used. */
void complaints_say_file(struct complaints *complaints, const char *dir, const char *name, int err);

/* All has been well for a while: forget. */
void complaints_end(struct complaints *complaints);

#endif
