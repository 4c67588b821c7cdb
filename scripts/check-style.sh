#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fail on what a reviewer should not have to say. Long files are reported, and fail only far beyond the house rule.
#   scripts/check-style.sh [DIR]      default: this tree
set -eu
cd "${1:-$(dirname "$0")/..}"
export LC_ALL=C
bad=0
complain() {
	echo "style: $*" >&2
	bad=1
}
# One complaint per line that grep found.
found() { # MESSAGE GREP-OUTPUT
	[ -n "$2" ] || return 0
	while IFS= read -r line; do
		complain "$line: $1"
	done <<<"$2"
}
tree() { find . \( -path ./build -o -path ./.git \) -prune -o -type f "$@" -print | sed 's|^\./||' | sort; }

mapfile -t c_files < <(tree \( -name '*.[chS]' \))
mapfile -t scripts < <(tree \( -name '*.sh' -o -name Makefile -o -path './*/run' \))

# The licence is the first line, or the second below "#!".
for f in "${c_files[@]}"; do
	case $f in
	*.h) want='/* SPDX-License-Identifier: GPL-2.0-only */' ;;
	*) want='// SPDX-License-Identifier: GPL-2.0-only' ;;
	esac
	[ "$(head -n 1 "$f")" = "$want" ] || case $f in
	*.S) head -n 1 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' || complain "$f:1: no SPDX line" ;;
	*) complain "$f:1: the first line is not \"$want\"" ;;
	esac
done
for f in "${scripts[@]}"; do
	head -n 2 "$f" | grep -qx '# SPDX-License-Identifier: GPL-2.0-only' || complain "$f:1: no SPDX line"
done

all=("${c_files[@]}" "${scripts[@]}")
if [ ${#all[@]} -gt 0 ]; then
	found "ends with white space" "$(grep -nE '[[:blank:]]+$' /dev/null "${all[@]}" | cut -d: -f1,2)"
	found "a space before a tab" "$(grep -n $' \t' /dev/null "${all[@]}" | cut -d: -f1,2)"
	for f in "${all[@]}"; do
		[ ! -s "$f" ] || [ -z "$(tail -c 1 "$f")" ] || complain "$f: the last line has no end"
	done
fi
if [ ${#c_files[@]} -gt 0 ]; then
	found "indented with spaces" "$(grep -nE '^ {8,}[^ *]' /dev/null "${c_files[@]}" | cut -d: -f1,2)"
	found "a typedef of a struct" "$(grep -nE '^[[:blank:]]*typedef[[:blank:]]+(struct|union)\b' /dev/null "${c_files[@]}" | cut -d: -f1,2)"
	# The house writes 120 columns, a tab being eight; beyond 140 nobody reads on.
	long=$(for f in "${c_files[@]}"; do
		expand "$f" | awk -v f="$f" 'length > 120 { print length, f ":" NR }'
	done)
	found "longer than 140 columns" "$(awk '$1 > 140 { print $2 }' <<<"$long")"
	n=$(grep -c . <<<"$long" || :)
	[ "$n" -eq 0 ] || echo "style: note: $n lines are longer than 120 columns"
	for f in "${c_files[@]}"; do
		n=$(wc -l <"$f")
		[ "$n" -le 400 ] || echo "style: note: $f has $n lines (house rule: 400)"
		[ "$n" -le 1000 ] || complain "$f: $n lines; split it"
	done
fi
exit $bad
