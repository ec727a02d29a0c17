/* collector/runtime.h - what the collector publishes under its runtime directory
 *
 * "ring" and "symbols" (0440) and "collector.sock" (0660), of the collector's
 * user and group, in a directory that nobody else can write. Each is made under
 * a temporary name and renamed when it is complete; the socket comes last, so
 * whoever sees it finds the others.
 *
 * All calls but runtime_open() work relative to the open directory and as the
 * collector's user; see sandbox_borrow().
 */
#ifndef NETTO_COLLECTOR_RUNTIME_H
#define NETTO_COLLECTOR_RUNTIME_H

#include <stdbool.h>
#include <sys/types.h>

enum runtime_entry { RUNTIME_RING, RUNTIME_SYMBOLS, RUNTIME_SOCKET, RUNTIME_ENTRIES };

struct runtime;

/* Open the directory, or make it for uid and gid where there is none; path is
 * kept, not copied. Refuses what somebody else could have planted or could
 * change; warns if it is not in memory. Says its own error; 0 or EXIT_ERR(). */
int runtime_open(struct runtime **runtime, const char *path, uid_t uid, gid_t gid);

/* Remove what a dead collector left. Refuses links, foreign files and a
 * collector that lives. Says its own error; 0 or EXIT_ERR(). */
int runtime_clean(struct runtime *runtime);

/* A new empty file, open for writing, for one of the two files; a listening
 * socket for the third. The descriptor, the caller's; -errno. */
int runtime_create(struct runtime *runtime, enum runtime_entry entry);
int runtime_listen(struct runtime *runtime);

/* Give the entry its name, in the place of the one that has it. 0; -errno. */
int runtime_publish(struct runtime *runtime, enum runtime_entry entry);

/* Remove what was created and is not to be published after all. */
void runtime_discard(struct runtime *runtime, enum runtime_entry entry);

/* The open directory; stays the runtime's. */
int runtime_dir(const struct runtime *runtime);

/* Whether runtime_open() made it, and runtime_close() is to remove it. */
bool runtime_made(const struct runtime *runtime);

/* Whether all published entries are still there and ours. */
bool runtime_intact(const struct runtime *runtime);

/* Remove the entries that are ours, and the directory if this made it and may;
 * takes NULL. */
void runtime_close(struct runtime *runtime);

#endif
