/* collector/family.h - what the probe families have in common
 *
 * Each loads its own BPF object, so that one can fail without the others, and
 * leaves nothing open but links: they keep the programs, and those the maps.
 */
#ifndef NETTO_COLLECTOR_FAMILY_H
#define NETTO_COLLECTOR_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf_ring.h"
#include "cpu_list.h"
#include "ksymbol.h"
#include "probes.h"

struct bpf_object;
struct bpf_program;

#define FAMILY_HOOKS_MAX 64         /* links beside the perf events, one a CPU */
#define FAMILY_REASON_BYTES 120
#define FAMILY_REPORTS_MAX 32

struct family {
	const struct probes_config *config;
	const struct cpu_list *online;
	unsigned int slots;
	int cpus_fd;                /* the map shared by all families */
	bool softirqs_known;        /* the softirq probes are attached */
	bool exact[SHARED_DIRECTIONS]; /* the socket probes are attached and were checked */
	uint64_t interval_ns;       /* what probes_interval_ns() tells */
	struct bpf_ring *rings;     /* a slot a CPU, zeros where there is none */
	int *links;                 /* room for slots + FAMILY_HOOKS_MAX */
	size_t link_count;
	struct ksymbols *ksymbols;  /* NULL: not attached */
	bool needless;              /* of the last attach: nothing is missed without it */
	char reason[FAMILY_REASON_BYTES]; /* why the last attach failed; "": errno says it all */
	struct probe_report reports[FAMILY_REPORTS_MAX];
	size_t report_count;
};

/* Attach one family each. 0; -errno and perhaps f->reason. socket_attach() makes
 * its own reports, and gives a reason with 0 when only one direction is exact. */
int softirq_attach(struct family *f);
int irq_attach(struct family *f);
int local_timer_attach(struct family *f);
int cpu_changes_attach(struct family *f);
int socket_attach(struct family *f);
int ksymbol_attach(struct family *f);
int module_changes_attach(struct family *f);
int sampler_attach(struct family *f);

/* Report the probes of socket calls as not attached. */
void socket_refuse(struct family *f, const char *why);

/* Keep the next complaint of libbpf, instead of printing any; and make it, or what
 * err means, the reason if there is none yet. */
void family_listen(void);
void family_explain(struct family *f, int err);

/* Let object use the shared map. 0 or -errno. */
int family_share(const struct family *f, struct bpf_object *object);

/* Attach a loaded program to a raw tracepoint (NULL: the one of its section)
 * and keep the link. 0 or -errno. */
int family_hook(struct family *f, const struct bpf_program *program, const char *tracepoint);

/* Close the links from the first-th on. */
void family_unhook(struct family *f, size_t first);

/* Report one probe; why_not is NULL when it is attached. What does not fit is left out. */
void family_report(struct family *f, const char *name, const char *function, const char *why_not);

#endif
