// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU's emulation: how often each block of instructions was executed
 * between two marks in the host under test.
 *
 *   qemu-system-x86_64 -accel tcg -plugin count.so,out=FILE
 *
 * The marks are instructions that do nothing, nopl 0x54435601(%rax) to begin and
 * nopl 0x54435602(%rax) to end; bench.c has them. For each pair FILE gets
 *
 *   window
 *   user INSTRUCTIONS LOCKED
 *   ADDRESS COUNT INSTRUCTIONS LOCKED
 *   ...
 *
 * a line for all user space, and one for each block of the kernel that was executed:
 * its address (hexadecimal), how often, and how many instructions it has, and how
 * many of them lock the bus. lab/profile makes functions of the addresses.
 *
 * Packages of QEMU have no header for plugins: the few functions that are called are
 * declared here, as the interface's version 7 has them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK_BEGIN	0x54435601u
#define MARK_END	0x54435602u

/* Blocks of the kernel that can be told apart; a boot and a benchmark have 80,000. */
#define MAX_BLOCKS	(1u << 18)
#define MAX_INSN	15

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;

typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} qemu_plugin_u64;

enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t len);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
uint64_t qemu_plugin_u64_sum(qemu_plugin_u64 entry);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(struct qemu_plugin_tb *tb,
								    void *data),
					   void *data);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *tb,
						       enum qemu_plugin_op op,
						       qemu_plugin_u64 entry, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int vcpu, void *data),
					    enum qemu_plugin_cb_flags flags, void *data);

int qemu_plugin_version = 7;

/* A block, which keeps its place when it is translated again. */
struct block {
	uint64_t vaddr;
	uint64_t before;	/* executions when the window began */
	uint16_t insns, locked;
};

/* What the emulation adds to: one counter for each block, and those of user space */
struct counts {
	uint64_t block[MAX_BLOCKS];
	uint64_t user, user_locked;
};

static struct qemu_plugin_scoreboard *score;
static struct block block[MAX_BLOCKS];
static unsigned int nr_blocks;
static uint64_t user_before, user_locked_before;
static FILE *out;

static uint64_t total(size_t offset)
{
	return qemu_plugin_u64_sum((qemu_plugin_u64){ score, offset });
}

static uint64_t executions(size_t i)
{
	return total(offsetof(struct counts, block) + i * sizeof(uint64_t));
}

static void begin(unsigned int vcpu, void *data)
{
	size_t i;

	(void)vcpu, (void)data;
	for (i = 0; i < MAX_BLOCKS; i++)
		if (block[i].insns)
			block[i].before = executions(i);
	user_before = total(offsetof(struct counts, user));
	user_locked_before = total(offsetof(struct counts, user_locked));
}

static void end(unsigned int vcpu, void *data)
{
	uint64_t count;
	size_t i;

	(void)vcpu, (void)data;
	fprintf(out, "window\nuser %llu %llu\n",
		(unsigned long long)(total(offsetof(struct counts, user)) - user_before),
		(unsigned long long)(total(offsetof(struct counts, user_locked)) -
				     user_locked_before));
	for (i = 0; i < MAX_BLOCKS; i++) {
		if (!block[i].insns)
			continue;
		count = executions(i) - block[i].before;
		if (count)
			fprintf(out, "%llx %llu %u %u\n", (unsigned long long)block[i].vaddr,
				(unsigned long long)count, block[i].insns, block[i].locked);
	}
	fflush(out);
}

/* Does it lock the bus: with the prefix, or as an exchange with memory does by itself? */
static bool is_locked(const uint8_t *code, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		switch (code[i]) {
		case 0xf0:
			return true;
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
		case 0x66: case 0x67: case 0xf2: case 0xf3: case 0x40 ... 0x4f:
			continue;
		case 0x86: case 0x87:
			return i + 1 < len && code[i + 1] < 0xc0;
		default:
			return false;
		}
	}
	return false;
}

static void look_for_mark(struct qemu_plugin_insn *insn, const uint8_t *code, size_t len)
{
	static const uint8_t nopl[] = { 0x0f, 0x1f, 0x80 };
	uint32_t mark;

	if (len != sizeof(nopl) + sizeof(mark) || memcmp(code, nopl, sizeof(nopl)))
		return;
	memcpy(&mark, code + sizeof(nopl), sizeof(mark));
	if (mark == MARK_BEGIN)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, QEMU_PLUGIN_CB_NO_REGS, NULL);
	else if (mark == MARK_END)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, end, QEMU_PLUGIN_CB_NO_REGS, NULL);
}

/* The place of a block, which is found by its address. */
static size_t block_at(uint64_t vaddr, unsigned int insns, unsigned int locked)
{
	size_t i = (vaddr * 0x9e3779b97f4a7c15ull + insns) >> 46;

	while (block[i].insns && (block[i].vaddr != vaddr || block[i].insns != insns ||
				  block[i].locked != locked))
		i = (i + 1) % MAX_BLOCKS;
	if (!block[i].insns) {
		if (++nr_blocks == MAX_BLOCKS) {
			fputs("count: more blocks than MAX_BLOCKS\n", stderr);
			exit(1);
		}
		block[i] = (struct block){ .vaddr = vaddr, .insns = insns, .locked = locked };
	}
	return i;
}

static void add(struct qemu_plugin_tb *tb, size_t offset, uint64_t n)
{
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64,
							  (qemu_plugin_u64){ score, offset }, n);
}

static void translated(struct qemu_plugin_tb *tb, void *data)
{
	unsigned int insns = qemu_plugin_tb_n_insns(tb), locked = 0, i;
	uint64_t vaddr = qemu_plugin_tb_vaddr(tb);
	bool is_user = !(vaddr >> 63);
	uint8_t code[MAX_INSN];
	size_t len;

	(void)data;
	for (i = 0; i < insns; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		len = qemu_plugin_insn_data(insn, code, sizeof(code));
		locked += is_locked(code, len);
		if (is_user)
			look_for_mark(insn, code, len);
	}
	if (!is_user) {
		add(tb, offsetof(struct counts, block) +
		    block_at(vaddr, insns, locked) * sizeof(uint64_t), 1);
		return;
	}
	add(tb, offsetof(struct counts, user), insns);
	if (locked)
		add(tb, offsetof(struct counts, user_locked), locked);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fputs("count: want out=FILE\n", stderr);
		return -1;
	}
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		perror(argv[0] + 4);
		return -1;
	}
	score = qemu_plugin_scoreboard_new(sizeof(struct counts));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated, NULL);
	return 0;
}
