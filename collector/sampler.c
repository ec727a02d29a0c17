/* collector/sampler.c - load the sampler and attach it to a clock on every online CPU */
#include "family.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preflight.h"
#include "sampler.skel.h"
#include "tick.h"

/* The helper that looks at descriptors is refused under lockdown=confidentiality. */
static bool kernel_memory_is_readable(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, BPF_FUNC_probe_read_kernel,
				       NULL) == 1;
}

static void configure(const struct family *f, struct sampler_bpf *skel)
{
	uint64_t frames;

	skel->rodata->filter_on = f->config->filter && f->softirqs_known;
	skel->rodata->reads_kernel = kernel_memory_is_readable();
	skel->rodata->has_user_workers = preflight_kernel() >= PREFLIGHT_KERNEL(6, 4);
	if (!preflight_sysctl("kernel/perf_event_max_stack", &frames) && frames < SHARED_FRAMES_MAX)
		skel->rodata->frames_max = (uint32_t)frames;
}

/* 0 or -errno; *out is loaded. */
static int load(const struct family *f, struct sampler_bpf **out)
{
	struct sampler_bpf *skel = sampler_bpf__open();
	int err;

	if (!skel)
		return -errno;
	configure(f, skel);
	err = family_share(f, skel->obj);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.rings, f->slots);
	if (!err)
		err = sampler_bpf__load(skel);
	if (err) {
		sampler_bpf__destroy(skel);
		return err;
	}
	*out = skel;
	return 0;
}

/* Make and map the ring buffer of one CPU; the outer map keeps it. */
static int open_ring(struct family *f, int rings_fd, uint32_t cpu)
{
	int err, fd;

	fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "netto_ring", 0, 0, SHARED_RING_BYTES, NULL);
	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(rings_fd, &cpu, &fd, 0);
	if (!err)
		err = bpf_ring_open(&f->rings[cpu], fd, SHARED_RING_BYTES);
	close(fd);
	return err;
}

/* A fixed period, never frequency mode: then samples times period is time.
 * cpu-clock leaves out what exclude_user names (perf_swevent_hrtimer(),
 * kernel/events/core.c). */
static int open_clock(struct family *f, int program_fd, unsigned int cpu)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = tick_period_ns(f->config->rate_hz, cpu),
		.exclude_user = 1,
		.disabled = 1,
	};
	int fd;

	fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0) {
		int err = -errno;

		preflight_say_perf(f->reason, sizeof(f->reason), cpu, err);
		return err;
	}
	f->links[f->link_count++] = fd;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, program_fd))
		return -errno;
	return 0;
}

int sampler_attach(struct family *f)
{
	size_t first = f->link_count;
	struct sampler_bpf *skel = NULL;
	int err;

	err = load(f, &skel);
	if (err)
		return err;
	for (unsigned int cpu = 0; cpu < f->slots && !err; cpu++) {
		if (!f->online->listed[cpu])
			continue;
		err = open_ring(f, bpf_map__fd(skel->maps.rings), cpu);
		if (!err)
			err = open_clock(f, bpf_program__fd(skel->progs.on_tick), cpu);
	}
	for (size_t i = first; i < f->link_count && !err; i++)
		err = ioctl(f->links[i], PERF_EVENT_IOC_ENABLE, 0) ? -errno : 0;
	if (err)
		family_unhook(f, first);
	sampler_bpf__destroy(skel);
	return err;
}
