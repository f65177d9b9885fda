/* SPDX-License-Identifier: MIT */
/*
 * Run a seccomp program without a kernel: the classic BPF that seccomp(2)
 * accepts, as far as filters use it.
 */
#ifndef SANDTOP_SELFTESTS_UNIT_BPFSIM_H
#define SANDTOP_SELFTESTS_UNIT_BPFSIM_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>

/*
 * What the program answers to `data`. A program that the kernel would refuse
 * (an unknown instruction, a jump or a load out of bounds, no return) answers
 * SECCOMP_RET_KILL_THREAD.
 */
static inline uint32_t bpfsim_run(const struct sock_filter *filter, unsigned int len,
				  const struct seccomp_data *data)
{
	const struct sock_filter *insn;
	unsigned int pc = 0;
	uint32_t acc = 0;

	while (pc < len) {
		insn = &filter[pc++];
		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (insn->k % 4 || insn->k + 4 > sizeof(*data))
				return SECCOMP_RET_KILL_THREAD;
			memcpy(&acc, (const char *)data + insn->k, sizeof(acc));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			acc &= insn->k;
			break;
		case BPF_JMP | BPF_JA:
			if (insn->k > len - pc)
				return SECCOMP_RET_KILL_THREAD;
			pc += insn->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += acc == insn->k ? insn->jt : insn->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += acc > insn->k ? insn->jt : insn->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += acc >= insn->k ? insn->jt : insn->jf;
			break;
		case BPF_RET | BPF_K:
			return insn->k;
		default:
			return SECCOMP_RET_KILL_THREAD;
		}
	}
	return SECCOMP_RET_KILL_THREAD;
}

#endif
