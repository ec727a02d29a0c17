/* collector/preflight.c - whether this kernel and this process can attach probes at all */
#include "preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capabilities.h"
#include "exit_status.h"
#include "log.h"
#include "parse.h"

unsigned int preflight_kernel(void)
{
	unsigned int major, minor;
	struct utsname u;

	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return 0;
	return PREFLIGHT_KERNEL(major, minor);
}

/* First line of a small file. 0 or -errno. */
static int read_line(const char *path, char *line, size_t line_bytes)
{
	ssize_t bytes;
	int fd, err = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	bytes = read(fd, line, line_bytes - 1);
	if (bytes < 0)
		err = -errno;
	close(fd);
	if (err)
		return err;
	line[bytes] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

int preflight_sysctl(const char *name, uint64_t *value)
{
	char path[128], line[32];
	int err;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	err = read_line(path, line, sizeof(line));
	return err ? err : parse_u64(line, 0, UINT32_MAX, value);
}

static int check_kernel(uint64_t caps)
{
	unsigned int kernel = preflight_kernel();
	struct utsname u;

	if (kernel >= PREFLIGHT_KERNEL(5, 11))
		return 0;
	if (uname(&u))
		snprintf(u.release, sizeof(u.release), "unknown");
	if (kernel < PREFLIGHT_KERNEL(5, 10)) {
		log_error("Linux %s is too old: netto needs 5.10 or newer", u.release);
		return EXIT_ERR(EX_UNAVAILABLE);
	}
	if (capabilities_have(caps, CAP_SYS_RESOURCE))
		return 0;
	log_error("missing capability CAP_SYS_RESOURCE: Linux %s counts BPF maps as locked memory "
		  "(newer than 5.10 does not): start as root", u.release);
	return EXIT_ERR(EX_NOPERM);
}

static int check_capabilities(uint64_t caps)
{
	bool bpf = capabilities_have(caps, CAP_BPF), perfmon = capabilities_have(caps, CAP_PERFMON);

	if (capabilities_have(caps, CAP_SYS_ADMIN) || (bpf && perfmon))
		return 0;
	log_error("missing capability %s%s%s: start as root", bpf ? "" : "CAP_BPF",
		  bpf || perfmon ? "" : " and ", perfmon ? "" : "CAP_PERFMON");
	return EXIT_ERR(EX_NOPERM);
}

int preflight_check(void)
{
	uint64_t caps = capabilities_effective();
	int err;

	err = check_capabilities(caps);
	if (!err)
		err = check_kernel(caps);
	if (err)
		return err;
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		log_error("cannot read /sys/kernel/btf/vmlinux: %s: netto needs a kernel built with "
			  "CONFIG_DEBUG_INFO_BTF, and /sys", strerror(errno));
		return EXIT_ERR(EX_UNAVAILABLE);
	}
	return 0;
}

void preflight_say_perf(char *text, size_t text_bytes, unsigned int cpu, int err)
{
	uint64_t paranoid;

	if ((err == -EACCES || err == -EPERM) &&
	    !preflight_sysctl("kernel/perf_event_paranoid", &paranoid))
		snprintf(text, text_bytes, "perf_event_open on CPU %u: %s: kernel.perf_event_paranoid is %u",
			 cpu, strerror(-err), (unsigned int)paranoid);
	else
		snprintf(text, text_bytes, "perf_event_open on CPU %u: %s", cpu, strerror(-err));
}

void preflight_say_bpf(char *text, size_t text_bytes, int err, const char *libbpf_says)
{
	char lockdown[64] = "not known";
	uint64_t unprivileged = 0;

	if (err != -EPERM && err != -EACCES) {
		snprintf(text, text_bytes, "%s", *libbpf_says ? libbpf_says : strerror(-err));
		return;
	}
	/* Absent on kernels without lockdown, and where securityfs is not mounted. */
	(void)read_line("/sys/kernel/security/lockdown", lockdown, sizeof(lockdown));
	(void)preflight_sysctl("kernel/unprivileged_bpf_disabled", &unprivileged);
	snprintf(text, text_bytes, "BPF refused: %s: lockdown %s, kernel.unprivileged_bpf_disabled %u",
		 strerror(-err), lockdown, (unsigned int)unprivileged);
}
