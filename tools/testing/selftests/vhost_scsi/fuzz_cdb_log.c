// SPDX-License-Identifier: GPL-2.0
/* What went wrong, and what the kernel says: its log, and the module's second line of defence. */
#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz_cdb.h"

#define TRACE		"/sys/kernel/tracing/"
#define REJECT		TRACE "events/vhost_scsi/vhost_scsi_cmd_reject/enable"

static void print_slot(const struct fuzz *f, const struct slot *s)
{
	const struct virtio_scsi_cmd_resp *rsp = s->req.rsp;
	unsigned int i;

	fprintf(stderr, "#   %s%s%s: cdb", f->unit.type->name,
		f->mods & VS_UNIT_READ_ONLY ? " read-only" :
		f->mods & VS_UNIT_RESERVED ? " reserved" : "",
		f->pi ? " with T10_PI" : "");
	for (i = 0; i < sizeof(s->cdb.b); i++)
		fprintf(stderr, " %02x", s->cdb.b[i]);
	fprintf(stderr, "\n#   attr %u, %u bytes %s, pi %u, pieces",
		s->req.hdr->task_attr, s->total,
		s->total ? s->in ? "in" : "out" : "", s->pi);
	for (i = 0; i < s->pieces; i++)
		fprintf(stderr, " %zu+%zu", s->at[i], s->len[i]);
	fprintf(stderr, "\n#   times %u, used %u, response %u status %02x sense %06x resid %u\n",
		s->req.chain.times, s->req.chain.used_len, rsp->response,
		rsp->status, vs_req_sense(&s->req), rsp->resid);
}

/* With the file's name in front, as run_all shows of what failed. */
void fuzz_complain(struct fuzz *f, const struct slot *s, const char *fmt, ...)
{
	va_list ap;

	f->complaints++;
	fprintf(stderr, "# fuzz_cdb_test.c: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	if (s)
		print_slot(f, s);
	fprintf(stderr, "# fuzz_cdb_test.c: batch of %u, after %lu commands: ",
		f->n, f->sent);
	fprintf(stderr, "VS_SEED=%#llx VS_ROUNDS=%u\n",
		(unsigned long long)f->first, f->n);
}

/* A line without what is different each time. */
static void normalise(const char *line, char *to, size_t size)
{
	const char *op = strstr(line, "pcode: 0x");
	size_t n = 0;

	while (*line && n + 1 < size) {
		/* Operation codes are the same each time. */
		if (!isdigit((unsigned char)*line) || (op && line > op)) {
			to[n++] = *line++;
			continue;
		}
		to[n++] = '#';
		if (line[0] == '0' && line[1] == 'x')
			line += 2;
		while (isxdigit((unsigned char)*line))
			line++;
	}
	to[n] = '\0';
}

void fuzz_read_log(struct fuzz *f)
{
	char line[1024], text[sizeof(f->message[0].text)];
	unsigned int i;

	while (vs_kmsg_next(f->unit.env.kmsg, line, sizeof(line))) {
		if (vs_kmsg_is_bad(line))
			fuzz_complain(f, NULL, "kernel log: %s", line);
		f->lines++;
		normalise(line, text, sizeof(text));
		for (i = 0; i < MESSAGES - 1; i++)
			if (!f->message[i].count ||
			    !strcmp(f->message[i].text, text))
				break;
		if (!f->message[i].count)
			strcpy(f->message[i].text, text);
		f->message[i].count++;
	}
}

/* LIO and scsi_check.c do not make the same of a command. */
void fuzz_read_trace(struct fuzz *f)
{
	static char text[65536];
	char *at, *end;
	ssize_t n;

	while ((n = read(f->trace, text, sizeof(text) - 1)) > 0) {
		text[n] = '\0';
		for (at = text; (at = strstr(at, "why=LIO")); at = end) {
			end = at + strcspn(at, "\n");
			fuzz_complain(f, f->n == 1 ? &f->slot[0] : NULL, "%.*s",
				      (int)(end - at), at);
		}
	}
}

int fuzz_open_trace(void)
{
	vs_write_file(TRACE "trace", "");
	if (vs_write_file(REJECT, "1") < 0)
		return -1;
	return open(TRACE "trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

void fuzz_close_trace(int fd)
{
	vs_write_file(REJECT, "0");
	close(fd);
}
