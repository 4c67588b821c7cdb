// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libpcap would ask the system for, answered here. The binary is static: the resolver of the C library would load modules at run
 * time, and no name is looked up anywhere in fwctl anyway. So hosts are numbers, ports and protocols have the names that rules have.
 * D-Bus, which libpcap wants for its list of devices, is not there: no device is ever opened.
 */
#include "lang/words.h"
#include "model/field.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int dbus_findalldevs(void *list, char *why);
void *dbus_create(const char *device, char *why, int *ret_ours);

int dbus_findalldevs(void *list, char *why)
{
	(void)list;
	(void)why;
	return 0;
}

void *dbus_create(const char *device, char *why, int *ret_ours)
{
	(void)device;
	(void)why;
	*ret_ours = 0;
	return NULL;
}

/* One answer and its address in one piece. */
struct answer {
	struct addrinfo info;
	union {
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to;
};

static bool node_read(struct answer *a, const char *node)
{
	a->to.v4.sin_family = AF_INET;
	if (!node || inet_pton(AF_INET, node, &a->to.v4.sin_addr) == 1)
		return true;
	a->to.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
	return inet_pton(AF_INET6, node, &a->to.v6.sin6_addr) == 1;
}

static bool service_read(struct answer *a, const char *service)
{
	char *end;
	long port = service ? service_port(service, strlen(service)) : 0;

	if (port < 0) {
		port = strtol(service, &end, 10);
		if (*end || port < 0 || port > 65535)
			return false;
	}
	if (a->to.v4.sin_family == AF_INET)
		a->to.v4.sin_port = htons((uint16_t)port);
	else
		a->to.v6.sin6_port = htons((uint16_t)port);
	return true;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (!a)
		return EAI_MEMORY;
	if (!node_read(a, node) || !service_read(a, service) ||
	    (hints && hints->ai_family != AF_UNSPEC && hints->ai_family != a->to.v4.sin_family)) {
		free(a);
		return EAI_NONAME;
	}
	a->info = (struct addrinfo){
		.ai_family = a->to.v4.sin_family,
		.ai_socktype = hints && hints->ai_socktype ? hints->ai_socktype : SOCK_STREAM,
		.ai_protocol = hints ? hints->ai_protocol : 0,
		.ai_addrlen = a->to.v4.sin_family == AF_INET ? sizeof(a->to.v4) : sizeof(a->to.v6),
		.ai_addr = (struct sockaddr *)&a->to,
	};
	*ret = &a->info;
	return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
	free(info); /* the first member of its answer */
}

struct hostent *gethostbyname(const char *name)
{
	(void)name;
	return NULL;
}

int getnetbyname_r(const char *name, struct netent *net, char *buf, size_t size, struct netent **ret, int *ret_err)
{
	(void)name;
	(void)net;
	(void)buf;
	(void)size;
	*ret = NULL;
	*ret_err = HOST_NOT_FOUND;
	return 0;
}

int getprotobyname_r(const char *name, struct protoent *proto, char *buf, size_t size, struct protoent **ret)
{
	long number = field_value_parse(FIELD_PROTO, name, strlen(name));

	(void)buf;
	(void)size;
	*ret = NULL;
	if (number < 0)
		return 0;
	*proto = (struct protoent){ .p_name = (char *)name, .p_proto = (int)number };
	*ret = proto;
	return 0;
}

int ether_hostton(const char *name, struct ether_addr *ret)
{
	(void)name;
	(void)ret;
	return -1;
}
