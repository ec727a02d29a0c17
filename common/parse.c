/* common/parse.c - option values, strictly */
#include "parse.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>

#define PID_MAX 4194304          /* PID_MAX_LIMIT of a 64-bit kernel */
#define ID_MAX (UINT32_MAX - 1)  /* (uid_t)-1 means "no change" to setresuid() */
#define NAME_BYTES 256

/* The number in text[0..bytes). A number too large for 64 bits is a range error. */
static int parse_digits(const char *text, size_t bytes, uint64_t min, uint64_t max,
			uint64_t *value)
{
	bool overflow = false;
	uint64_t number = 0;

	if (!bytes)
		return -EINVAL;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		overflow |= __builtin_mul_overflow(number, 10, &number);
		overflow |= __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number);
	}
	if (overflow || number < min || number > max)
		return -ERANGE;
	*value = number;
	return 0;
}

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	return parse_digits(text, strlen(text), min, max, value);
}

static bool listed(const pid_t *pids, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

int parse_pids(const char *text, pid_t *pids, size_t max)
{
	size_t count = 0;

	for (;; text++) {
		const size_t bytes = strcspn(text, ",");
		uint64_t pid;
		int err;

		err = parse_digits(text, bytes, 1, PID_MAX, &pid);
		if (err)
			return err;
		if (count == max)
			return -E2BIG;
		if (listed(pids, count, (pid_t)pid))
			return -EEXIST;
		pids[count++] = (pid_t)pid;
		text += bytes;
		if (!*text)
			return (int)count;
	}
}

/* Where the host in "HOST:PORT" or "[V6]:PORT" stands. NULL: neither; else the
 * colon before the port. */
static const char *split_address(const char *text, const char **host, size_t *host_bytes)
{
	const char *end;

	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || end == text + 1 || end[1] != ':')
			return NULL;
		*host = text + 1;
		*host_bytes = (size_t)(end - text) - 1;
		return end + 1;
	}
	end = strchr(text, ':');
	if (!end)
		return NULL;
	*host = text;
	*host_bytes = (size_t)(end - text);
	return end;
}

static bool host_allowed(const char *host, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if ((unsigned char)host[i] <= ' ' || strchr("[]/@\x7f", host[i]))
			return false;
	return true;
}

int parse_address(const char *text, char *host, size_t host_bytes, uint16_t *port)
{
	const char *start, *colon;
	uint64_t number;
	size_t bytes;
	int err;

	colon = split_address(text, &start, &bytes);
	if (!colon || !host_allowed(start, bytes))
		return -EINVAL;
	err = parse_u64(colon + 1, 0, UINT16_MAX, &number);
	if (err)
		return err;
	if (bytes >= host_bytes)
		return -ENAMETOOLONG;
	memcpy(host, start, bytes);
	host[bytes] = '\0';
	*port = (uint16_t)number;
	return 0;
}

/* errno of getpwnam() and getgrnam() for "there is none" differs between name
 * services; getpwnam(3) lists these. */
static int lookup_error(int err)
{
	if (!err || err == ENOENT || err == ESRCH || err == EBADF || err == EPERM)
		return -ENOENT;
	return -err;
}

/* USER or UID, and the group that goes with it. */
static int resolve_user(const char *name, uint32_t *uid, uint32_t *gid)
{
	const struct passwd *entry;
	uint64_t number;
	int err;

	err = parse_u64(name, 0, ID_MAX, &number);
	if (!err) {
		*uid = *gid = (uint32_t)number;
		return 0;
	}
	if (err == -ERANGE)
		return err;
	errno = 0;
	entry = getpwnam(name);
	if (!entry)
		return lookup_error(errno);
	*uid = entry->pw_uid;
	*gid = entry->pw_gid;
	return 0;
}

static int resolve_group(const char *name, uint32_t *gid)
{
	const struct group *entry;
	uint64_t number;
	int err;

	err = parse_u64(name, 0, ID_MAX, &number);
	if (!err) {
		*gid = (uint32_t)number;
		return 0;
	}
	if (err == -ERANGE)
		return err;
	errno = 0;
	entry = getgrnam(name);
	if (!entry)
		return lookup_error(errno);
	*gid = entry->gr_gid;
	return 0;
}

int parse_user(const char *text, uid_t *uid, gid_t *gid)
{
	const size_t bytes = strcspn(text, ":");
	const char *group = text[bytes] ? text + bytes + 1 : NULL;
	char name[NAME_BYTES];
	uint32_t user_id = 0, group_id = 0;
	int err;

	if (!bytes || bytes >= sizeof(name) || (group && (!*group || strchr(group, ':'))))
		return -EINVAL;
	memcpy(name, text, bytes);
	name[bytes] = '\0';
	err = resolve_user(name, &user_id, &group_id);
	if (!err && group)
		err = resolve_group(group, &group_id);
	if (err)
		return err;
	*uid = user_id;
	*gid = group_id;
	return 0;
}
