/* common/parse.h - option values, strictly
 *
 * Outputs are written on success only, but for pids[], which is working space
 * until then. Nothing here prints.
 */
#ifndef NETTO_COMMON_PARSE_H
#define NETTO_COMMON_PARSE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A whole decimal number, digits only (no sign, no space, no prefix).
 * 0; -EINVAL: not a whole number; -ERANGE: outside min..max. */
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/* "1,22,333": 1 to max pids, each 1 to 4194304, none twice. Number of pids;
 * -EINVAL: rubbish, an empty item; -ERANGE: a pid out of range;
 * -E2BIG: more than max; -EEXIST: one twice. */
int parse_pids(const char *text, pid_t *pids, size_t max);

/* "HOST:PORT", "[V6]:PORT", ":PORT" (host becomes ""), port 1 to 65535 (0 for
 * any free one). 0; -EINVAL; -ERANGE: the port; -ENAMETOOLONG. */
int parse_address(const char *text, char *host, size_t host_bytes, uint16_t *port);

/* "USER", "UID", "UID:GID" or "USER:GROUP"; without a group the user's own, or
 * for a bare number the same number. 0; -ENOENT: no such user or group;
 * -EINVAL; -ERANGE. */
int parse_user(const char *text, uid_t *uid, gid_t *gid);

#endif
