# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts that use targetcli or a guest share on their host, level 1.
# Sourced, never run. With a guest, and under emulation, that host wants one CPU.

# shellcheck source=lab/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
# The guest's kernel: the host's own, or Debian's 6.12 where the host is a program.
L2_RELEASE=$(cd /boot && printf '%s\n' vmlinuz-"$(uname -r)" vmlinuz-6.12.* | while read -r file; do
	[ ! -e "$file" ] || { echo "${file#vmlinuz-}"; break; }
done)
L2_WORK=/run/level2
L2_JOB=$L2_WORK/job
L2_LOGS=/out/level2
# shellcheck disable=SC2034 # for the scripts that source this
L2_CONFIGFS=/sys/kernel/config/target
# shellcheck disable=SC2034 # for the scripts that source this
L2_WWN=naa.5001405000000001
# shellcheck disable=SC2034 # for the scripts that source this
L2_WWN2=naa.5001405000000004
L2_QEMU=''
# What runs the guest's code, and how it notifies.
L2_ACCEL=kvm
L2_NOTIFY=,modern-pio-notify=on

# l2_pause SECONDS: sleep, but without a process, which costs the guest some of its
# processor each time.
exec {L2_NEVER}<> <(:)
l2_pause()
{
	read -r -t "$1" -u "$L2_NEVER"
	true
}

note()
{
	printf '# [%3d s] %s\n' "$SECONDS" "$*"
}

# claim NAME "ROWS" COMMAND...: one line of TAP in $tap, by COMMAND's exit status;
# what it said is in $logs.
tap='' logs='' count=0 failures=0
claim()
{
	local name=$1 rows=$2 verdict=ok log=$logs/$1.log

	shift 2
	count=$((count + 1))
	"$@" >"$log" 2>&1 || {
		verdict='not ok'
		failures=$((failures + 1))
	}
	{
		printf '# covers: %s\n%s %d %s\n' "$rows" "$verdict" "$count" "$name"
		[ "$verdict" = ok ] || tail -n 20 "$log" | sed 's/^/#   /'
	} | tee -a "$tap"
}

# guest_claim NAME "ROWS": the claim that step NAME of the guest makes.
guest_claim()
{
	claim "guest_$1" "$2" guest_result "$1"
}

guest_result()
{
	local ended=0

	l2_wait 900 "result/$1" || ended=1
	cat "$L2_JOB/log/$1"
	[ "$ended" -eq 0 ] && grep -qx ok "$L2_JOB/result/$1"
}

# A saved configuration with its lists in one order: configfs has none.
in_order()
{
	python3 -c '
import json, sys

def ordered(value):
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in value}
    if isinstance(value, list):
        return sorted(map(ordered, value), key=lambda item: json.dumps(item, sort_keys=True))
    return value

print(json.dumps(ordered(json.load(open(sys.argv[1]))), sort_keys=True, indent=1))' "$1"
}

# Memory for backstores, the folder that the guest shares, what targetcli needs.
l2_prepare()
{
	if grep -qw lab.uml /proc/cmdline; then
		# Not an eighth of level 1 for translated code: see lab/level1/qemu.py.
		L2_ACCEL=tcg,tb-size=24 L2_NOTIFY=''
	else
		modprobe -a kvm_amd 2>/dev/null || modprobe kvm_intel 2>/dev/null
		[ -c /dev/kvm ] || {
			echo "level2: this host has no /dev/kvm, so no guest can run in it" >&2
			return 1
		}
	fi
	mkdir -p "$L2_WORK" "$L2_LOGS"
	mount -t tmpfs -o size=1G level2 "$L2_WORK"
	mkdir -p "$L2_JOB"/{log,result} "$L2_WORK/disks"
	cp "$LAB_SRC/lab/level2/lib.sh" "$L2_JOB/"
	# targetcli makes this LIO's folder; PERSISTENT RESERVE OUT wants one in it.
	mkdir -p /etc/rtslib-fb-target/pr
	modprobe -a sd_mod loop target_core_mod target_core_iblock target_core_file target_core_pscsi
}

# targetcli, unmodified, with commands from stdin: it starts only once.
targetcli_batch()
{
	targetcli 2>&1 | sed -n 's/^.*\/[^>]*> //; /[^ ]/p'
}

