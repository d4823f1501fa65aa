# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # lab/run has the variables
#
# The host under test as a virtual machine with Debian's kernel, under QEMU; sourced
# by lab/run. It sees files by 9p; output and status are virtio ports.

# The QEMU of the root file system, by its own loader: one version on every machine.
# It goes when lab/run does, however that ends.
vm_qemu=(setpriv --pdeathsig KILL "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu"
	"$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios"
	-machine q35 -nodefaults -no-user-config -no-reboot -display none)
export QEMU_MODULE_DIR=$root/usr/lib/x86_64-linux-gnu/qemu

# A warning must not end the run, an oops may not be survived: the thread that held
# locks is gone. An emulated timer on a busy machine may be too late for the check
# of it, which is a panic.
vm_cmdline="console=ttyS0 quiet panic=-1 oops=panic printk.time=1 mitigations=off no_timer_check"

# The debug kernel's modules are not in the root file system.
host_choose()
{
	local dir

	vm_modules=''
	if [ "$kernel" = debug ]; then
		dir=$(kernel_dir "$root" debug)
		[ -e "$dir/.complete" ] ||
			die "the debug kernel is not there: run 'make debug-kernel' (about 13 minutes, once)"
		image=$(kernel_image "$dir")
		release=$(cat "$dir/tree/include/config/kernel.release")
		module_dir=debug
		vm_modules=$dir/modules
		vm_cmdline+=" lab.modules"
		initrd=$("$LAB_SRC/lab/build/initrd" none) || exit 4
		return
	fi
	release=$(kernel_release "$root" "$kernel")
	module_dir=$release
	image=$root/boot/vmlinuz-$release
	initrd=$("$LAB_SRC/lab/build/initrd" "$release") || exit 4
}

# A /dev/kvm that opens proves nothing: some can create a virtual machine, and run no
# ordinary kernel in it. So ours is booted with it as far as its first program. One
# probe for each boot of this machine.
vm_kvm_works()
{
	local known

	[ -z "${TCM_VHOST_TCG-}" ] && [ -r /dev/kvm ] && [ -w /dev/kvm ] || return
	known=$LAB_CACHE/kvm-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -e "$known" ]; then
		timeout -k 1 20 "${vm_qemu[@]}" -accel kvm -cpu host -m 1G -serial stdio -monitor none \
			-kernel "$image" -initrd "$initrd" -append "$vm_cmdline lab.probe" \
			</dev/null 2>/dev/null | grep -aq 'lab: probe: up' && echo yes >"$known.$$"
		[ -e "$known.$$" ] || echo no >"$known.$$"
		mv "$known.$$" "$known"
	fi
	[ "$(cat "$known")" = yes ] &&
		grep -qE '^flags.* (svm|vmx)( |$)' /proc/cpuinfo &&
		grep -qsE '^[Y1]' /sys/module/kvm_{amd,intel}/parameters/nested
}

# KVM where it works; the verdicts must not differ. Emulation takes turns with its
# CPUs: with a thread for each, one runs code that another one is patching half
# done, and the kernel dies of an int3 that is nobody's fault. What needs CPUs that run
# at the same time takes that risk with --threads.
vm_accelerator()
{
	if [ -n "$icount" ]; then
		[ "$smp" = 1 ] || die "--icount is exact on one CPU only"
		accel=(-accel tcg,thread=single -icount shift=1,sleep=off,align=off -cpu EPYC)
		[ -z "$count" ] || accel+=(-plugin "$LAB_SRC/build/count.so,out=$out/counts")
		[ -z "$count" ] || [ -e "$LAB_SRC/build/count.so" ] ||
			die "the counter is not built yet: run lab/build/count"
	elif vm_kvm_works; then
		accel=(-accel kvm -cpu host)
	else
		accel=(-accel "tcg,thread=${threads:-single}" -cpu EPYC,+svm)
	fi
}

# One folder of this machine by 9p: name, path, option.
vm_share()
{
	printf '%s\n' -fsdev "local,id=$1,path=$2,security_model=none,multidevs=remap$3" \
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1"
}

# vm_port NAME: a virtio port that ends in a file or pipe of $work.
vm_port()
{
	printf '%s\n' -chardev "file,id=$1,path=$work/$1" \
		-device "virtserialport,chardev=$1,name=lab.$1"
}

# End 1 or 2 of the cable, and who has it: 52:54:00:00:00:01 or :02.
vm_cable()
{
	local end=${cable%%:*} server=(server=on)

	[ "$end" = 1 ] || server=(server=off reconnect-ms=200)
	printf '%s\n' -netdev "$(IFS=,; echo "stream,id=cable,addr.type=unix,addr.path=${cable#*:},${server[*]}")" \
		-device "virtio-net-pci,netdev=cable,mac=52:54:00:00:00:0$end"
}

host_start()
{
	local args input=/dev/null output=/dev/null

	vm_accelerator
	mkfifo "$work/out" "$work/err"
	: >"$work/status"
	cat "$work/out" & streams+=($!)
	cat "$work/err" >&2 & streams+=($!)
	mapfile -t args < <(
		vm_share root "$root" ,readonly=on
		vm_share src "$LAB_SRC" ,readonly=on
		vm_share out "$out" ''
		[ -z "$vm_modules" ] || vm_share modules "$vm_modules" ,readonly=on
		printf '%s\n' -device virtio-serial-pci
		[ -z "$cable" ] || vm_cable
		for port in out err status; do vm_port "$port"; done
		[ -z "$terminal" ] ||
			printf '%s\n' -chardev stdio,id=tty,signal=off -device virtconsole,chardev=tty
	)
	[ -z "$terminal" ] || input=/dev/stdin output=/dev/stdout
	"${vm_qemu[@]}" "${accel[@]}" -m "$mem" -smp "$smp" -kernel "$image" -initrd "$initrd" \
		-append "$vm_cmdline${append:+ $append}" -serial "file:$out/console.log" "${args[@]}" \
		<"$input" >"$output" 2>"$work/host.err" &
	host_pid=$!
}
