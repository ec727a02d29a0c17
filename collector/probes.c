/* collector/probes.c - the probe families: tried at start, each reported */
#include "probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cpu_list.h"
#include "drain.h"
#include "exit_status.h"
#include "family.h"
#include "log.h"
#include "patience.h"
#include "preflight.h"

/* In the order of attaching: ours are programs too, so what tells of programs
 * comes first; the sampler filters by what the softirq probes see. */
static const struct {
	const char *name;
	const char *function;       /* NULL: it makes its own reports */
	int (*attach)(struct family *f);
	const char *without;        /* what goes on without it; NULL: nothing does */
} families[] = {
	{ "bpf_symbols", "ksymbol", ksymbol_attach,
	  "BPF programs that are loaded later have no names" },
	{ "module_changes", "module_load, module_free", module_changes_attach,
	  "modules that are loaded later have no names" },
	{ "softirq", "softirq_entry, softirq_exit", softirq_attach,
	  "softirq time is estimated from samples, and every sample is taken" },
	{ "hardirq", "irq_handler_entry, irq_handler_exit", irq_attach,
	  "softirq time includes interrupts, whose own is not shown" },
#if defined(__x86_64__)             /* elsewhere the timer's is a handler like others */
	{ "local_timer", "local_timer_entry, local_timer_exit", local_timer_attach,
	  "softirq time includes the timer interrupt" },
#endif
	{ "cpu_changes", "cpuhp_exit", cpu_changes_attach,
	  "CPUs that come later are not sampled" },
	{ "socket", NULL, socket_attach,
	  "time in sends and receives is estimated from samples" },
	{ "sampler", "cpu-clock", sampler_attach, NULL },
};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

struct probes {
	struct family family;
	struct probes_config config;
	struct cpu_list possible;
	struct cpu_list online;
	const struct shared_cpu *cpus;      /* a slot a CPU, mapped read-only */
	size_t cpus_bytes;
	size_t tried;                       /* families */
};

/* Without it the whole ends: its absence was ruled out, by us or by the user. */
static bool is_demanded(const struct probes *p, size_t i)
{
	const enum probes_exact_mode exact = p->config.exact;

	if (families[i].attach == socket_attach)
		return exact == PROBES_EXACT_FENTRY || exact == PROBES_EXACT_TRACEPOINT;
	return !families[i].without;
}

/* Attach one family and report it; says when it goes on without. */
static int attach_family(struct probes *p, size_t i)
{
	const char *name = families[i].name;
	struct family *f = &p->family;
	int err;

	f->reason[0] = '\0';
	f->needless = false;
	family_listen();
	err = families[i].attach(f);
	if (err)
		family_explain(f, err);
	if (families[i].function)
		family_report(f, name, families[i].function, err ? f->reason : NULL);
	if (f->reason[0] && families[i].without && !f->needless && !(err && is_demanded(p, i)))
		log_warn("%s probes off: %s: %s", name, f->reason, families[i].without);
	return err;
}

/* The map that all families share, made before any of them. */
static int open_cpus(struct probes *p)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned int slots = p->possible.slots;
	void *cpus;

	p->family.cpus_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "netto_cpus", sizeof(uint32_t),
					   sizeof(struct shared_cpu), slots, &opts);
	if (p->family.cpus_fd < 0)
		return p->family.cpus_fd;
	p->cpus_bytes = (slots * sizeof(struct shared_cpu) + page - 1) / page * page;
	cpus = mmap(NULL, p->cpus_bytes, PROT_READ, MAP_SHARED, p->family.cpus_fd, 0);
	if (cpus == MAP_FAILED)
		return -errno;
	p->cpus = cpus;
	return 0;
}

static int open_family(struct probes *p)
{
	struct family *f = &p->family;

	f->online = &p->online;
	f->slots = p->possible.slots;
	f->rings = calloc(f->slots, sizeof(*f->rings));
	f->links = calloc(f->slots + FAMILY_HOOKS_MAX, sizeof(*f->links));
	return f->rings && f->links ? 0 : -ENOMEM;
}

static int read_cpus(struct probes *p)
{
	int err;

	err = cpu_list_read(&p->possible, "/sys/devices/system/cpu/possible");
	if (!err)
		err = cpu_list_read(&p->online, "/sys/devices/system/cpu/online");
	if (!err && p->online.slots > p->possible.slots)
		err = -EINVAL;
	if (err)
		log_error("cannot read the list of CPUs under /sys/devices/system/cpu: %s",
			  strerror(-err));
	return err;
}

/* All families; only the error of one that is demanded ends it. */
static int attach_families(struct probes *p)
{
	int err = 0;

	for (size_t i = 0; i < FAMILIES; i++) {
		err = attach_family(p, i);
		p->tried++;
		if (err && is_demanded(p, i)) {
			log_error("cannot attach the %s probes: %s", families[i].name,
				  p->family.reason);
			/* A CPU that was online a moment ago: starting again helps. */
			return EXIT_ERR(err == -ENODEV ? EX_TEMPFAIL : EX_UNAVAILABLE);
		}
	}
	return 0;
}

