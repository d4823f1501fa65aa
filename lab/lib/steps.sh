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
	exec {LAB_SCREEN}>&2
	export LAB_SCREEN
}

# step NAME COMMAND...: one result in a file of its own, what COMMAND says in one beside
# it. The screen gets that when something failed: what and where, the lab's sentences,
# then the rest, at once, since other steps talk, too.
step()
{
	local name=$1 result=ok start=$SECONDS file=$dir/steps/${1//[^a-zA-Z0-9]/_} text word

	shift
	say "$what: $name"
	"$@" >"$file.txt" 2>&1 || result='not ok'
	echo "$result - $name" >"$file.tap"
	word=$result
	[ "$result" != ok ] || ! grep -q '^not ok\|^ *failed:' "$file.txt" || word='tests failed'
	text="$what: [$((SECONDS - began)) s] $name: $word after $((SECONDS - start)) s"
	[ "$word" = ok ] || {
		text+=" (all that it said: $file.txt)"$'\n'
		text+=$(grep '^lab: ' "$file.txt"; grep -v '^lab: ' "$file.txt" | head -n 120)
	}
	say "$text"
	[ "$result" = ok ]
}

# The tests that failed by the output $1, with the checks that did not hold; its end when
# it names none.
failures()
{
	awk '
		/^#  RUN/ { n = 0 }
		/^# [a-z_0-9]*\.c:/ && n < 4 { said[n++] = $0 }
		/^not ok/ {
			print
			for (i = 0; i < n; i++)
				print said[i]
			n = 0
		}
		/^ *failed:|\((hangs|ended early|status)/ { print }
		/^not ok|^ *failed:/ { follows = 1; next }
		!/^(#   |        )/ { follows = 0 }
		follows { print }
	' "$1" | head -n 50 | grep . || tail -n 20 "$1"
}

# level1 OUT OPTIONS... -- PROGRAM...: a program inside level 1. Its own results
# count by themselves; this step says that the kernel stayed well, and that there
# are results.
level1()
{
	local out=$dir/$1 code

	shift
	mkdir -p "$out"
	lab/run --out "$out" "$@" >"$out/output.txt" 2>"$out/errors.txt"
	code=$?
	if [ "$code" -eq 0 ]; then
		ls "$out"/*.tap >/dev/null 2>&1 && return
		warn "no .tap file came to $out"
		return 1
	fi
	failures "$out/output.txt"
	if [ "$code" -eq 2 ] && grep -qs '^not ok' "$out"/*.tap; then
		warn "the kernel is well; $out/NAME.tap has all that a test said, 'lab/run --help' how to run one alone"
		grep -v '^lab: ' "$out/errors.txt"
		return 0
	fi
	cat "$out/errors.txt"
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
	lab/report/tap totals "$@"
}
