/* check_conclude.c - what facts and probes mean for each context, and for netto as a whole */
#include "check.h"

#include <stdarg.h>
#include <string.h>
#include <sysexits.h>

#include "options.h"

const char *const source_names[] = { "exact", "sampled", "none", "unknown" };

/* Measured by tests/bench; README.md, "What it costs" and, of tracepoints, where
 * it tells of sends and receives. */
const struct check_cost check_costs[] = {
	{ "softirq", "0.39 us each" },
	{ "tracepoint", "0.15 to 0.44 us a system call" },
	{ "sampling", "1.3 to 2.1 % busy" },
	{ "all", "0.12 % idle" },
};
const size_t check_cost_count = sizeof(check_costs) / sizeof(check_costs[0]);
const char check_costs_where[] = "2-CPU VM";

/* The probe that times a context exactly, and what is left without it. */
static const struct {
	const char *probe;      /* NULL: none can */
	enum source otherwise;
} exact_by[] = {
	[CONTEXT_SYSCALL_TX] = { "socket_tx", SOURCE_SAMPLED },
	[CONTEXT_SYSCALL_RX] = { "socket_rx", SOURCE_SAMPLED },
	[CONTEXT_SYSCALL_OTHER] = { NULL, SOURCE_SAMPLED },
	[CONTEXT_SOFTIRQ_RX] = { "softirq", SOURCE_SAMPLED },
	[CONTEXT_SOFTIRQ_TX] = { "softirq", SOURCE_SAMPLED },
	[CONTEXT_SOFTIRQ_TIMER] = { "softirq", SOURCE_SAMPLED },
	[CONTEXT_NAPI_THREAD] = { NULL, SOURCE_SAMPLED },
	[CONTEXT_BUSY_POLL] = { NULL, SOURCE_SAMPLED },
	[CONTEXT_IO_WORKER] = { NULL, SOURCE_SAMPLED },
	[CONTEXT_KTHREAD] = { NULL, SOURCE_SAMPLED },
	/* cpu-clock cannot tick where interrupts are off */
	[CONTEXT_HARDIRQ] = { "hardirq", SOURCE_NONE },
};
_Static_assert(sizeof(exact_by) / sizeof(exact_by[0]) == CONTEXT_COUNT, "a row a context");

static bool is_exact(const struct check_report *report, enum context context)
{
	/* of many functions, some of which a kernel may lack */
	if (context == CONTEXT_SYSCALL_TX)
		return report->exact_tx;
	if (context == CONTEXT_SYSCALL_RX)
		return report->exact_rx;
	return check_report_has(report, exact_by[context].probe, PROBE_ATTACHED);
}

static enum source source_of(const struct check_report *report, enum context context)
{
	const char *probe = exact_by[context].probe;

	if (!probe)
		return SOURCE_SAMPLED;
	if (is_exact(report, context))
		return SOURCE_EXACT;
	if (check_report_has(report, probe, PROBE_ATTACHED) ||
	    check_report_has(report, probe, PROBE_OFF))
		return exact_by[context].otherwise;
	return SOURCE_UNKNOWN;
}

__attribute__((format(printf, 2, 3)))
static void note(struct check *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (c->note_count < CHECK_NOTES_MAX)
		vsnprintf(c->notes[c->note_count++], CHECK_TEXT_BYTES, format, args);
	va_end(args);
}

static bool is(const struct fact_number *number, int64_t value)
{
	return number->known && number->value == value;
}

static bool is_below(const struct fact_number *number, int64_t value)
{
	return number->known && number->value < value;
}

/* Clocks that the kernel reads without leaving the CPU: others cost
 * microseconds, twice a softirq. */
static bool clock_is_fast(const char *clocksource)
{
	static const char *const fast[] = { "tsc", "kvm-clock", "arch_sys_counter", "unknown",
					    "hyperv_clocksource_tsc_page", "xen" };

	for (size_t i = 0; i < sizeof(fast) / sizeof(fast[0]); i++)
		if (!strcmp(fast[i], clocksource))
			return true;
	return false;
}

static void take_notes(struct check *c, uint32_t rate_hz)
{
	const struct check_facts *f = &c->facts;

	if (c->report.addresses == ADDRESSES_HIDDEN && is(&f->sysctls[SYSCTL_KPTR], 2))
		note(c, "components will be unknown: kernel.kptr_restrict is 2: set it to 1");
	else if (c->report.addresses == ADDRESSES_HIDDEN)
		note(c, "components will be unknown: /proc/kallsyms shows no addresses: grant CAP_SYSLOG");
	if (is(&f->sysctls[SYSCTL_JIT_KALLSYMS], 0))
		note(c, "BPF programs have no names: net.core.bpf_jit_kallsyms is 0: set it to 1");
	if (c->exact_auto && c->sources[CONTEXT_SYSCALL_TX] == SOURCE_SAMPLED)
		note(c, "--exact-syscalls=tracepoint times sends and receives, at a cost");
	if (!rate_hz && is_below(&f->sysctls[SYSCTL_SAMPLE_RATE], HZ_DEFAULT))
		note(c, "sampling at %lld Hz: kernel.perf_event_max_sample_rate allows no more",
		     (long long)f->sysctls[SYSCTL_SAMPLE_RATE].value);
	if (!clock_is_fast(f->clocksource))
		note(c, "probes cost more than usual: reading the clock %s is slow", f->clocksource);
}

static void fail(struct check *c, int status, const char *message)
{
	c->status = status;
	snprintf(c->message, sizeof(c->message), "netto cannot run: %s", message);
}

/* Where there is no BTF nothing else helps, whatever the collector failed by first. */
static void conclude(struct check *c, uint32_t rate_hz)
{
	const struct fact_number *limit = &c->facts.sysctls[SYSCTL_SAMPLE_RATE];
	char text[CHECK_TEXT_BYTES];

	if (c->report.status && !c->facts.btf) {
		fail(c, EX_UNAVAILABLE, "this kernel shows no BTF in /sys/kernel/btf/vmlinux: use one "
		     "built with CONFIG_DEBUG_INFO_BTF");
	} else if (c->report.status) {
		fail(c, c->report.status, c->report.message);
	} else if (rate_hz && is_below(limit, rate_hz)) {
		snprintf(text, sizeof(text), "kernel.perf_event_max_sample_rate is %lld: start it with "
			 "--frequency=%lld, or raise that", (long long)limit->value,
			 (long long)limit->value);
		fail(c, EX_UNAVAILABLE, text);
	} else {
		c->status = EX_OK;
		snprintf(c->message, sizeof(c->message), "%s", c->facts.root ? "netto can run" :
			 "netto-collector can run as this user; netto, which starts all, only as root");
	}
}

void check_conclude(struct check *check, uint32_t rate_hz)
{
	for (size_t i = 0; i < CONTEXT_COUNT; i++)
		check->sources[i] = source_of(&check->report, (enum context)i);
	check->note_count = 0;
	take_notes(check, rate_hz);
	conclude(check, rate_hz);
}
