/* fuzz_parse.c - option values: numbers, lists of pids, addresses, users */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char *text = strndup((const char *)data, bytes), host[64];
	pid_t pids[8];
	uint64_t value;
	uint16_t port;
	uid_t uid;
	gid_t gid;

	if (!text)
		abort();
	if (!parse_u64(text, 1, 10000, &value) && (value < 1 || value > 10000))
		abort();
	if (parse_pids(text, pids, 8) > 8)
		abort();
	if (!parse_address(text, host, sizeof(host), &port) && strlen(host) >= sizeof(host))
		abort();
	(void)parse_user(text, &uid, &gid);
	free(text);
	return 0;
}
