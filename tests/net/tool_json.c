// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read one value out of JSON on standard input.
 *
 *   tool_json STEP…     a key of an object, an index into an array, KEY=VALUE: the element of an array whose KEY is
 * that string; "#": the number of elements. Prints the value; exit 1 when there is none.
 *
 *   fwctl stats --json | tool_json interfaces name=r0 hooks hook=xdp rules id=web packets
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *step(json_t *at, const char *word)
{
	const char *eq = strchr(word, '=');
	char *end;
	size_t i;
	json_t *e;

	if (json_is_object(at))
		return json_object_get(at, word);
	if (!json_is_array(at))
		return NULL;
	if (eq) {
		json_array_foreach(at, i, e)
		{
			const json_t *v = json_object_getn(e, word, (size_t)(eq - word));

			if (json_is_string(v) && !strcmp(json_string_value(v), eq + 1))
				return e;
		}
		return NULL;
	}
	i = strtoul(word, &end, 10);
	return *end ? NULL : json_array_get(at, i);
}

int main(int argc, char **argv)
{
	json_error_t err;
	json_t *root = json_loadf(stdin, 0, &err), *at = root;

	if (!root) {
		fprintf(stderr, "tool_json: line %d: %s\n", err.line, err.text);
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "#")) {
			printf("%zu\n", json_is_array(at) ? json_array_size(at) : json_object_size(at));
			return 0;
		}
		at = step(at, argv[i]);
		if (!at) {
			fprintf(stderr, "tool_json: nothing at \"%s\"\n", argv[i]);
			return 1;
		}
	}
	if (json_is_string(at))
		puts(json_string_value(at));
	else
		json_dumpf(at, stdout, JSON_ENCODE_ANY | JSON_COMPACT);
	if (!json_is_string(at))
		puts("");
	json_decref(root);
	return 0;
}
