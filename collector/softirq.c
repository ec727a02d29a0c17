/* collector/softirq.c - load and attach the softirq probes, and time them */
#include "family.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "softirq.skel.h"

#define CALIBRATION_RUNS 200

/* Softirqs can be preempted and several be open on one CPU (kernel/softirq.c,
 * CONFIG_PREEMPT_RT): one start a CPU would give wrong times there. */
static bool kernel_is_rt(void)
{
	struct utsname u;

	return !uname(&u) && strstr(u.version, "PREEMPT_RT");
}

/* What our two programs see when nothing happens between them: both hang on one
 * tracepoint, which a test run of an empty packet program fires. The shortest
 * interval counts, the others held an interrupt. */
static uint64_t shortest_interval(const struct softirq_bpf *skel)
{
	static unsigned char packet[64];
	const struct shared_cpu *slot = &skel->bss->calibration;
	int run_fd = bpf_program__fd(skel->progs.calibrate_run);
	uint64_t shortest_ns = 0;

	for (int i = 0; i < CALIBRATION_RUNS; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet,
			    .data_size_in = sizeof(packet), .repeat = 1);
		uint64_t before_ns = slot->softirq_ns[0], ns;

		if (bpf_prog_test_run_opts(run_fd, &opts))
			return 0;
		ns = *(const volatile __u64 *)&slot->softirq_ns[0] - before_ns;
		if (ns && (!shortest_ns || ns < shortest_ns))
			shortest_ns = ns;
	}
	return shortest_ns;
}

/* An estimate only: without it the probes work as well. */
static uint64_t calibrate(struct family *f, const struct softirq_bpf *skel)
{
	size_t first = f->link_count;
	uint64_t ns = 0;

	if (!family_hook(f, skel->progs.calibrate_entry, "bpf_test_finish") &&
	    !family_hook(f, skel->progs.calibrate_exit, "bpf_test_finish"))
		ns = shortest_interval(skel);
	family_unhook(f, first);
	return ns;
}

int softirq_attach(struct family *f)
{
	size_t first = f->link_count;
	struct softirq_bpf *skel;
	int err;

	if (kernel_is_rt()) {
		snprintf(f->reason, sizeof(f->reason), "softirqs of this kernel can be preempted (PREEMPT_RT)");
		return -EOPNOTSUPP;
	}
	skel = softirq_bpf__open();
	if (!skel)
		return -errno;
	err = family_share(f, skel->obj);
	if (!err)
		err = softirq_bpf__load(skel);
	if (err)
		goto out;
	f->interval_ns = calibrate(f, skel);
	/* The exit first: an entry without its exit would leave its vector behind. */
	err = family_hook(f, skel->progs.on_softirq_exit, "softirq_exit");
	if (!err)
		err = family_hook(f, skel->progs.on_softirq_entry, "softirq_entry");
	if (err)
		family_unhook(f, first);
	f->softirqs_known = !err;
out:
	softirq_bpf__destroy(skel);
	return err;
}
