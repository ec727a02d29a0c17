/* collector/softirq.c - load and attach the softirq probes, and time them */
#include "family.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "softirq.skel.h"
#include "softirq_rt.skel.h"

#define CALIBRATION_RUNS 200

/* One of two objects with the same programs, by the kind of kernel. */
struct softirq {
	struct softirq_bpf *skel;
	struct softirq_rt_bpf *rt;      /* softirqs can be preempted: CONFIG_PREEMPT_RT */
	struct bpf_object *object;      /* of the one that is there */
};

static bool kernel_is_rt(void)
{
	struct utsname u;

	return !uname(&u) && strstr(u.version, "PREEMPT_RT");
}

static int open_object(struct softirq *s)
{
	if (kernel_is_rt())
		s->rt = softirq_rt_bpf__open();
	else
		s->skel = softirq_bpf__open();
	if (!s->rt && !s->skel)
		return -errno;
	s->object = s->rt ? s->rt->obj : s->skel->obj;
	return 0;
}

static void close_object(struct softirq *s)
{
	softirq_rt_bpf__destroy(s->rt);
	softirq_bpf__destroy(s->skel);
}

static const struct bpf_program *program(const struct softirq *s, const char *name)
{
	return bpf_object__find_program_by_name(s->object, name);
}

/* What our two programs see when nothing happens between them: both hang on one
 * tracepoint, which a test run of an empty packet program fires. The shortest
 * interval counts, the others held an interrupt. */
static uint64_t shortest_interval(const struct softirq *s)
{
	static unsigned char packet[64];
	const struct shared_cpu *slot = s->rt ? &s->rt->bss->calibration : &s->skel->bss->calibration;
	int run_fd = bpf_program__fd(program(s, "calibrate_run"));
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
static uint64_t calibrate(struct family *f, const struct softirq *s)
{
	size_t first = f->link_count;
	uint64_t ns = 0;

	if (!family_hook(f, program(s, "calibrate_entry"), "bpf_test_finish") &&
	    !family_hook(f, program(s, "calibrate_exit"), "bpf_test_finish"))
		ns = shortest_interval(s);
	family_unhook(f, first);
	return ns;
}

/* The exit first: an entry without its exit would leave its vector behind; and
 * no entry without what pauses it. */
static int hook(struct family *f, const struct softirq *s)
{
	int err;

	err = family_hook(f, program(s, "on_softirq_exit"), "softirq_exit");
	if (!err && s->rt)
		err = family_hook(f, s->rt->progs.on_switch, NULL);
	if (!err)
		err = family_hook(f, program(s, "on_softirq_entry"), "softirq_entry");
	return err;
}

int softirq_attach(struct family *f)
{
	size_t first = f->link_count;
	struct softirq s = { 0 };
	int err;

	err = open_object(&s);
	if (!err)
		err = family_share(f, s.object);
	if (!err)
		err = s.rt ? softirq_rt_bpf__load(s.rt) : softirq_bpf__load(s.skel);
	if (err)
		goto out;
	f->interval_ns = calibrate(f, &s);
	err = hook(f, &s);
	if (err)
		family_unhook(f, first);
	f->softirqs_known = !err;
out:
	close_object(&s);
	return err;
}
