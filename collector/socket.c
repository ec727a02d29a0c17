/* collector/socket.c - load, attach and check the probes of socket calls */
#include "family.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "preflight.h"
#include "socket_check.h"

#include "socket.skel.h"
#include "socket_switch.skel.h"
#include "socket_tp.skel.h"

enum role {
	CALL,           /* a socket call, alone or inside another one */
	WRAPPER,        /* makes many of them: one event */
};

#define ANYWHERE "*"

/* Which function serves which call differs from kernel to kernel; what a kernel
 * has of these covers all (5.10 to 7.3), and the outermost one counts. */
static const struct function {
	const char *name;
	enum shared_direction direction;
	const char *nests_in;   /* calls of that function; NULL: of none */
	enum role role;
	bool alternative;       /* only if the one before could not be attached */
	bool in_wrapper;
} functions[] = {
	{ .name = "__sys_sendto", .direction = SHARED_SEND },
	{ .name = "____sys_sendmsg", .direction = SHARED_SEND, .nests_in = "__sys_sendmmsg" },
	{ .name = "__sys_sendmmsg", .direction = SHARED_SEND },
	{ .name = "sock_write_iter", .direction = SHARED_SEND },
	/* io_uring, and what other calls do in the end */
	{ .name = "sock_sendmsg", .direction = SHARED_SEND, .nests_in = ANYWHERE, .in_wrapper = true },
	/* 6.5 and newer; before, the one that calls sock_sendpage for each page */
	{ .name = "splice_to_socket", .direction = SHARED_SEND, .in_wrapper = true },
	{ .name = "generic_splice_sendpage", .direction = SHARED_SEND, .alternative = true,
	  .in_wrapper = true },
	{ .name = "sock_sendpage", .direction = SHARED_SEND, .alternative = true, .in_wrapper = true },
	{ .name = "__sys_recvfrom", .direction = SHARED_RECEIVE },
	{ .name = "____sys_recvmsg", .direction = SHARED_RECEIVE, .nests_in = "do_recvmmsg" },
	{ .name = "do_recvmmsg", .direction = SHARED_RECEIVE },
	{ .name = "sock_read_iter", .direction = SHARED_RECEIVE, .nests_in = "sock_splice_read" },
	{ .name = "sock_splice_read", .direction = SHARED_RECEIVE, .in_wrapper = true },
	{ .name = "sock_recvmsg", .direction = SHARED_RECEIVE, .nests_in = ANYWHERE, .in_wrapper = true },
	/* sendfile, both directions */
	{ .name = "do_splice_direct", .direction = SHARED_SEND, .role = WRAPPER },
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

#define BOTH (1u << SHARED_SEND | 1u << SHARED_RECEIVE)

static const char *const names[SHARED_DIRECTIONS] = {
	[SHARED_SEND] = "socket_tx",
	[SHARED_RECEIVE] = "socket_rx",
};

/* What is needed while attaching only. */
struct attempt {
	struct family *family;
	size_t first_link;
	size_t first_report;
	int sockets_fd;                     /* the map of that name; -1 */
	struct shared_sockets *sockets;     /* and where it is mapped; NULL */
	struct socket_check check;
};

static int share(const struct attempt *a, struct bpf_object *object)
{
	struct bpf_map *sockets = bpf_object__find_map_by_name(object, "sockets");
	int err = family_share(a->family, object);

	return err ? err : bpf_map__reuse_fd(sockets, a->sockets_fd);
}

static int open_attempt(struct attempt *a, struct family *f)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	void *sockets;

	*a = (struct attempt){
		.family = f, .first_link = f->link_count, .first_report = f->report_count,
	};
	a->sockets_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "netto_sockets", sizeof(uint32_t),
				       sizeof(struct shared_sockets), 1, &opts);
	if (a->sockets_fd < 0)
		return a->sockets_fd;
	sockets = mmap(NULL, sizeof(*a->sockets), PROT_READ | PROT_WRITE, MAP_SHARED,
		       a->sockets_fd, 0);
	if (sockets == MAP_FAILED)
		return -errno;
	a->sockets = sockets;
	return 0;
}

static void close_attempt(struct attempt *a)
{
	if (a->sockets)
		munmap(a->sockets, sizeof(*a->sockets));
	if (a->sockets_fd >= 0)
		close(a->sockets_fd);
}

