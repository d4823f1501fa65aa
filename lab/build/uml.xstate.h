/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the files of Linux 6.12's User-Mode Linux that call ptrace() for a process's
 * sake: registers.c, and skas/process.c and skas/mem.c that let it run.
 *
 * registers.c keeps 2,696 bytes of a process's extended state: up to AVX-512 and
 * PKRU. The kernel below takes all of its XSAVE area or nothing, and that is 11,008
 * bytes where the processor has AMX: the first process would die of SIGSEGV. So the
 * state travels in a buffer that has room for more. Nothing is lost: the tiles are
 * empty, a process has to ask for them with arch_prctl(), which User-Mode Linux does
 * not hand on.
 *
 * It also sets the state again after every system call, and twice after a page fault,
 * for which the kernel below maps and unmaps a buffer: a quarter of a test's time
 * where that kernel is a guest itself. A process that has not run since is not asked,
 * and is told only what differs.
 */
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/*
 * The state of the process lab_known, 0 for none; the same in all those files.
 * User-Mode Linux has one CPU, and does not schedule in here.
 */
__attribute__((weak, aligned(64))) char lab_xstate[16384];
__attribute__((weak)) int lab_known;

static inline long lab_get_xstate(int pid, unsigned long what, struct iovec *kept)
{
	struct iovec whole = { lab_xstate, sizeof(lab_xstate) };

	if (pid != lab_known) {
		lab_known = 0;
		if (ptrace(PTRACE_GETREGSET, pid, what, &whole) < 0)
			return -1;
		lab_known = pid;
	}
	if (kept->iov_len > sizeof(lab_xstate))
		kept->iov_len = sizeof(lab_xstate);
	memcpy(kept->iov_base, lab_xstate, kept->iov_len);
	return 0;
}

static inline long lab_set_xstate(int pid, unsigned long what, struct iovec *kept)
{
	struct iovec whole = { lab_xstate, sizeof(lab_xstate) };

	if (pid == lab_known && !memcmp(lab_xstate, kept->iov_base, kept->iov_len))
		return 0;
	lab_known = 0;
	memcpy(lab_xstate, kept->iov_base, kept->iov_len);
	memset(lab_xstate + kept->iov_len, 0, sizeof(lab_xstate) - kept->iov_len);
	if (ptrace(PTRACE_SETREGSET, pid, what, &whole) < 0)
		return -1;
	lab_known = pid;
	return 0;
}

static inline long lab_ptrace(int request, int pid, unsigned long what,
			      void *data)
{
	switch (request) {
	case PTRACE_GETREGSET:
		return lab_get_xstate(pid, what, data);
	case PTRACE_SETREGSET:
		return lab_set_xstate(pid, what, data);
	case PTRACE_GETREGS:
	case PTRACE_SETREGS:
	case PTRACE_GETSIGINFO:
		return ptrace(request, pid, what, data);
	}
	/* It runs, or it is a new one with an old one's number. */
	if (pid == lab_known)
		lab_known = 0;
	return ptrace(request, pid, what, data);
}

#define ptrace(request, pid, what, data) \
	lab_ptrace(request, pid, (unsigned long)(what), (void *)(data))
