# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What a level-2 guest does on each of its disks. /job/luns has a line
# "name target lun number" for every LUN that it must see. On each disk:
#
#	MiB 0 to 8	an ext4 file system
#	MiB 8 to 9	a part of /job/pattern, another one on each disk
#	MiB 9 to 11	what fio wrote and verified

# Runs the line for each LUN, with its number, name and disk added.
for_luns()
{
	while read -r name target lun number; do
		"$@" "$number" "$name" "$(disk_of "$target" "$lun")" || {
			echo "failed on $name (target $target, LUN $lun)"
			return 1
		}
	done </job/luns
}

all_disks()
{
	while read -r _ target lun _; do
		[ -n "$(disk_of "$target" "$lun")" ] || return 1
	done </job/luns
}

# LIO shows the backstore's name as the model; pscsi passes the device's own on.
model_is()
{
	model=$(cat "/sys/block/${3##*/}/device/model")
	case $model in
	"$2"* | scsi_debug*) ;;
	*)
		echo "$3 is '$model', not '$2'"
		return 1
		;;
	esac
}

sees_every_lun()
{
	wait_until 20 all_disks
	/usr/bin/lsscsi -s
	all_disks && for_luns model_is
}

write_pattern()
{
	dd if=/tmp/pattern of="$3" bs=1M skip="$1" seek=8 count=1 oflag=direct conv=notrunc 2>/dev/null
}

read_pattern()
{
	dd if="$3" bs=1M skip=8 count=1 iflag=direct 2>/dev/null | sha256sum >/tmp/read
	dd if=/tmp/pattern bs=1M skip="$1" count=1 2>/dev/null | sha256sum >/tmp/wrote
	cmp /tmp/read /tmp/wrote
}

# Everything is written before anything is read, so that a LUN whose data went
# to another one shows.
writes_and_reads_back_a_pattern()
{
	cp /job/pattern /tmp/pattern && for_luns write_pattern && for_luns read_pattern
}

fio_job()
{
	printf '[%s]\nfilename=%s\n' "$2" "$3" >>/tmp/fio.job
}

verifies_with_fio()
{
	cat >/tmp/fio.job <<-END
		[global]
		direct=1
		ioengine=libaio
		iodepth=8
		rw=randwrite
		bssplit=512/10:4k/50:32k/30:128k/10
		offset=9m
		size=2m
		verify=crc32c
		do_verify=1
		verify_fatal=1
	END
	for_luns fio_job && fio /tmp/fio.job
}

make_file_system()
{
	mkfs.ext4 -q -F -b 4096 -E lazy_itable_init=0,nodiscard "$3" 8M || return
	mount -t ext4 "$3" /mnt || return
	head -c 1000001 /dev/urandom >/mnt/first
	mkdir -p /mnt/a/b
	echo "$2" >/mnt/a/b/name
	dd if=/dev/urandom of=/mnt/rest bs=64k 2>/tmp/full
	(cd /mnt && sha256sum first a/b/name rest) >"/job/files.$2"
	umount /mnt
	if ! grep -q 'No space left' /tmp/full; then
		cat /tmp/full
		return 1
	fi
}

check_file_system()
{
	mount -t ext4 "$3" /mnt || return
	(cd /mnt && sha256sum -c "/job/files.$2")
	checked=$?
	umount /mnt
	return $checked
}

fills_file_systems_and_remounts_them()
{
	for_luns make_file_system || return
	echo 3 >/proc/sys/vm/drop_caches
	for_luns check_file_system
}

hash_disk()
{
	blockdev --flushbufs "$3" && sha256sum <"$3" >"/job/disk.$2"
}

hashes_every_disk()
{
	for_luns hash_disk
}
