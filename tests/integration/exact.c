/* tests/integration/exact.c - reads what exact_softirq.bpf.c counts */
#include "exact.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "exact_softirq.skel.h"

struct exact {
	struct exact_softirq_bpf *skel;
	const struct exact_cpu *cpus;
};

#define CPUS_BYTES (EXACT_CPUS_MAX * sizeof(struct exact_cpu))

int exact_open(struct exact **out)
{
	struct exact *exact = calloc(1, sizeof(*exact));
	void *cpus;
	int err;

	if (!exact)
		return -ENOMEM;
	exact->skel = exact_softirq_bpf__open_and_load();
	if (!exact->skel) {
		err = -errno;
		goto fail;
	}
#if !defined(__x86_64__)
	bpf_program__set_autoattach(exact->skel->progs.exact_timer_entry, false);
	bpf_program__set_autoattach(exact->skel->progs.exact_timer_exit, false);
#endif
	err = exact_softirq_bpf__attach(exact->skel);
	if (err)
		goto fail;
	cpus = mmap(NULL, CPUS_BYTES, PROT_READ, MAP_SHARED, bpf_map__fd(exact->skel->maps.slots), 0);
	if (cpus == MAP_FAILED) {
		err = -errno;
		goto fail;
	}
	exact->cpus = cpus;
	*out = exact;
	return 0;
fail:
	exact_close(exact);
	return err;
}

void exact_read(const struct exact *exact, struct exact_cpu *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (int cpu = 0; cpu < EXACT_CPUS_MAX; cpu++) {
		for (int v = 0; v < EXACT_VECTORS; v++) {
			sum->ns[v] += exact->cpus[cpu].ns[v];
			sum->events[v] += exact->cpus[cpu].events[v];
		}
	}
}

void exact_close(struct exact *exact)
{
	if (!exact)
		return;
	if (exact->cpus)
		munmap((void *)(uintptr_t)exact->cpus, CPUS_BYTES);
	exact_softirq_bpf__destroy(exact->skel);
	free(exact);
}
