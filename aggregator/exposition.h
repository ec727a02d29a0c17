/* aggregator/exposition.h - numbers and strings of Prometheus' text format */
#ifndef NETTO_AGGREGATOR_EXPOSITION_H
#define NETTO_AGGREGATOR_EXPOSITION_H

#include <stdint.h>
#include <stdio.h>

/* A value and the end of its line. Seconds keep all nine digits that
 * nanoseconds have, which a double loses after 104 days. */
void exposition_write_seconds(FILE *out, uint64_t ns);
void exposition_write_count(FILE *out, uint64_t count);

/* before="value", with value any bytes: the format's own escapes, and \xNN,
 * spelt out, for every byte that is not UTF-8 or belongs to a control character. */
void exposition_write_label(FILE *out, const char *before, const char *value);

#endif