static void take_back(struct attempt *a)
{
	family_unhook(a->family, a->first_link);
	a->family->report_count = a->first_report;
}

/* In front of everything else: a call that slept unseen could not be timed. */
static int attach_switch(struct attempt *a)
{
	struct socket_switch_bpf *skel = socket_switch_bpf__open();
	int err;

	if (!skel)
		return -errno;
	err = share(a, skel->obj);
	if (!err)
		err = socket_switch_bpf__load(skel);
	if (!err)
		err = family_hook(a->family, skel->progs.on_switch, NULL);
	socket_switch_bpf__destroy(skel);
	return err;
}

static int attach_system_calls(struct attempt *a, unsigned int directions)
{
	struct socket_tp_bpf *skel;
	int err;

	if (preflight_kernel() < PREFLIGHT_KERNEL(5, 11)) {     /* bpf_get_current_task_btf */
		snprintf(a->family->reason, sizeof(a->family->reason), "this way needs Linux 5.11");
		return -EOPNOTSUPP;
	}
	skel = socket_tp_bpf__open();
	if (!skel)
		return -errno;
	skel->rodata->directions = directions;
	err = share(a, skel->obj);
	if (!err)
		err = socket_tp_bpf__load(skel);
	if (!err)
		err = family_hook(a->family, skel->progs.on_sys_exit, NULL);
	if (!err)
		err = family_hook(a->family, skel->progs.on_sys_enter, NULL);
	socket_tp_bpf__destroy(skel);
	for (int d = 0; d < SHARED_DIRECTIONS && !err; d++)
		if (directions & 1u << d)
			family_report(a->family, names[d], "sys_enter, sys_exit", NULL);
	return err;
}

static uint8_t number_of(const char *name)
{
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (!strcmp(functions[i].name, name))
			return (uint8_t)(i + 1);
	return SHARED_NESTS_NOWHERE;
}

static void describe(struct shared_function *out, const struct function *fn)
{
	out->number = number_of(fn->name);
	out->direction = fn->direction;
	out->in_wrapper = fn->in_wrapper;
	if (fn->nests_in && !strcmp(fn->nests_in, ANYWHERE))
		out->nests_in = SHARED_NESTS_ANYWHERE;
	else if (fn->nests_in)
		out->nests_in = number_of(fn->nests_in);
}

/* The object has a pair of programs a role; only that one is loaded. */
static int load_pair(const struct attempt *a, struct socket_bpf *skel, const struct function *fn,
		     struct bpf_program *entry, struct bpf_program *back)
{
	struct bpf_program *program;
	int err;

	bpf_object__for_each_program(program, skel->obj)
		bpf_program__set_autoload(program, program == entry || program == back);
	describe(&skel->rodata->function, fn);
	skel->rodata->has_user_workers = preflight_kernel() >= PREFLIGHT_KERNEL(6, 4);
	err = bpf_program__set_attach_target(entry, 0, fn->name);
	if (!err)
		err = bpf_program__set_attach_target(back, 0, fn->name);
	if (!err)
		err = share(a, skel->obj);
	return err ? err : socket_bpf__load(skel);
}

/* The return first: an entry without its return would count on and on. */
static int attach_function(struct attempt *a, const struct function *fn)
{
	size_t first = a->family->link_count;
	struct socket_bpf *skel = socket_bpf__open();
	struct bpf_program *pairs[][2] = {
		[CALL] = { skel ? skel->progs.on_entry : NULL, skel ? skel->progs.on_return : NULL },
		[WRAPPER] = { skel ? skel->progs.on_wrapper_entry : NULL,
			      skel ? skel->progs.on_wrapper_return : NULL },
	};
	int err;

	if (!skel)
		return -errno;
	err = load_pair(a, skel, fn, pairs[fn->role][0], pairs[fn->role][1]);
	if (!err)
		err = family_hook(a->family, pairs[fn->role][1], NULL);
	if (!err)
		err = family_hook(a->family, pairs[fn->role][0], NULL);
	if (err)
		family_unhook(a->family, first);
	socket_bpf__destroy(skel);
	return err;
}

/* Whether the kernel takes such programs at all, before anything is attached for
 * them. 0; -EPERM: it does not. */