# targetcli removes all that it knows. What stays is what LIO itself makes: the
# fabric's directory, the ALUA defaults.
l2_clear()
{
	local left

	targetcli clearconfig confirm=True
	left=$(find "$L2_CONFIGFS" -name 'tpgt_*' -o -name 'naa.*' -o -path "$L2_CONFIGFS/core/*_[0-9]*")
	echo "$left"
	[ -z "$left" ]
}

# l2_backstore_holds NAME NUMBER DEVICE: the pattern where the guest put it, the
# files that the guest hashed in a file system that mounts here, and the same
# bytes as the guest saw everywhere.
l2_backstore_holds()
{
	local name=$1 number=$2 dev=$3 mnt=$L2_WORK/mnt ok=1 view

	[ -e "$dev" ] || return
	[ ! -b "$dev" ] || blockdev --flushbufs "$dev" || return
	cmp <(dd if="$L2_JOB/pattern" bs=1M skip="$number" count=1 2>/dev/null) \
		<(dd if="$dev" bs=1M skip=8 count=1 2>/dev/null) || return
	sha256sum <"$dev" | cmp - "$L2_JOB/disk.$name" || return
	# LIO has the device to itself; a loop device over it can be mounted.
	view=$(losetup -r --show -f "$dev") || return
	mkdir -p "$mnt"
	if mount -t ext4 -o ro,noload "$view" "$mnt"; then
		(cd "$mnt" && sha256sum -c "$L2_JOB/files.$name") && ok=0
		umount "$mnt"
	fi
	losetup -d "$view"
	return "$ok"
}

l2_nothing_left()
{
	l2_clear && rmdir "$L2_CONFIGFS/vhost"
}

