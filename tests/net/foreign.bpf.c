// SPDX-License-Identifier: GPL-2.0-only
/* An XDP program of somebody else, that passes everything. */
__attribute__((section("xdp"), used)) int foreign_pass(void *ctx)
{
	return 2;
}