static int try_fentry(const struct attempt *a)
{
	struct socket_bpf *skel = socket_bpf__open();
	int err;

	if (!skel)
		return -errno;
	err = load_pair(a, skel, &functions[0], skel->progs.on_entry, skel->progs.on_return);
	socket_bpf__destroy(skel);
	return err == -EPERM ? err : 0;
}

/* Each by itself, whatever becomes of the others. 0: some are attached; else the
 * last error. */
static int attach_functions(struct attempt *a, unsigned int directions)
{
	bool attached = false, before = false;
	int err = -ENOENT;

	for (size_t i = 0; i < FUNCTIONS; i++) {
		const struct function *fn = &functions[i];
		char why[FAMILY_REASON_BYTES];

		if (!(directions & 1u << fn->direction) && fn->role != WRAPPER)
			continue;
		if (fn->alternative && before)
			continue;
		err = attach_function(a, fn);
		before = !err;
		attached |= !err;
		if (err == -ESRCH || err == -ENOENT)
			snprintf(why, sizeof(why), "this kernel has no such function");
		else
			snprintf(why, sizeof(why), "%s", strerror(-err));
		family_report(a->family, names[fn->direction], fn->name, err ? why : NULL);
	}
	return attached ? 0 : err;
}

static int attach(struct attempt *a, bool tracepoints, unsigned int directions)
{
	int err = tracepoints ? 0 : try_fentry(a);

	if (!err)
		err = attach_switch(a);
	if (!err)
		err = tracepoints ? attach_system_calls(a, directions) :
				    attach_functions(a, directions);
	if (err)
		take_back(a);
	else
		family_report(a->family, "socket_switch", "sched_switch", NULL);
	return err;
}

/* A direction that did not count right is left out. The directions that did, or -errno. */
static int attach_checked(struct attempt *a, bool tracepoints)
{
	unsigned int right = BOTH;
	int err = attach(a, tracepoints, BOTH);

	if (err)
		return err;
	right = socket_check(&a->check, a->sockets);
	if (right == BOTH)
		return BOTH;
	take_back(a);
	memset(a->sockets->sleepers, 0, sizeof(a->sockets->sleepers));   /* their map went, too */
	err = right ? attach(a, tracepoints, right) : -EPROTO;
	for (int d = SHARED_DIRECTIONS - 1; d >= 0; d--) {
		if (right & 1u << d)
			continue;
		family_report(a->family, names[d], "self-check", a->check.why[d]);
		snprintf(a->family->reason, sizeof(a->family->reason), "%s", a->check.why[d]);
	}
	return err ? err : (int)right;
}

void socket_refuse(struct family *f, const char *why)
{
	const bool tracepoints = f->config->exact == PROBES_EXACT_TRACEPOINT;

	for (int d = 0; d < SHARED_DIRECTIONS; d++)
		family_report(f, names[d], tracepoints ? "sys_enter, sys_exit" : "__sys_sendto", why);
}

/* Left to us, what a kernel does not offer is no failure: `netto check`, the log
 * and the metrics say what is exact. */
static int without(struct family *f, const char *why, int err)
{
	socket_refuse(f, why);
	if (f->config->exact == PROBES_EXACT_AUTO)
		return 0;
	snprintf(f->reason, sizeof(f->reason), "%s", why);
	return err;
}

int socket_attach(struct family *f)
{
	const bool tracepoints = f->config->exact == PROBES_EXACT_TRACEPOINT;
	struct attempt a;
	int err;

	if (f->config->exact == PROBES_EXACT_OFF) {
		socket_refuse(f, "switched off by --exact-syscalls");
		return 0;
	}
	if (!f->softirqs_known)
		return without(f, "softirqs within the calls cannot be timed", -EOPNOTSUPP);
	err = open_attempt(&a, f);
	if (!err)
		err = attach_checked(&a, tracepoints);
	close_attempt(&a);
	if (err > 0) {
		f->exact[SHARED_SEND] = err & 1 << SHARED_SEND;
		f->exact[SHARED_RECEIVE] = err & 1 << SHARED_RECEIVE;
		return 0;
	}
	if (err == -EPERM && !tracepoints)      /* tracepoints attach: it is none of our rights */
		return without(f, "this kernel refuses fentry programs", err);
	if (f->report_count == a.first_report) {
		family_explain(f, err);
		socket_refuse(f, f->reason);
	}
	return err;
}
