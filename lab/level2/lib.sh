# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What runs in the level-2 guest, shared by the test and the demo. The guest
# and level 1 talk through files in /job: either side creates a file when it has
# got so far, the other one waits for it.

# The disk at target $1, LUN $2, of whichever host number; nothing if there is none.
disk_of()
{
	for block in /sys/class/scsi_device/*:0:"$1":"$2"/device/block/*; do
		[ -b "/dev/${block##*/}" ] && echo "/dev/${block##*/}"
	done
}

# Waits up to $1 seconds until the rest of the line succeeds; prints how long it
# took. Fails when it never did.
wait_until()
{
	limit=$(($1 * 10))
	tenths=0
	shift
	until "$@"; do
		[ "$tenths" -lt "$limit" ] || return 1
		usleep 300000
		tenths=$((tenths + 3))
	done
	echo "$((tenths / 10)).$((tenths % 10)) s"
}

# Runs the function $1; its verdict becomes /job/result/$1, what it says /job/log/$1.
step()
{
	if "$1" >"/job/log/$1" 2>&1; then
		verdict=ok
	else
		verdict=failed
	fi
	echo "$verdict" >"/job/result/$1.part"
	mv "/job/result/$1.part" "/job/result/$1"
}
