// SPDX-License-Identifier: GPL-2.0-only
#include "base/fail.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void the_first_failure_is_kept(void **state)
{
	struct fail f = {};

	assert_int_equal(fail_set(&f, -ENOSPC, "cannot create map %s: %d", "fw_slot0", 7), -ENOSPC);
	assert_int_equal(f.err, -ENOSPC);
	assert_string_equal(f.text, "cannot create map fw_slot0: 7");
	assert_int_equal(fail_set(&f, -EIO, "a consequence"), -EIO);
	assert_int_equal(f.err, -ENOSPC);
	assert_string_equal(f.text, "cannot create map fw_slot0: 7");
}

static void nobody_may_ask(void **state)
{
	assert_int_equal(fail_set(NULL, -EPERM, "unheard"), -EPERM);
}

static void long_sentences_are_cut(void **state)
{
	struct fail f = {};

	fail_set(&f, -EIO, "%*s", 5000, "end");
	assert_int_equal(strlen(f.text), sizeof(f.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_failure_is_kept),
		cmocka_unit_test(nobody_may_ask),
		cmocka_unit_test(long_sentences_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
