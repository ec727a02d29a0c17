/* aggregator/sandbox.c - what is left to a process that needs next to nothing */
#include "sandbox.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <locale.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "capabilities.h"
#include "filter.h"
#include "landlock.h"
#include "log.h"

/* -errno of what is not in force. */
static struct {
	int landlock;
	int filter;
} missing;

/* What libc, libraries and we ourselves look up: names, zones, certificates,
 * terminals, processes. */
static const char *const readable[] = {
	"/etc", "/usr", "/lib", "/lib64", "/proc", "/run/systemd/resolve", "/dev/urandom",
};

/* No set-uid program can give it back, and no process of this user look inside. */
static int give_up_privilege(void)
{
	int err = 0;

	if (capabilities_have(capabilities_effective(), CAP_SETPCAP))
		err = capabilities_empty_bounding_set();
	if (!err)
		err = capabilities_drop();
	if (!err && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)))
		err = -errno;
	return err;
}

/* The directory that path lies in, or will, without following path itself. */
static void parent_of(const char *path, char parent[static PATH_MAX])
{
	size_t bytes = strnlen(path, PATH_MAX - 1);

	memcpy(parent, path, bytes);
	while (bytes > 1 && parent[bytes - 1] == '/')
		bytes--;
	while (bytes && parent[bytes - 1] != '/')
		bytes--;
	while (bytes > 1 && parent[bytes - 1] == '/')
		bytes--;
	parent[bytes] = '\0';
	if (!bytes)
		strcpy(parent, ".");
}

/* A collector that starts again makes the directory anew: what has to be allowed is
 * the one that it lies in, or the nearest to that. Never all there is. */
static int allow_runtime_dir(struct landlock *l, const char *path)
{
	char parent[PATH_MAX], further[PATH_MAX];

	parent_of(path, parent);
	while (access(parent, F_OK) && strcmp(parent, "/") && strcmp(parent, ".")) {
		parent_of(parent, further);
		strcpy(parent, further);
	}
	return landlock_allow(l, strcmp(parent, "/") ? parent : path, LANDLOCK_READ);
}

/* It is made, written and opened again (SIGHUP) under its name; a link leads to
 * another directory. */
static int allow_log_file(struct landlock *l, const char *path)
{
	char parent[PATH_MAX], real[PATH_MAX];
	int err;

	parent_of(path, parent);
	err = landlock_allow(l, parent, LANDLOCK_WRITE);
	if (err || !realpath(path, real))
		return err;
	parent_of(real, parent);
	return landlock_allow(l, parent, LANDLOCK_WRITE);
}

/* ncurses looks there too. */
static int allow_terminals(struct landlock *l)
{
	const char *home = getenv("HOME"), *terminfo = getenv("TERMINFO");
	char path[PATH_MAX];
	int err = landlock_allow(l, "/dev/null", LANDLOCK_WRITE);

	if (!err && home && snprintf(path, sizeof(path), "%s/.terminfo", home) < (int)sizeof(path))
		err = landlock_allow(l, path, LANDLOCK_READ);
	if (!err && terminfo)
		err = landlock_allow(l, terminfo, LANDLOCK_READ);
	/* standard output is opened a second time (line_sink.c) */
	return err ? err : landlock_allow(l, "/proc/self/fd/1", LANDLOCK_WRITE);
}

static int gather(struct landlock *l, const struct options *o)
{
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(readable) / sizeof(readable[0]); i++)
		err = landlock_allow(l, readable[i], LANDLOCK_READ);
	if (!err)
		err = allow_terminals(l);
	if (!err)
		err = allow_runtime_dir(l, o->runtime_dir);
	if (!err && o->log_file)
		err = allow_log_file(l, o->log_file);
	if (!err && o->prometheus)
		err = landlock_allow_port(l, LANDLOCK_BIND, o->prometheus_port);
	return err;
}

/* Without Landlock the permissions of files are what is left: no reason to stop. */
static void limit_files(const struct options *options)
{
	struct landlock *l = NULL;
	int err = landlock_open(&l);

	if (!err)
		err = gather(l, options);
	if (!err)
		err = landlock_enter(l);
	missing.landlock = err;
	landlock_close(l);
}

/* libc loads code when a name is first looked up (nsswitch.conf) and a character
 * first converted, unless that is UTF-8: let it do so while code can be loaded. */
static void load_plug_ins(const struct options *options)
{
	struct addrinfo *found = NULL;

	if (options->table && setlocale(LC_CTYPE, ""))
		(void)!mblen("x", 1);
	if (options->prometheus && *options->prometheus_host &&
	    !getaddrinfo(options->prometheus_host, NULL, NULL, &found))
		freeaddrinfo(found);
}

int sandbox_enter(const struct options *options)
{
	int err;

	if (!geteuid() && !options->allow_root) {
		log_error("nothing here needs root: run as another user in the collector's group, or "
			  "give --allow-root");
		return -EPERM;
	}
	err = give_up_privilege();
	if (err) {
		log_error("cannot give up privileges: %s", strerror(-err));
		return -EPERM;
	}
	load_plug_ins(options);
	limit_files(options);
	missing.filter = filter_enter();
	return 0;
}

void sandbox_say(void)
{
	if (missing.filter)
		log_warn("system calls are not filtered: %s", strerror(-missing.filter));
	if (missing.landlock)
		log_info("files and ports are not limited: no Landlock: %s", strerror(-missing.landlock));
}
