/* tests/integration/load.h - network loads over loopback, each in child processes of its own */
#ifndef NETTO_TESTS_LOAD_H
#define NETTO_TESTS_LOAD_H

#include <stddef.h>
#include <sys/types.h>

struct load {
	const char *name;
	void (*client)(int port);    /* runs until killed */
};

/* bulk, connections, exits, sendfile, splice, files. */
extern const struct load loads[];
extern const size_t load_count;

/* Start one. The process group to kill; -errno. */
pid_t load_start(const struct load *load);
void load_stop(pid_t group);

#endif
