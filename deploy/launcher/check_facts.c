/* check_facts.c - what this kernel is and allows, as far as whoever runs us can see */
#include "check_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <zlib.h>

#define BTF_FILE "/sys/kernel/btf/vmlinux"
#define BTF_MAGIC 0xeb9f        /* include/uapi/linux/btf.h */
#define CLOCKSOURCE_FILE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define LOCKDOWN_FILE "/sys/kernel/security/lockdown"

/* Newer than the headers of some systems we build on. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

#define SYSCTL_NAME(id, name, file) name,
#define SYSCTL_FILE(id, name, file) "/proc/sys/" file,
#define CAPABILITY_NAME(capability) #capability,
#define CAPABILITY_BIT(capability) capability,

const char *const sysctl_names[] = { SYSCTLS(SYSCTL_NAME) };
const char *const capability_names[] = { CAPABILITIES(CAPABILITY_NAME) };
const char *const answer_names[] = { "no", "yes", "unknown" };

/* First line of a small file; false: not readable, or empty. */
static bool read_line(const char *path, char *line, size_t bytes)
{
	FILE *file = fopen(path, "re");
	bool read;

	if (!file)
		return false;
	read = fgets(line, (int)bytes, file);
	fclose(file);
	if (read)
		line[strcspn(line, "\n")] = '\0';
	return read;
}

static struct fact_number read_number(const char *path)
{
	struct fact_number number = { 0 };
	char line[32], *end;

	if (!read_line(path, line, sizeof(line)))
		return number;
	errno = 0;
	number.value = strtoll(line, &end, 10);
	number.known = !errno && end != line && !*end;
	return number;
}

static bool btf_is_there(void)
{
	FILE *file = fopen(BTF_FILE, "re");
	uint16_t magic = 0;

	if (!file)
		return false;
	if (fread(&magic, sizeof(magic), 1, file) != 1)
		magic = 0;
	fclose(file);
	return magic == BTF_MAGIC;
}

void check_facts_parse_lockdown(const char *text, char *word, size_t word_bytes)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	if (close && close > open + 1)
		snprintf(word, word_bytes, "%.*s", (int)(close - open - 1), open + 1);
	else
		snprintf(word, word_bytes, "unknown");
}

/* gzgets() reads plain files as well. */
enum answer check_facts_config(const char *path, const char *option)
{
	enum answer answer = ANSWER_NO;
	const size_t bytes = strlen(option);
	char line[256];
	gzFile file = gzopen(path, "re");
	int lines = 0;

	if (!file)
		return ANSWER_UNKNOWN;
	for (; gzgets(file, line, sizeof(line)); lines++)
		if (!strncmp(line, option, bytes) && !strncmp(line + bytes, "=y", 2))
			answer = ANSWER_YES;
	if (gzclose(file) != Z_OK || !lines)
		answer = ANSWER_UNKNOWN;
	return answer;
}

static enum answer irq_time_accounting(const struct utsname *host)
{
	static const char option[] = "CONFIG_IRQ_TIME_ACCOUNTING";
	enum answer answer = check_facts_config("/proc/config.gz", option);
	char path[sizeof(host->release) + 16];

	if (answer != ANSWER_UNKNOWN)
		return answer;
	snprintf(path, sizeof(path), "/boot/config-%s", host->release);
	return check_facts_config(path, option);
}

/* Where perf_event_paranoid forbids to ask, the drivers under /sys tell. */
static enum answer cycles_can_be_counted(void)
{
	static const char *const drivers[] = { "cpu", "cpu_core", "armv*" };
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.exclude_kernel = 1,
		.disabled = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	bool found = false;

	if (fd >= 0) {
		close(fd);
		return ANSWER_YES;
	}
	if (errno != EACCES && errno != EPERM)
		return ANSWER_NO;
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		char pattern[64];
		glob_t paths;

		snprintf(pattern, sizeof(pattern), "/sys/bus/event_source/devices/%s", drivers[i]);
		found |= !glob(pattern, 0, NULL, &paths);
		globfree(&paths);
	}
	return found ? ANSWER_YES : ANSWER_NO;
}

static void read_capabilities(bool has[static FACT_CAPABILITY_COUNT])
{
	static const int bits[] = { CAPABILITIES(CAPABILITY_BIT) };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	(void)syscall(SYS_capget, &header, data);   /* without an answer we have none */
	for (size_t i = 0; i < FACT_CAPABILITY_COUNT; i++)
		has[i] = data[bits[i] / 32].effective >> bits[i] % 32 & 1;
}

void check_facts_read(struct check_facts *facts)
{
	static const char *const files[] = { SYSCTLS(SYSCTL_FILE) };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	char line[128] = "";

	*facts = (struct check_facts){ .cpus_online = cpus > 0 ? (unsigned int)cpus : 0 };
	if (uname(&facts->host))
		strcpy(facts->host.release, "unknown");
	facts->root = !geteuid();
	facts->preempt_rt = strstr(facts->host.version, "PREEMPT_RT");
	facts->btf = btf_is_there();
	(void)read_line(LOCKDOWN_FILE, line, sizeof(line));   /* needs securityfs */
	check_facts_parse_lockdown(line, facts->lockdown, sizeof(facts->lockdown));
	if (!read_line(CLOCKSOURCE_FILE, facts->clocksource, sizeof(facts->clocksource)))
		strcpy(facts->clocksource, "unknown");
	facts->pmu = cycles_can_be_counted();
	facts->irq_time = irq_time_accounting(&facts->host);
	for (size_t i = 0; i < SYSCTL_COUNT; i++)
		facts->sysctls[i] = read_number(files[i]);
	read_capabilities(facts->capabilities);
}
