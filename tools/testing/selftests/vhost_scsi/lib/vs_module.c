// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "vs_lio.h"
#include "vs_module.h"

const char *vs_module_file(char *buf, size_t size)
{
	const char *given = getenv("VS_MODULE");
	char self[256] = "";
	struct utsname uts;

	if (given && *given) {
		snprintf(buf, size, "%s", given);
		return buf;
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
	    uname(&uts))
		return "vhost_scsi";
	snprintf(buf, size, "%s/../%s/vhost_scsi.ko", dirname(self),
		 uts.release);
	return access(buf, R_OK) ? "vhost_scsi" : buf;
}

int vs_module_unload(void)
{
	if (rmdir(VS_VHOST_ROOT) && errno != ENOENT)
		return -errno;
	return syscall(SYS_delete_module, "vhost_scsi", O_NONBLOCK) ?
	       -errno : 0;
}

int vs_module_insert(int fd)
{
	return syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
}

int vs_module_load(const char *params)
{
	char file[512], command[768];
	const char *module = vs_module_file(file, sizeof(file));

	snprintf(command, sizeof(command), "%s %s %s",
		 strchr(module, '/') ? "insmod" : "modprobe", module, params);
	if (system(command))
		return -EIO;
	return mkdir(VS_VHOST_ROOT, 0755) && errno != EEXIST ? -errno : 0;
}
