/* aggregator/http_host.h - who a request believes to be talking to */
#ifndef NETTO_AGGREGATOR_HTTP_HOST_H
#define NETTO_AGGREGATOR_HTTP_HOST_H

#include <stdbool.h>

/* Whether a Host header may reach a server on loopback: an address, localhost,
 * or the name it was told to listen on, each with any port. A page of another
 * site whose name was made to resolve to loopback (DNS rebinding) has its own. */
bool http_host_is_ours(const char *host, const char *listening_name);

#endif
