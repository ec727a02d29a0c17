/* collector/family.c - what the probe families have in common */
#include "family.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "preflight.h"

/* The first complaint of libbpf since we listen: later ones only say
 * that the whole failed. */
static char libbpf_says[160];

static int keep_complaint(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level != LIBBPF_WARN || libbpf_says[0])
		return 0;
	vsnprintf(libbpf_says, sizeof(libbpf_says), format, args);
	if (!strncmp(libbpf_says, "libbpf: ", 8))
		memmove(libbpf_says, libbpf_says + 8, strlen(libbpf_says + 8) + 1);
	libbpf_says[strcspn(libbpf_says, "\n")] = '\0';
	return 0;
}

void family_listen(void)
{
	libbpf_says[0] = '\0';
	libbpf_set_print(keep_complaint);
}

void family_explain(struct family *f, int err)
{
	if (!f->reason[0])
		preflight_say_bpf(f->reason, sizeof(f->reason), err, libbpf_says);
}

int family_share(const struct family *f, struct bpf_object *object)
{
	struct bpf_map *cpus = bpf_object__find_map_by_name(object, "cpus");

	return cpus ? bpf_map__reuse_fd(cpus, f->cpus_fd) : -ENOENT;
}

int family_hook(struct family *f, const struct bpf_program *program, const char *tracepoint)
{
	int fd = bpf_raw_tracepoint_open(tracepoint, bpf_program__fd(program));

	if (fd < 0)
		return fd;
	f->links[f->link_count++] = fd;
	return 0;
}

void family_unhook(struct family *f, size_t first)
{
	while (f->link_count > first)
		close(f->links[--f->link_count]);
}

void family_report(struct family *f, const char *name, const char *function, const char *why_not)
{
	struct probe_report *report;

	if (f->report_count == FAMILY_REPORTS_MAX)
		return;
	report = &f->reports[f->report_count++];
	report->name = name;
	report->function = function;
	report->attached = !why_not;
	snprintf(report->reason, sizeof(report->reason), "%s", why_not ? why_not : "");
}
