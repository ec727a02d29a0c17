/* deploy/launcher/children.h - the two processes that netto starts and takes down
 *
 * Each runs in a process group of its own and is ended by the kernel when netto
 * dies. The aggregator gets the terminal while its table needs it.
 */
#ifndef NETTO_LAUNCHER_CHILDREN_H
#define NETTO_LAUNCHER_CHILDREN_H

#include <stdbool.h>
#include <sys/types.h>

#define CHILD_ARGS_MAX 24

struct child {
	const char *program;                 /* file name beside netto's own */
	const char *args[CHILD_ARGS_MAX];    /* terminated by NULL; args[0] is the program */
	bool drop;                           /* become uid and gid before the program starts */
	uid_t uid;
	gid_t gid;
	bool foreground;                     /* hand it the terminal */
	int output_fd;                       /* becomes its standard output; 0: netto's own */
	pid_t pid;                           /* 0: not running */
};

/* Add one argument: format with one %s, or a plain text when value is NULL. */
void child_add(struct child *child, const char *option, const char *value);

/* Start it. Says its own error; 0 or EXIT_ERR(). */
int child_start(struct child *child);

/* Replace this process by it, for "netto top". Returns on failure only. */
int child_become(struct child *child);

/* Terminal between netto and a foreground child that the user has stopped
 * (Ctrl-Z): take it back and stop too; give it back when netto goes on. */
void child_stop_with(const struct child *child);
void child_continue(const struct child *child);

/* Ask it to end; after timeout_ms kill it. Reaps, takes the terminal back.
 * Takes one not running. */
void child_end(struct child *child, int timeout_ms);

#endif
