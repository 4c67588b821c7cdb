// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libnl would ask the C library for when it prints or reads names, which nobody here lets it do. The binary is static: the resolver
 * of the C library would load modules at run time.
 */
#include <netdb.h>
#include <stddef.h>

struct protoent *getprotobyname(const char *name)
{
	(void)name;
	return NULL;
}

struct protoent *getprotobynumber(int number)
{
	(void)number;
	return NULL;
}

/* Weak: whoever really asks brings his own. */
__attribute__((weak)) int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)ret;
	return EAI_FAIL;
}

__attribute__((weak)) void freeaddrinfo(struct addrinfo *info)
{
	(void)info;
}
