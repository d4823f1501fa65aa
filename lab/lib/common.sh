# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every lab script shares: where things are, and how it talks. Sourced,
# never run. Messages go to stderr, so that stdout stays the answer.

# shellcheck disable=SC2034 # used by the scripts that source this file
LAB_SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_CACHE=${XDG_CACHE_HOME:-${HOME:?is not set: set it, or XDG_CACHE_HOME}/.cache}/tcm-vhost
[[ $LAB_CACHE = /* ]] || {
	echo "lab: XDG_CACHE_HOME is '$XDG_CACHE_HOME': give it a path that begins with /" >&2
	exit 1
}

# What goes on, for who waits. In a step of lib/steps.sh, which keeps what is said, it
# goes to the screen all the same, unless a program between has closed that.
{ true >&"${LAB_SCREEN:=2}"; } 2>/dev/null || LAB_SCREEN=2
say()
{
	printf 'lab: %s\n' "$*" >&"$LAB_SCREEN"
}

# What came out, or is wrong.
warn()
{
	printf 'lab: %s\n' "$*" >&2
}

die()
{
	warn "$*"
	exit "${LAB_DIE:-1}"
}

# help_or_die WORD: the answer to a word that a script does not know. Help is the head
# of the script that was called, from "Usage:" on.
help_or_die()
{
	case ${1-} in
	-h | --help)
		awk '/^# Usage:/ { on = 1 } on && !/^#/ { exit } on { sub(/^# ?/, ""); print }' "$0"
		exit 0
		;;
	'') die "a word is missing, see $0 --help" ;;
	*) die "what is '$1'? See $0 --help" ;;
	esac
}

is_root()
{
	[ "$(id -u)" -eq 0 ]
}

# The root file system is keyed by its package list and nothing else.
rootfs_path()
{
	local key

	key=$(sha256sum <"$LAB_SRC/lab/build/packages") || return
	printf '%s/rootfs-%s\n' "$LAB_CACHE" "${key:0:12}"
}

not_writable()
{
	die "cannot write in $LAB_CACHE: set XDG_CACHE_HOME to a writable place, or have 'sudo chown -R $(id -un) $LAB_CACHE' make it yours"
}

# One builder at a time for one thing; the others wait, and say so.
# $1 names the thing, fd 9 holds the lock until the script ends.
lock_cache()
{
	mkdir -p "$LAB_CACHE" 2>/dev/null ||
		die "cannot create $LAB_CACHE: set XDG_CACHE_HOME to a writable place"
	{ exec 9>"$LAB_CACHE/$1.lock"; } 2>/dev/null || not_writable
	if ! flock -n 9; then
		say "waiting for $1, which another run is building"
		flock 9
	fi
}

# Free space in MiB, against what the step needs.
need_space()
{
	local have

	have=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
	[ "$have" -ge "$2" ] ||
		die "$1 has $have MiB free, $2 are needed: free some, or set XDG_CACHE_HOME to a larger disk"
}

# Kernel releases by the names people use: 6.12 or newest.
kernel_release()
{
	local root=$1 want=$2

	case $want in
	6.12)
		find "$root/lib/modules/" -mindepth 1 -maxdepth 1 -name '6.12.*' -printf '%f\n'
		;;
	newest)
		find "$root/lib/modules/" -mindepth 1 -maxdepth 1 -printf '%f\n'
		;;
	*)
		return 1
		;;
	esac | sort -V | tail -n 1
}

# kernel_dir ROOT NAME: where the kernel of lab/build/NAME.config lies.
kernel_dir()
{
	local version key

	version=$(package_version "$1" linux-source-6.12)
	key=$(cat "$LAB_SRC/lab/build/$2".* | sha256sum) || return
	printf '%s/%s-%s-%s\n' "$LAB_CACHE" "$2" "$version" "${key:0:12}"
}

# The image in the folder that kernel_dir() printed.
kernel_image()
{
	case ${1##*/} in
	uml-*) echo "$1/tree/linux" ;;
	*) echo "$1/tree/arch/x86/boot/bzImage" ;;
	esac
}

# The root file system, or the sentence that says how to get it.
require_rootfs()
{
	local root

	root=$(rootfs_path)
	[ -e "$root/.complete" ] ||
		die "the root file system is not there: run 'make lab' (about 5 minutes, once)"
	printf '%s\n' "$root"
}

# Version of a package inside the root file system, empty if it is not there.
package_version()
{
	dpkg-query --admindir="$1/var/lib/dpkg" -W -f '${Version}' "$2" 2>/dev/null
}