# Loads again what is loaded now, a file or an installed module.
l2_module_reloads()
{
	local how=modprobe

	[[ $VS_MODULE == */* ]] && how=insmod
	rmmod vhost_scsi || return
	if [ -e /dev/vhost-scsi ]; then
		echo '/dev/vhost-scsi is still there'
		return 1
	fi
	"$how" "$VS_MODULE" || return
	mkdir "$L2_CONFIGFS/vhost" && cat "$L2_CONFIGFS/vhost/version" && [ -c /dev/vhost-scsi ]
}

# The one that was built outside, else one built here, which takes longer.
l2_initramfs()
{
	local file=/src/build/$L2_RELEASE/level2.cpio

	if [ ! -e "$file" ] || [ "$LAB_SRC/lab/build/initramfs" -nt "$file" ] || [ "$LAB_SRC/lab/level2/init" -nt "$file" ]; then
		file=$L2_WORK/level2.cpio
		[ -e "$file" ] || "$LAB_SRC/lab/build/initramfs" --here "$L2_RELEASE" "$file" >&2 || return
	fi
	echo "$file"
}

# Starts a guest that runs lab/level2/$1, with the options of QEMU that follow.
#
# With KVM a guest must not notify by MMIO here: QEMU's emulation of SVM leaves the type
# of the last exception in EXITINTINFO, and KVM since 6.14 takes a notification
# behind it for one that cannot be emulated ("KVM internal error. Suberror: 3").
# So 9p is a legacy device, and the others have $L2_NOTIFY: they notify by PIO, to the
# same ioeventfd. SeaBIOS hangs on such a device, qboot does not look at it.
#
# Each access to a port is an exit, and expensive here: the search of all buses
# for an AGP bridge, twice, and for further root bridges takes 10 seconds. "pci="
# says that there is bus 0 and no more. An emulated timer may be too late for the check of
# it, which is a panic.
l2_start_with()
{
	local initramfs main=$1

	shift
	initramfs=$(l2_initramfs) || return
	cp "$LAB_SRC/lab/level2/$main" "$L2_JOB/main"
	rm -f "$L2_WORK"/monitor.*
	mkfifo "$L2_WORK"/monitor.{in,out}
	qemu-system-x86_64 -machine q35 -accel "$L2_ACCEL" -cpu qemu64 -smp 1 -m 512 -bios qboot.rom \
		-nodefaults -no-user-config -no-reboot -display none \
		-kernel "/boot/vmlinuz-$L2_RELEASE" -initrd "$initramfs" \
		-append 'console=ttyS0 quiet panic=-1 mitigations=off no_timer_check pci=noearly,lastbus=0' \
		-serial "file:$L2_LOGS/console" \
		-monitor "pipe:$L2_WORK/monitor" \
		-fsdev "local,id=job,path=$L2_JOB,security_model=none" \
		-device virtio-9p-pci,fsdev=job,mount_tag=job,disable-modern=on \
		"$@" >"$L2_LOGS/qemu.log" 2>&1 &
	L2_QEMU=$!
}

# The same on the target $L2_WWN. Its vhost-scsi-pci gets the properties $2, if any; with
# $3 the guest has a second one, on the target $L2_WWN2 and with the properties $3.
l2_start()
{
	local main=$1 properties=${2-} second=${3-}
	local vhost=vhost-scsi-pci,hotplug=on$L2_NOTIFY

	l2_start_with "$main" -device "$vhost,wwpn=$L2_WWN${properties:+,$properties}" \
		${second:+-device "$vhost,wwpn=$L2_WWN2,$second"}
}

# l2_boot STEP...: the guest comes up, to do these steps of lab/level2/test.
l2_boot()
{
	printf '%s\n' "$@" >"$L2_JOB/steps"
	l2_start test &&
		l2_wait 900 up
}

l2_running()
{
	[ -n "$L2_QEMU" ] && kill -0 "$L2_QEMU" 2>/dev/null
}

# What the emulation of a processor that virtualizes does now and then.
l2_is_broken()
{
	[ -s "$L2_LOGS/qemu.log" ] && grep -q 'KVM internal error' "$L2_LOGS/qemu.log"
}

# Seconds since the guest last wrote its pulse.
l2_pulse()
{
	echo $(($(date +%s) - $(stat -c %Y "$L2_JOB/pulse" 2>/dev/null || date +%s)))
}

# What the guest's processor does, as QEMU says: where it is, whether it takes
# interrupts, and which wait.
l2_processor()
{
	printf '%s\n' 'info registers' 'info lapic' >"$L2_WORK/monitor.in"
	timeout 10 cat "$L2_WORK/monitor.out" | tr -d '\r' | grep -E '^[[:blank:]]*(RIP=|HLT=|LVTT|Timer|ISR|IRR)'
}

# What the guest says that it waits for, or its processor if it does not run. It
# cannot be our device that keeps a processor from its timer: then the emulation has
# failed, not the test.
l2_diagnose()
{
	local age

	! l2_is_broken || return
	touch "$L2_JOB/tell"
	sleep 30
	age=$(l2_pulse)
	if [ "$age" -lt 120 ]; then
		echo "The guest runs, and waits:"
		head -n 12 "$L2_JOB/told"
		return
	fi
	echo "The guest froze $age s ago:"
	l2_processor
}

# A guest that hangs is ended, so that whoever waits for it next need not.
l2_kill()
{
	l2_diagnose
	kill -KILL "$L2_QEMU" 2>/dev/null
	wait "$L2_QEMU" 2>/dev/null
	L2_QEMU=''
	echo "QEMU said, and its console ended with:"
	head -n 1 "$L2_LOGS/qemu.log"
	tail -n 10 "$L2_LOGS/console" | tr -d '\r'
}

# Waits up to $1 seconds for the file $2 from the guest, or until it froze.
l2_wait()
{
	local end=$((SECONDS + $1)) pulse='' last='' beaten=$SECONDS

	until [ -e "$L2_JOB/$2" ]; do
		if ! l2_running; then
			[ -e "$L2_JOB/$2" ] && return
			echo "QEMU ended before the guest came to '$2'"
			return 1
		fi
		[ ! -e "$L2_JOB/pulse" ] || read -r pulse <"$L2_JOB/pulse"
		if [ -z "$pulse" ] || [ "$pulse" != "$last" ]; then
			last=$pulse beaten=$SECONDS
		fi
		if l2_is_broken || [ "$SECONDS" -ge "$end" ] ||
			[ $((SECONDS - beaten)) -ge 240 ]; then
			echo "the guest did not come to '$2' in $(($1 - end + SECONDS)) s"
			l2_kill
			return 1
		fi
		l2_pause 0.2
	done
}

# Waits up to $1 seconds for the guest to power off; its end must be clean.
l2_end()
{
	local end=$((SECONDS + $1)) status

	while l2_running; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "the guest did not power off in $1 s"
			l2_kill
			return 1
		fi
		l2_pause 0.2
	done
	wait "$L2_QEMU"
	status=$?
	L2_QEMU=''
	[ "$status" -eq 0 ] || echo "QEMU exited with $status"
	return "$status"
}