/* Attaching takes seconds, and what counts changes of CPUs is not there from its beginning on. */
static int check_cpus(const struct probes *p)
{
	struct cpu_list now;
	int err = cpu_list_read(&now, "/sys/devices/system/cpu/online");

	if (!err && now.slots == p->online.slots &&
	    !memcmp(now.listed, p->online.listed, now.slots * sizeof(now.listed[0])))
		return 0;
	log_warn("the set of CPUs changed while the probes were attached: start again");
	return EXIT_ERR(EX_TEMPFAIL);
}

/* The counters and the families over them. 0; -ENOMEM; EXIT_ERR(), said. */
static int attach_all(struct probes *p)
{
	struct patience patience;
	char reason[FAMILY_REASON_BYTES];
	int err;

	err = open_family(p);
	if (err)
		return err;
	err = open_cpus(p);
	if (err) {
		preflight_say_bpf(reason, sizeof(reason), err, "");
		log_error("cannot make the counters: %s", reason);
		return EXIT_ERR(EX_UNAVAILABLE);
	}
	patience_start(&patience, "attaching probes: waiting for the kernel, which waits for CPUs that "
				  "are busy in it (RCU)");
	err = attach_families(p);
	patience_stop(&patience);
	return err ? err : check_cpus(p);
}

/* Rows for the families from the first-th on, none of which was tried. */
static void report_untried(struct family *f, size_t first, const char *why)
{
	for (size_t i = first; i < FAMILIES; i++) {
		if (families[i].function)
			family_report(f, families[i].name, families[i].function, why);
		else
			socket_refuse(f, why);
	}
}

static void tell_reports(const struct family *f)
{
	for (size_t i = 0; i < f->report_count && f->config->on_report; i++)
		f->config->on_report(f->config->report_arg, &f->reports[i]);
}

int probes_attach(struct probes **probes, const struct probes_config *config)
{
	struct probes *p;
	int err;

	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->config = *config;
	p->family.cpus_fd = -1;
	p->family.config = &p->config;
	err = read_cpus(p);
	if (!err)
		err = attach_all(p);
	report_untried(&p->family, p->tried, "");
	tell_reports(&p->family);
	if (err) {
		probes_close(p);
		return err;
	}
	*probes = p;
	return 0;
}

void probes_refuse(const struct probes_config *config, const char *why)
{
	struct family f = { .config = config };

	report_untried(&f, 0, why);
	tell_reports(&f);
}

int probes_seal(struct probes *probes)
{
	int err = 0;

	if (probes->family.cpus_fd >= 0 && close(probes->family.cpus_fd))
		err = -errno;
	probes->family.cpus_fd = -1;
	return err;
}

size_t probes_reports(const struct probes *probes, const struct probe_report **reports)
{
	*reports = probes->family.reports;
	return probes->family.report_count;
}

unsigned int probes_cpu_slots(const struct probes *probes)
{
	return probes->possible.slots;
}

unsigned int probes_cpus_online(const struct probes *probes)
{
	return probes->online.count;
}

bool probes_cpu_is_online(const struct probes *probes, unsigned int cpu)
{
	return cpu < probes->online.slots && probes->online.listed[cpu];
}

const struct shared_cpu *probes_cpu(const struct probes *probes, unsigned int cpu)
{
	return &probes->cpus[cpu];
}

uint64_t probes_interval_ns(const struct probes *probes)
{
	return probes->family.interval_ns;
}

bool probes_exact(const struct probes *probes, enum shared_direction direction)
{
	return probes->family.exact[direction];
}

bool probes_cpus_changed(const struct probes *probes)
{
	return __atomic_load_n(&probes->cpus[0].cpu_changes, __ATOMIC_RELAXED) != 0;
}

uint64_t probes_module_changes(const struct probes *probes)
{
	return __atomic_load_n(&probes->cpus[0].module_changes, __ATOMIC_RELAXED);
}

uint64_t probes_take_ksymbols(struct probes *probes, ksymbol_fn on_symbol, void *arg)
{
	return ksymbols_read(probes->family.ksymbols, on_symbol, arg);
}

void probes_drain(struct probes *probes, probes_sample_fn on_sample, void *arg)
{
	for (unsigned int cpu = 0; cpu < probes->possible.slots; cpu++) {
		if (probes->family.rings[cpu].consumer)
			drain_cpu(&probes->family.rings[cpu], on_sample, arg);
	}
}

void probes_close(struct probes *probes)
{
	struct family *f;

	if (!probes)
		return;
	f = &probes->family;
	if (f->links)
		family_unhook(f, 0);
	for (unsigned int cpu = 0; f->rings && cpu < f->slots; cpu++)
		bpf_ring_close(&f->rings[cpu]);
	ksymbols_close(f->ksymbols);
	if (probes->cpus)
		munmap((void *)(uintptr_t)probes->cpus, probes->cpus_bytes);
	if (f->cpus_fd >= 0)
		close(f->cpus_fd);
	free(f->links);
	free(f->rings);
	free(probes);
}
