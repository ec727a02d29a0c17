/* common/exit_status.c - errno to exit status */
#include "exit_status.h"

#include <errno.h>
#include <stddef.h>

/* libuv's own codes for names that do not resolve (UV_EAI_*) lie here. */
#define RESOLVER_ERR_FIRST 3000
#define RESOLVER_ERR_LAST 3099

#define STATUS_MAX 255

static const struct {
	int err;
	int status;
} statuses[] = {
	{ EPERM,           EX_NOPERM },
	{ EACCES,          EX_NOPERM },
	{ EEXIST,          EX_CANTCREAT },
	{ ENOSPC,          EX_CANTCREAT },
	{ EDQUOT,          EX_CANTCREAT },
	{ EROFS,           EX_CANTCREAT },
	{ ENOTDIR,         EX_CANTCREAT },
	{ EISDIR,          EX_CANTCREAT },
	{ ELOOP,           EX_CANTCREAT },
	{ ENOENT,          EX_UNAVAILABLE },
	{ ENOMEM,          EX_UNAVAILABLE },
	{ ENFILE,          EX_UNAVAILABLE },
	{ EMFILE,          EX_UNAVAILABLE },
	{ EBUSY,           EX_UNAVAILABLE },
	{ ENODEV,          EX_UNAVAILABLE },
	{ ENXIO,           EX_UNAVAILABLE },
	{ ENOSYS,          EX_UNAVAILABLE },
	{ EOPNOTSUPP,      EX_UNAVAILABLE },
	{ EPROTO,          EX_UNAVAILABLE },
	{ EPROTONOSUPPORT, EX_UNAVAILABLE },
	{ EAFNOSUPPORT,    EX_UNAVAILABLE },
	{ EADDRINUSE,      EX_UNAVAILABLE },
	{ EADDRNOTAVAIL,   EX_UNAVAILABLE },
	{ ECONNREFUSED,    EX_UNAVAILABLE },
	{ ECONNRESET,      EX_UNAVAILABLE },
	{ ETIMEDOUT,       EX_UNAVAILABLE },
	{ ENETUNREACH,     EX_UNAVAILABLE },
	{ EHOSTUNREACH,    EX_UNAVAILABLE },
};

int exit_status(int err)
{
	const int status = -err - EXIT_ERR_BASE;

	if (!err)
		return EX_OK;
	if (status >= 0 && status <= STATUS_MAX)
		return status;
	if (-err >= RESOLVER_ERR_FIRST && -err <= RESOLVER_ERR_LAST)
		return EX_UNAVAILABLE;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].err == -err)
			return statuses[i].status;
	return EX_SOFTWARE;   /* whoever knows better says so by EXIT_ERR() */
}
