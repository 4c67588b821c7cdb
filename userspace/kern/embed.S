// SPDX-License-Identifier: GPL-2.0-only
/* The BPF objects, so that the binary needs no other file. */
	.section .rodata
	.balign 16
	.global kern_object_xdp
	.global kern_object_xdp_end
kern_object_xdp:
	.incbin "fw_xdp.bpf.o"
kern_object_xdp_end:
	.balign 16
	.global kern_object_tc
	.global kern_object_tc_end
kern_object_tc:
	.incbin "fw_tc.bpf.o"
kern_object_tc_end:
	.balign 16
	.global kern_object_set
	.global kern_object_set_end
kern_object_set:
	.incbin "fw_set.bpf.o"
kern_object_set_end:
	.section .note.GNU-stack, "", %progbits
