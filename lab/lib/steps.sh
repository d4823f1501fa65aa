# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # for the scripts that source this
#
# What lab/check and its longer siblings share: steps with a result each, programs
# inside level 1, totals. Sourced, never run.

selftests=/src/tools/testing/selftests/vhost_scsi

# steps_begin NAME: results go to build/NAME, which is fresh.
steps_begin()
{
	cd "$LAB_SRC" || exit
	dir=build/$1
	what=$1
	began=$SECONDS
	rm -rf "$dir" 2>/dev/null && mkdir -p "$dir/steps" 2>/dev/null ||
		die "cannot write in $LAB_SRC/build: take a clone that is yours, on a disk with room"
}

# step NAME COMMAND...: one result in a file of its own; what it prints goes to the
# terminal.
step()
{
	local name=$1 result=ok start=$SECONDS

	shift
	say "$what: $name"
	"$@" || result='not ok'
	echo "$result - $name" >"$dir/steps/${name//[^a-zA-Z0-9]/_}.tap"
	say "$what: [$((SECONDS - began)) s] $name: $result after $((SECONDS - start)) s"
	[ "$result" = ok ]
}

# What the output $1 says from the first failure on, or in the end.
why()
{
	if grep -q '^not ok\|^ *failed:' "$1"; then
		sed -n '/^not ok\|^ *failed:/,$p' "$1" | head -n 40
	else
		tail -n 20 "$1"
	fi
}

# level1 OUT OPTIONS... -- PROGRAM...: a program inside level 1. Its own results
# count by themselves; this step says that the kernel stayed well, and that there
# are results.
level1()
{
	local out=$dir/$1 code

	shift
	mkdir -p "$out"
	lab/run --out "$out" "$@" >"$out/output.txt" 2> >(tee "$out/errors.txt" >&2)
	code=$?
	[ "$code" -eq 0 ] || why "$out/output.txt" >&2
	if [ "$code" -eq 2 ] && grep -qs '^not ok' "$out"/*.tap; then
		return 0
	fi
	if [ "$code" -eq 0 ] && ! ls "$out"/*.tap >/dev/null 2>&1; then
		say "$what: no .tap file came to $out"
		return 1
	fi
	return "$code"
}

# side_by_side COMMAND...: COMMAND KERNEL, on both packaged kernels.
side_by_side()
{
	local kernel runs=() run result=0

	for kernel in 6.12 newest; do
		"$@" "$kernel" &
		runs+=($!)
	done
	for run in "${runs[@]}"; do
		wait "$run" || result=$?
	done
	return "$result"
}

# The last line is "N passed, N failed, N skipped", the status 1 when something failed.
steps_end()
{
	say "$what: took $((SECONDS - began)) s"
	lab/report/totals "$@"
}
