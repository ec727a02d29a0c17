/* collector/symbol_probes.c - attach what tells of symbols that come and go */
#include "family.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "modules.skel.h"

int ksymbol_attach(struct family *f)
{
	const int err = ksymbols_open(&f->ksymbols, f->online);

	if (err)
		snprintf(f->reason, sizeof(f->reason), "perf_event_open or its mmap: %s",
			 strerror(-err));
	return err;
}

int module_changes_attach(struct family *f)
{
	const size_t first = f->link_count;
	struct modules_bpf *skel;
	int err;

	if (access("/proc/modules", F_OK)) {
		f->needless = true;
		snprintf(f->reason, sizeof(f->reason), "this kernel has no modules");
		return -EOPNOTSUPP;
	}
	skel = modules_bpf__open();
	if (!skel)
		return -errno;
	err = family_share(f, skel->obj);
	if (!err)
		err = modules_bpf__load(skel);
	if (!err)
		err = family_hook(f, skel->progs.on_module_change, "module_load");
	if (!err)
		err = family_hook(f, skel->progs.on_module_change, "module_free");
	if (err)
		family_unhook(f, first);
	modules_bpf__destroy(skel);
	return err;
}
