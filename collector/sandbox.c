/* sandbox.c - the end of privilege
 *
 * Facts: capset, the bounding set, ambient set and no_new_privs are those of the
 * calling thread (kernel/cred.c); glibc carries setresuid over to all threads,
 * but none of the others. setresuid from 0 clears the effective and permitted
 * sets only while SECBIT_NO_SETUID_FIXUP is off, so that bit is locked off.
 */
#include "sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "capabilities.h"
#include "exit_status.h"
#include "log.h"
#include "promise.h"
#include "proof.h"

#define SECUREBITS (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | \
		    SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
		    SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static struct promise promised;
static struct proof proof = { .tasks_dir = -1 };

/* Who started us, and the signal that its death is to bring; 0: none. */
static struct {
	pid_t pid;
	int death_signal;
} parent;

int sandbox_prepare(int handed_over)
{
	const int last = handed_over > STDERR_FILENO ? handed_over : STDERR_FILENO;
	struct rlimit files;

	parent.pid = getppid();
	(void)prctl(PR_GET_PDEATHSIG, &parent.death_signal);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return EXIT_ERR(EX_OSERR);   /* nowhere to say it */
	if (close_range((unsigned int)last + 1, UINT_MAX, 0) && errno != ENOSYS) {
		log_error("cannot close inherited descriptors: %s", strerror(errno));
		return EXIT_ERR(EX_SOFTWARE);
	}
	/* perf events and BPF maps take a few a CPU: 1024 are not enough on large machines */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	return 0;
}

int sandbox_check(void)
{
	static const struct { int capability; const char *name; } needed[] = {
		{ CAP_SETUID,  "CAP_SETUID" },
		{ CAP_SETGID,  "CAP_SETGID" },
		{ CAP_SETPCAP, "CAP_SETPCAP" },
	};
	const uint64_t effective = capabilities_effective();
	char missing[64] = "";

	if (geteuid())
		return 0;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (capabilities_have(effective, needed[i].capability))
			continue;
		if (*missing)
			strcat(missing, ", ");
		strcat(missing, needed[i].name);
	}
	if (!*missing)
		return 0;
	log_error("missing capability %s: without it root cannot be given up: grant it to this "
		  "container or unit", missing);
	return EXIT_ERR(EX_NOPERM);
}

int sandbox_borrow(uid_t uid, gid_t gid)
{
	if (geteuid())
		return 0;
	if (setegid(gid) || seteuid(uid))
		return -errno;
	return 0;
}

int sandbox_return(void)
{
	if (getuid())
		return 0;
	if (seteuid(0) || setegid(getgid()))
		return -errno;
	return 0;
}

static int empty_bounding_set(void)
{
	const int err = capabilities_empty_bounding_set();

	promised.securebits = SECUREBITS;
	return !err && prctl(PR_SET_SECUREBITS, SECUREBITS) ? -errno : err;
}

static int change_user(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

/* The kernel forgets the signal that netto asked for on its own death when a
 * process changes its user (commit_creds(), kernel/cred.c): ask again, and
 * end if netto has died in between. */
static int follow_parent(void)
{
	if (!parent.death_signal)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, parent.death_signal))
		return -errno;
	return getppid() == parent.pid ? 0 : -ESRCH;
}

static int drop_capabilities(void)
{
	const int err = capabilities_drop();

	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	return 0;
}

static int set_limit(int resource, rlim_t limit)
{
	const struct rlimit both = { limit, limit };

	return setrlimit(resource, &both) ? -errno : 0;
}

static rlim_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	rlim_t count = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* A new descriptor gets the lowest free number: with n open, those below
 * n + spare are enough for spare more. */
static int limit_resources(unsigned int spare_files)
{
	const rlim_t files = open_files();
	int err;

	if (!files)
		return -EMFILE;
	promised.files = files + spare_files;
	err = set_limit(RLIMIT_CORE, 0);
	if (!err)
		err = set_limit(RLIMIT_NOFILE, promised.files);
	return err;
}

static int say_unchecked(int err)
{
	if (err >= 0 || err <= -EXIT_ERR_BASE)
		return err;
	log_error("cannot check /proc/self/task: %s: is /proc mounted?", strerror(-err));
	return EXIT_ERR(EX_UNAVAILABLE);
}

/* Nothing leads back. */
static int check_way_back(void)
{
	if (setresuid(0, 0, 0) && setresgid(0, 0, 0))
		return 0;
	log_error("cannot give up all privilege: the way back to root is open");
	return EXIT_ERR(EX_SOFTWARE);
}

/* Without Landlock the filter and the permissions of files are what is left: no
 * reason to stop. That it is there and cannot be used is one. */
static int limit_files(const struct confine_files *files)
{
	bool missing;
	const int err = confine_enter(files, proof.tasks_dir, &missing);

	if (err) {
		log_error("cannot limit files: Landlock: %s",
			  err == -EPROTO ? "it does not hold" : strerror(-err));
		return EXIT_ERR(EX_SOFTWARE);
	}
	if (missing)
		log_info("files are limited by their permissions alone: no Landlock in this kernel or "
			 "container");
	return 0;
}

int sandbox_enter(uid_t uid, gid_t gid, unsigned int spare_files, const struct confine_files *files)
{
	const bool root = !geteuid();
	int err = proof_open(&proof);

	if (err)
		return say_unchecked(err);
	promised = (struct promise){ .uid = uid, .gid = gid, .from_root = root };
	if (root || capabilities_have(capabilities_effective(), CAP_SETPCAP))
		err = empty_bounding_set();
	if (!err && root)
		err = change_user(uid, gid);
	if (!err)
		err = drop_capabilities();
	if (!err)
		err = follow_parent();
	if (!err)
		err = limit_resources(spare_files);
	if (err) {
		log_error("cannot give up privilege to become uid %u: %s", uid, strerror(-err));
		return EXIT_ERR(EX_NOPERM);
	}
	err = check_way_back();
	if (!err)
		err = limit_files(files);
	if (!err)
		err = proof_gather(&proof);
	if (!err)
		err = proof_check_threads(&proof, &promised);
	proof_release(&proof);
	return say_unchecked(err);
}

int sandbox_seal(const struct filter_files *files)
{
	int err = set_limit(RLIMIT_NPROC, 0);

	if (err) {
		log_error("cannot forbid new processes: %s", strerror(-err));
		return EXIT_ERR(EX_SOFTWARE);
	}
	err = proof_check_process(&promised);
	if (!err)
		err = proof_gather(&proof);
	if (err)
		return say_unchecked(err);
	err = filter_enter(files);
	if (err) {
		log_error("cannot install the filter of system calls: %s: netto needs a kernel built "
			  "with CONFIG_SECCOMP_FILTER, and a container that may use it",
			  strerror(-err));
		err = EXIT_ERR(EX_UNAVAILABLE);
	} else {
		promised.filtered = true;
		err = say_unchecked(proof_check_threads(&proof, &promised));
	}
	proof_close(&proof);
	return err;
}
