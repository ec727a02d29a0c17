/* aggregator/runtime_files.h - what a collector publishes, opened with distrust
 *
 * Somebody else may have put something into the runtime directory. So files
 * have to be regular ones, the socket no link, all of them root's or the
 * directory owner's, and nobody else may be able to write them.
 */
#ifndef NETTO_AGGREGATOR_RUNTIME_FILES_H
#define NETTO_AGGREGATOR_RUNTIME_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SYMBOLS_BYTES_MAX (64u << 20)   /* ten times the table of a large kernel */

/* Open the directory; what is in it is reached through it. fd; -errno. */
int runtime_dir_open(const char *path);

/* Open a file for reading and store its length. fd; -ELOOP: a link; -EINVAL:
 * no regular file; -EPERM: not of a trusted owner, or others can write it;
 * -errno. */
int runtime_file_open(int dir_fd, const char *name, off_t *bytes);

/* Connect to a SOCK_SEQPACKET socket, non-blocking. fd; -EAGAIN: its queue is
 * full; -ELOOP, -EINVAL as above; -EPERM: whoever listens is not trusted;
 * -errno. */
int runtime_socket_connect(int dir_fd, const char *name);

/* A file that is shorter now than it was cannot be read through a mapping. */
bool runtime_file_shrunk(int fd, off_t bytes);

/* This boot of the kernel. 0; -errno; -EPROTO. */
int boot_id_read(uint8_t boot_id[static 16]);

#endif
