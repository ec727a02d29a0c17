/* http_host.c - reading the Host header */
#include "http_host.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>

static bool is_address(const char *text)
{
	struct in6_addr any;

	return inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1;
}

bool http_host_is_ours(const char *host, const char *listening_name)
{
	char name[NI_MAXHOST];
	bool bracketed = *host == '[';
	size_t bytes;
	const char *rest;

	host += bracketed;
	bytes = strcspn(host, bracketed ? "]" : ":");
	if (bytes >= sizeof(name))
		return false;
	memcpy(name, host, bytes);
	name[bytes] = '\0';

	rest = host + bytes;
	if (bracketed && *rest++ != ']')
		return false;
	if (*rest == ':')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest)
		return false;
	return is_address(name) || !strcasecmp(name, "localhost") ||
	       (*name && !strcasecmp(name, listening_name));
}
