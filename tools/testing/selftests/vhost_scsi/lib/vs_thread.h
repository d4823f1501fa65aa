/* SPDX-License-Identifier: GPL-2.0 */
/* Calls that may wait in the kernel: made by a thread, and watched from outside. */
#ifndef VS_THREAD_H
#define VS_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/**
 * struct vs_thread - a call of another thread, and what came of it
 * @thread: makes it
 * @fn: the call: 0 or -errno
 * @arg: its argument
 * @tid: thread id, 0 until it runs
 * @done: it has returned
 * @ret: what it returned
 */
struct vs_thread {
	pthread_t thread;
	int (*fn)(void *arg);
	void *arg;
	pid_t tid;
	volatile bool done;
	int ret;
};

/**
 * vs_thread_start() - have another thread make a call
 * @call: what to fill in
 * @fn: the call
 * @arg: its argument
 *
 * Return: 0 or -errno.
 */
int vs_thread_start(struct vs_thread *call, int (*fn)(void *arg), void *arg);

/**
 * vs_thread_wait() - wait until a call is over, or waits for something itself
 * @call: from vs_thread_start()
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_thread_wait(struct vs_thread *call);

/**
 * vs_thread_wait_done() - wait until a call is over
 * @call: from vs_thread_start()
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_thread_wait_done(struct vs_thread *call);

/**
 * vs_thread_end() - wait for a call as long as it takes
 * @call: from vs_thread_start()
 *
 * Return: what it returned, or -errno.
 */
int vs_thread_end(struct vs_thread *call);

/**
 * vs_thread_state() - what a thread does
 * @pid: its process
 * @tid: the thread
 *
 * Return: the letter of its state (proc_pid_stat(5)), or 0 if it is not there.
 */
char vs_thread_state(pid_t pid, pid_t tid);

/**
 * vs_is_stuck() - does a thread wait in the kernel for what no signal ends?
 * @pid: its process
 * @tid: the thread, 0 for any of the process
 *
 * Return: true if it does: state D, or I for idle.
 */
bool vs_is_stuck(pid_t pid, pid_t tid);

/**
 * vs_wait_stuck() - wait until a thread waits in the kernel, or its process is gone
 * @pid: its process
 * @tid: the thread, 0 for any of the process
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_wait_stuck(pid_t pid, pid_t tid);

/**
 * vs_wait_inside() - wait until threads are inside a function of the kernel
 * @function: its name
 * @n: how many threads, of the kernel or of this process
 *
 * Return: 0 or -ETIMEDOUT.
 */
int vs_wait_inside(const char *function, unsigned int n);

#endif /* VS_THREAD_H */
