/* collector/irq.c - load and attach the probes of hard interrupts and of coming and going CPUs */
#include "family.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>

#include "cpuhp.skel.h"
#include "irq.skel.h"

/* The object with the handlers' programs, or only the local timer's, loaded. 0 or -errno. */
static int load(const struct family *f, struct irq_bpf **out, bool timer)
{
	struct irq_bpf *skel = irq_bpf__open();
	int err;

	if (!skel)
		return -errno;
	bpf_program__set_autoload(skel->progs.on_irq_entry, !timer);
	bpf_program__set_autoload(skel->progs.on_irq_exit, !timer);
	bpf_program__set_autoload(skel->progs.on_timer_entry, timer);
	bpf_program__set_autoload(skel->progs.on_timer_exit, timer);
	err = family_share(f, skel->obj);
	if (!err)
		err = irq_bpf__load(skel);
	if (err) {
		irq_bpf__destroy(skel);
		return err;
	}
	*out = skel;
	return 0;
}

int irq_attach(struct family *f)
{
	size_t first = f->link_count;
	struct irq_bpf *skel = NULL;
	int err;

	err = load(f, &skel, false);
	if (err)
		return err;
	err = family_hook(f, skel->progs.on_irq_exit, NULL);
	if (!err)
		err = family_hook(f, skel->progs.on_irq_entry, NULL);
	if (err)
		family_unhook(f, first);
	irq_bpf__destroy(skel);
	return err;
}

int local_timer_attach(struct family *f)
{
	size_t first = f->link_count;
	struct irq_bpf *skel = NULL;
	int err;

	err = load(f, &skel, true);
	if (err)
		return err;
	err = family_hook(f, skel->progs.on_timer_exit, "local_timer_exit");
	if (!err)
		err = family_hook(f, skel->progs.on_timer_entry, "local_timer_entry");
	if (err)
		family_unhook(f, first);
	irq_bpf__destroy(skel);
	return err;
}

int cpu_changes_attach(struct family *f)
{
	struct cpuhp_bpf *skel = cpuhp_bpf__open();
	int err;

	if (!skel)
		return -errno;
	err = family_share(f, skel->obj);
	if (!err)
		err = cpuhp_bpf__load(skel);
	if (!err)
		err = family_hook(f, skel->progs.on_cpuhp_exit, "cpuhp_exit");
	cpuhp_bpf__destroy(skel);
	return err;
}
