#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the verifier spends on each program, by kernel, compiler and configuration, as a table (as root): this kernel, then those of
# scripts/vm.sh. Ends with a status other than 0 when something does not load or needs a quarter of the verifier's limit.
#   scripts/verifier-log.sh [KERNEL…]      default: 6.1 6.12; "none" for this kernel alone
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- 6.1 6.12
test=build/tests/kernel/test_verifier
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
CMOCKA_MESSAGE_OUTPUT=TAP $test >>"$log" 2>&1 || failed=1
for kernel; do
	[ "$kernel" = none ] || nice -n 10 scripts/vm.sh "$kernel" $test >>"$log" 2>&1 || failed=1
done
# The objects are made by the clang that the makefile names; its version says more.
shipped=$(strings -a build/bpf/fw_xdp.bpf.o 2>/dev/null | sed -n 's/.*clang version \([0-9]*\).*/clang-\1/p' | head -n 1)
sed -n "s/^# verifier //p" "$log" | awk -v shipped="${shipped:-shipped}" '
	function row(a, b, c, d, e, f, g, h, i, j) {
		printf "%-28s %-9s %-13s %-20s %12s %6s %8s %12s %13s %12s\n", a, b, c, d, e, f, g, h, i, j
	}
	BEGIN { row("kernel", "compiler", "program", "configuration", "instructions", "of 1M", "states", "peak states", "xlated bytes", "jited bytes") }
	{
		n = split($4, words, ",")
		shape = ""
		for (i = 1; i <= n; i++) {
			split(words[i], word, "=")
			if (word[2])
				shape = shape (shape ? "," : "") word[1] (word[1] == "force" ? "=" word[2] : "")
		}
		row($1, $2 == "shipped" ? shipped : $2, $3, shape ? shape : "-", $5, sprintf("%.1f%%", $5 / 10000), $6, $7, $8, $9)
	}'
grep -E '^not ok|^vm: ' "$log" | grep -v '# SKIP'
exit $failed
