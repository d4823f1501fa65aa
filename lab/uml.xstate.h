/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For arch/x86/um/os-Linux/registers.c of Linux 6.12, which keeps 2,696 bytes of a
 * process's extended state: up to AVX-512 and PKRU. The kernel below takes all of
 * its XSAVE area or nothing, and that is 11,008 bytes where the processor has AMX:
 * the first process would die of SIGSEGV. So the state travels in a buffer that has
 * room for more. Nothing is lost: the tiles are empty, a process has to ask for them
 * with arch_prctl(), which User-Mode Linux does not hand on.
 */
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/* User-Mode Linux has one CPU, and does not schedule in here. */
static char lab_xstate[16384] __attribute__((aligned(64)));

static inline long lab_ptrace(int request, int pid, unsigned long what,
			      void *data)
{
	struct iovec whole = { lab_xstate, sizeof(lab_xstate) };
	struct iovec *kept = data;
	long ret;

	switch (request) {
	case PTRACE_GETREGSET:
		ret = ptrace(request, pid, what, &whole);
		if (ret < 0)
			return ret;
		if (kept->iov_len > whole.iov_len)
			kept->iov_len = whole.iov_len;
		memcpy(kept->iov_base, lab_xstate, kept->iov_len);
		return ret;
	case PTRACE_SETREGSET:
		memcpy(lab_xstate, kept->iov_base, kept->iov_len);
		memset(lab_xstate + kept->iov_len, 0,
		       sizeof(lab_xstate) - kept->iov_len);
		return ptrace(request, pid, what, &whole);
	}
	return ptrace(request, pid, what, data);
}

#define ptrace(request, pid, what, data) \
	lab_ptrace(request, pid, (unsigned long)(what), data)
