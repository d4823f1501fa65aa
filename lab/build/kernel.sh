# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What building a kernel of our own from linux-source-6.12 takes, whichever it is;
# sourced by lab/build/uml and lab/build/debug-kernel. Both are cached by kernel version and
# lab/build/NAME.*: a change of our other files does not rebuild them.

# kernel_dir ROOT NAME: where the kernel of lab/build/NAME.config lies.
kernel_dir()
{
	local version key

	version=$(package_version "$1" linux-source-6.12)
	key=$(cat "$LAB_SRC/lab/build/$2".* | sha256sum) || return
	printf '%s/%s-%s-%s\n' "$LAB_CACHE" "$2" "$version" "${key:0:12}"
}

# In the root file system, where the cache is at /cache.
kernel_inside()
{
	"$LAB_SRC/lab/build/in-rootfs" "$@" >>"$kernel_out/build.log" 2>&1
}

kernel_failed()
{
	grep -E 'error|Error|No space' "$kernel_out/build.log" | tail -n 5 >&2
	die "$kernel_name kernel: $1 failed (log: $kernel_out/build.log): if nothing above says why, remove $kernel_out and run it again"
}

# What of the fragment did not come out as asked.
kernel_dropped()
{
	local line config=$kernel_out/tree/.config

	grep -E '^(CONFIG_|# CONFIG_)' "$LAB_SRC/lab/build/$kernel_name.config" | while read -r line; do
		case $line in
		'# '*' is not set')
			line=${line#\# }
			line=${line% is not set}
			grep -q "^$line=" "$config" && echo "$line"
			;;
		*)
			grep -qxF "$line" "$config" || echo "${line%%=*}"
			;;
		esac
	done | paste -sd ' '
}

# kernel_with NAME FILE...: FILE.c of UML's tree includes lab/build/uml.NAME.h first.
kernel_with()
{
	local name=$1 file dir

	shift
	for file; do
		dir=arch/${file%/*}
		cp "$LAB_SRC/lab/build/uml.$name.h" "$kernel_out/tree/$dir/$name.h" &&
			printf '\nCFLAGS_%s.o := -include %s/%s.h\n' "${file##*/}" "$dir" "$name" \
				>>"$kernel_out/tree/$dir/Makefile" || return
	done
}

# What User-Mode Linux cannot do without, or is slow without.
kernel_for_uml()
{
	kernel_with xstate x86/um/os-Linux/registers um/os-Linux/skas/process um/os-Linux/skas/mem &&
		kernel_with stack um/kernel/stacktrace &&
		kernel_with shadow um/os-Linux/mem &&
		# What a process runs before it is one, and has no shadow.
		printf 'KASAN_SANITIZE_%s.o := n\n' physmem stacktrace >>"$kernel_out/tree/arch/um/kernel/Makefile"
}

kernel_unpack()
{
	[ -e "$kernel_out/.unpacked" ] && return
	need_space "$kernel_out" 4000
	say "$kernel_name kernel: unpacking linux-source-6.12 (half a minute)"
	rm -rf "$kernel_out/tree"
	mkdir -p "$kernel_out/tree"
	kernel_inside tar -xJf /usr/src/linux-source-6.12.tar.xz -C "$kernel_tree" --strip-components=1 ||
		kernel_failed "unpacking"
	# mmu_notifier.c has no prompt, and our driver, which selects it, is built
	# out of tree: so the tree gets a symbol that does.
	printf 'config TCM_VHOST_LAB\n\tdef_bool y\n\tselect MMU_NOTIFIER\n' >>"$kernel_out/tree/drivers/vhost/Kconfig" ||
		kernel_failed "unpacking"
	[ "$kernel_arch" != um ] || kernel_for_uml || kernel_failed "unpacking"
	touch "$kernel_out/.unpacked"
}

kernel_configure()
{
	local lost

	kernel_inside make -C "$kernel_tree" "ARCH=$kernel_arch" tinyconfig &&
		kernel_inside env "ARCH=$kernel_arch" "$kernel_tree/scripts/kconfig/merge_config.sh" -m -O "$kernel_tree" \
			"$kernel_tree/.config" "/src/lab/build/$kernel_name.config" &&
		kernel_inside make -C "$kernel_tree" "ARCH=$kernel_arch" olddefconfig || kernel_failed "configuring"
	lost=$(kernel_dropped)
	[ -z "$lost" ] ||
		die "$kernel_name kernel: Kconfig dropped $lost: add what they depend on to lab/build/$kernel_name.config, or take them out"
}

# kernel_build ROOT NAME ARCH IMAGE TIME: builds the image, and the modules with the
# stock vhost_scsi among them, into $kernel_out, unless they are there.
kernel_build()
{
	local start=$SECONDS

	kernel_name=$2 kernel_arch=$3
	kernel_out=$(kernel_dir "$1" "$2") || return
	kernel_tree=/cache/${kernel_out##*/}/tree
	[ -e "$kernel_out/.complete" ] && return
	lock_cache "${kernel_out##*/}"
	[ -e "$kernel_out/.complete" ] && return
	mkdir -p "$kernel_out" || die "cannot create $kernel_out: set XDG_CACHE_HOME to a writable place"
	: >"$kernel_out/build.log"
	kernel_unpack
	kernel_configure
	say "$2 kernel: building it ($5 on two cores)"
	kernel_inside make -C "$kernel_tree" "ARCH=$3" -j"$(nproc)" "$4" modules || kernel_failed "building"
	rm -rf "$kernel_out/modules"
	kernel_inside make -C "$kernel_tree" "ARCH=$3" modules_install INSTALL_MOD_PATH="/cache/${kernel_out##*/}/modules" ||
		kernel_failed "installing modules"
	touch "$kernel_out/.complete"
	say "$2 kernel: ready in $((SECONDS - start)) s, in $kernel_out"
}
