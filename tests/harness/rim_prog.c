// SPDX-License-Identifier: GPL-2.0-only
#include "harness/rim_prog.h"
#include "harness/rim.h"
#include "kern/object.h"

#include <bpf/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

bool program_has(uint32_t prog_id, const char *name)
{
	struct object_info info;
	bool has = false;

	assert_int_equal(object_info_by_id(prog_id, &info), 0);
	for (uint32_t i = 0; i < info.nmaps; i++) {
		struct bpf_map_info map = {};
		uint32_t len = sizeof(map);
		int fd = bpf_map_get_fd_by_id(info.map_ids[i]);

		assert_true(fd >= 0);
		assert_int_equal(bpf_obj_get_info_by_fd(fd, &map, &len), 0);
		close(fd);
		has = has || !strcmp(map.name, name);
	}
	return has;
}

uint32_t pin_id(const char *part)
{
	struct bpf_map_info map = {};
	uint32_t len = sizeof(map);
	int fd = bpf_obj_get(rim_pin(part));

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &map, &len), 0);
	close(fd);
	return map.id;
}

void run_live(uint16_t dport, unsigned int n)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = (int)n);
	int fd = bpf_prog_get_fd_by_id(box_xdp_id(BOX_IF));
	uint8_t frame[60];

	box_udp_frame(frame, dport);
	opts.data_in = frame;
	opts.data_size_in = sizeof(frame);
	assert_true(fd >= 0);
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	close(fd);
}
