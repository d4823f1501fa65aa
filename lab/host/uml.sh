# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # lab/run has the variables
#
# The host under test as a program, User-Mode Linux; sourced by lab/run. It runs in
# the root file system, whose files it sees by hostfs. Console, output and status
# are lines of it that are files outside: those never make it wait.

host_choose()
{
	local dir

	[ "$kernel" = 6.12 ] || die "User-Mode Linux is 6.12 here: --kernel $kernel is for --host vm"
	[ "$smp" = 1 ] || die "User-Mode Linux has one CPU: --smp $smp is for --host vm"
	[ -z "$icount" ] || die "--icount is for --host vm"
	dir=$(kernel_dir "$root" uml)
	[ -e "$dir/.complete" ] || die "its kernel is not there: run 'make uml' (about 5 minutes, once)"
	release=$(cat "$dir/tree/include/config/kernel.release")
	module_dir=uml
	initrd=$("$LAB_SRC/lab/build/initrd" none) || exit 4
	uml=/cache/${dir##*/}
}

# UML and its processes hand over to each other at every system call, which is dear
# from CPU to CPU: one CPU for all of it, another one for the next run's. The lock
# is held until lab/run ends. With all of them taken, each gets a second one, and so on.
choose_cpu()
{
	local cpus turn

	mapfile -t cpus < <(taskset -pc $$ | sed 's/.*: //; s/,/\n/g' |
		while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done | sort -rn)
	for turn in 1 2 3 4; do
		for cpu in "${cpus[@]}"; do
			{ exec 6>"$LAB_CACHE/cpu-$cpu-$turn.lock"; } 2>/dev/null || not_writable
			flock -n 6 && return
		done
	done
}

host_start()
{
	local cpu f input=/dev/null line=null

	choose_cpu
	for f in out err status; do
		: >"$work/$f"
	done
	[ -z "$terminal" ] || input=/dev/stdin line=fd:0,fd:1
	LAB_OUT=$out "$LAB_SRC/lab/build/in-rootfs" taskset -c "$cpu" "$uml/tree/linux" "mem=$mem" \
		"initrd=/cache/${initrd##*/}" con=null con0=null,fd:3 ssl=null \
		ssl0=null,fd:4 ssl1=null,fd:5 ssl2=null,fd:7 "ssl3=$line" \
		quiet panic=-1 oops=panic noreboot lab.uml "lab.modules=$uml/modules" \
		${append:+$append} <"$input" 2>"$work/host.err" \
		3>"$out/console.log" 4>>"$work/out" 5>>"$work/err" 7>>"$work/status" &
	host_pid=$!
	# tail reads once more when the process has ended, and then ends.
	tail -n +1 -s 0.2 -f --pid="$host_pid" "$work/out" 6>&- & streams+=($!)
	tail -n +1 -s 0.2 -f --pid="$host_pid" "$work/err" >&2 6>&- & streams+=($!)
}
