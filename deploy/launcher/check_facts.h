/* deploy/launcher/check_facts.h - what this kernel is and allows, as far as whoever runs us can see
 *
 * Nothing is attached or changed. What cannot be read is unknown.
 */
#ifndef NETTO_LAUNCHER_CHECK_FACTS_H
#define NETTO_LAUNCHER_CHECK_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/utsname.h>

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN, ANSWER_COUNT };

/* id, name on the screen and in JSON, file under /proc/sys */
#define SYSCTLS(X) \
	X(KPTR, "kptr_restrict", "kernel/kptr_restrict") \
	X(PARANOID, "perf_event_paranoid", "kernel/perf_event_paranoid") \
	X(SAMPLE_RATE, "perf_event_max_sample_rate", "kernel/perf_event_max_sample_rate") \
	X(UNPRIVILEGED_BPF, "unprivileged_bpf_disabled", "kernel/unprivileged_bpf_disabled") \
	X(JIT_KALLSYMS, "bpf_jit_kallsyms", "net/core/bpf_jit_kallsyms")

/* Capabilities that netto makes use of. */
#define CAPABILITIES(X) \
	X(CAP_BPF) X(CAP_PERFMON) X(CAP_SYSLOG) X(CAP_SYS_ADMIN) X(CAP_SYS_RESOURCE) \
	X(CAP_SETUID) X(CAP_SETGID) X(CAP_SETPCAP) X(CAP_CHOWN)

#define FACTS_ENUM_SYSCTL(id, name, file) SYSCTL_##id,
#define FACTS_ENUM_CAPABILITY(capability) FACT_##capability,

enum sysctl { SYSCTLS(FACTS_ENUM_SYSCTL) SYSCTL_COUNT };
enum fact_capability { CAPABILITIES(FACTS_ENUM_CAPABILITY) FACT_CAPABILITY_COUNT };

struct fact_number {
	bool known;
	int64_t value;      /* perf_event_paranoid can be below 0 */
};

struct check_facts {
	struct utsname host;
	unsigned int cpus_online;
	bool root;
	bool preempt_rt;
	bool btf;
	char lockdown[32];      /* none, integrity, confidentiality; unknown */
	char clocksource[32];   /* or unknown */
	enum answer pmu;        /* hardware cycles can be counted */
	enum answer irq_time;   /* CONFIG_IRQ_TIME_ACCOUNTING */
	struct fact_number sysctls[SYSCTL_COUNT];
	bool capabilities[FACT_CAPABILITY_COUNT];   /* effective ones */
};

extern const char *const sysctl_names[SYSCTL_COUNT];
extern const char *const capability_names[FACT_CAPABILITY_COUNT];
extern const char *const answer_names[ANSWER_COUNT];     /* no, yes, unknown */

/* Always succeeds. */
void check_facts_read(struct check_facts *facts);

/* The word in brackets of "none [integrity] confidentiality", cut to fit;
 * "unknown" without one. */
void check_facts_parse_lockdown(const char *text, char *word, size_t word_bytes);

/* Whether a kernel configuration, plain or compressed, has the option as y. */
enum answer check_facts_config(const char *path, const char *option);

#endif
