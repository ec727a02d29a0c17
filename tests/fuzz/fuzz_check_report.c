/* fuzz_check_report.c - what netto check reads of a collector */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char *text = strndup((const char *)data, bytes);
	struct check_report report;
	size_t chars = 0;

	if (!text)
		abort();
	if (!check_report_parse(&report, text)) {
		if (!report.message || report.status < 0 || report.status > 255)
			abort();
		for (size_t i = 0; i < report.probe_count; i++)
			chars += strlen(report.probes[i].name) + strlen(report.probes[i].function) +
				 strlen(report.probes[i].reason);
		if (chars > bytes || check_report_has(&report, "", PROBE_STATE_COUNT))
			abort();
	} else if (report.message || report.probe_count) {
		abort();
	}
	free(text);
	return 0;
}
