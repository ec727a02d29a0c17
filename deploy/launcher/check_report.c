/* check_report.c - what "netto-collector --check" says */
#include "check_report.h"

#include <errno.h>
#include <string.h>

#include "parse.h"

#define FIELDS_MAX 5
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *const probe_state_names[] = { "attached", "off", "untried" };
const char *const addresses_names[] = { "unknown", "shown", "hidden" };

/* Position of text in a table of names, or count. */
static size_t find(const char *const names[], size_t count, const char *text)
{
	size_t i = 0;

	while (i < count && strcmp(names[i], text) != 0)
		i++;
	return i;
}

static int take_format(struct check_report *report, char *fields[])
{
	(void)report;
	return strcmp(fields[1], "1") ? -EPROTO : 0;
}

static int take_probe(struct check_report *report, char *fields[])
{
	size_t state = find(probe_state_names, PROBE_STATE_COUNT, fields[3]);

	if (state == PROBE_STATE_COUNT || report->probe_count == REPORT_PROBES_MAX)
		return -EPROTO;
	report->probes[report->probe_count++] = (struct report_probe){
		.name = fields[1],
		.function = fields[2],
		.state = (enum probe_state)state,
		.reason = fields[4],
	};
	return 0;
}

static int take_addresses(struct check_report *report, char *fields[])
{
	size_t which = find(addresses_names, ADDRESSES_COUNT, fields[1]);

	if (which == ADDRESSES_COUNT)
		return -EPROTO;
	report->addresses = (enum addresses)which;
	return 0;
}

static int take_interval(struct check_report *report, char *fields[])
{
	return parse_u64(fields[1], 0, UINT64_MAX, &report->interval_ns) ? -EPROTO : 0;
}

static int take_exact(struct check_report *report, char *fields[])
{
	bool tx = !strcmp(fields[1], "syscall_tx"), rx = !strcmp(fields[1], "syscall_rx");

	report->exact_tx |= tx;
	report->exact_rx |= rx;
	return tx || rx ? 0 : -EPROTO;
}

static int take_end(struct check_report *report, char *fields[])
{
	uint64_t status;

	if (parse_u64(fields[1], 0, 255, &status))
		return -EPROTO;
	report->status = (int)status;
	report->message = fields[2];
	return 0;
}

static const struct {
	const char *name;
	size_t fields;          /* with the name */
	int (*take)(struct check_report *report, char *fields[]);
} lines[] = {
	{ "netto-check", 2, take_format },
	{ "probe", 5, take_probe },
	{ "addresses", 2, take_addresses },
	{ "interval_ns", 2, take_interval },
	{ "exact", 2, take_exact },
	{ "end", 3, take_end },
};

static int take_line(struct check_report *report, char *line)
{
	char *fields[FIELDS_MAX + 1], *rest = line;
	size_t count = 0;

	while (rest && count <= FIELDS_MAX)
		fields[count++] = strsep(&rest, "\t");
	for (size_t i = 0; i < COUNT(lines); i++)
		if (!rest && count == lines[i].fields && !strcmp(fields[0], lines[i].name))
			return lines[i].take(report, fields);
	return -EPROTO;
}

int check_report_parse(struct check_report *report, char *text)
{
	char *rest = text, *line;
	int err = strncmp(text, "netto-check\t", 12) ? -EPROTO : 0;

	*report = (struct check_report){ 0 };
	while (!err && !report->message && (line = strsep(&rest, "\n")))
		err = take_line(report, line);
	/* "end" is the last line, and a whole one */
	if (!err && (!report->message || !rest || *rest))
		err = -EPROTO;
	if (err)
		*report = (struct check_report){ 0 };
	return err;
}

bool check_report_has(const struct check_report *report, const char *probe, enum probe_state state)
{
	for (size_t i = 0; i < report->probe_count; i++)
		if (!strcmp(report->probes[i].name, probe) && report->probes[i].state == state)
			return true;
	return false;
}
