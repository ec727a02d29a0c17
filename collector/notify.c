/* notify.c - what a service manager wants to know (sd_notify(3)) */
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	static const struct timeval patience = { .tv_sec = 1 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t bytes;
	int fd, err;

	if (!path || !*path)
		return -ENOENT;
	if ((*path != '/' && *path != '@') || strlen(path) >= sizeof(address.sun_path))
		return -EINVAL;
	strcpy(address.sun_path, path);
	bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (*path == '@')
		address.sun_path[0] = '\0';   /* an abstract name */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* a manager that does not read holds nobody up for long */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, bytes)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

void notify_send(int fd, const char *lines)
{
	if (fd >= 0)
		(void)send(fd, lines, strlen(lines), MSG_NOSIGNAL);
}
